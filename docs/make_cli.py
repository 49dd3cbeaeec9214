"""Writes docs/cli.md, the command-line reference, from the programs: python docs/make_cli.py"""

import argparse
import importlib
import re
import sys
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "cli.md"

PROGRAMS = (
    "gaitjax.train",
    "gaitjax.evaluate",
    "gaitjax.export",
    "gaitjax.zoo",
    "gaitjax.prepare",
    "gaitjax.identify",
    "gaitjax.benchmark",
    "gaitjax.scaling",
    "gaitjax.data.walkers",
    "gaitjax.data.builders",
    "gaitjax.performance.ahead_of_time",
    "gaitjax.performance.full_size",
    "converters.opengait",
    "converters.to_opengait",
    "converters.tteepe",
)

HEAD = """# Command-line reference

Made from the programs by `python docs/make_cli.py`; `--help` prints the same. Commands with
`--config` take a config file or the bare name of a packaged config, and any field of
`gaitjax/config/fields.py` as `--config.FIELD=VALUE`, such as `--config.train.batch_size=256`.
"""


def parser_of(module: str, *words: str) -> argparse.ArgumentParser:
    """The parser with which a program reads its command line; `words` come before the options."""

    class Found(Exception):
        pass

    def stop(parser, *_):
        raise Found(parser)

    name = f"{module}.__main__" if hasattr(importlib.import_module(module), "__path__") else module
    program = importlib.import_module(name)
    arguments = ["program", *words, "--no-such-option"]
    with (
        mock.patch.object(argparse.ArgumentParser, "parse_known_args", stop),
        mock.patch.object(sys, "argv", arguments),
    ):
        try:
            program.main(arguments[1:]) if program.main.__code__.co_argcount else program.main()
        except Found as found:
            return found.args[0]
    raise LookupError(f"python -m {module} {' '.join(words)} reads no options")


def subcommands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """Parsers of the subcommands, by name."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


def commands() -> dict[str, argparse.ArgumentParser]:
    """Every command, "gaitjax.zoo show", with its parser."""
    from gaitjax.prepare.__main__ import COMMANDS

    found = {}
    for module in PROGRAMS:
        if module == "gaitjax.prepare":
            found |= {f"{module} {name}": parser_of(module, name) for name in COMMANDS}
            continue
        parser = parser_of(module)
        below = subcommands(parser)
        found |= {f"{module} {name}": p for name, p in below.items()} or {module: parser}
    return found


def section(name: str, parser: argparse.ArgumentParser) -> str:
    """One command as Markdown: what it does, examples, options."""
    lines = [f"## `python -m {name}`", ""]
    text = "\n\n".join(part.strip() for part in (parser.description, parser.epilog) if part)
    about, example, examples = text.partition("example: ")
    # Folders drawn with spaces stay as they are.
    drawn = re.search(r"^ ", about, re.M)
    lines += ["```text", about.strip(), "```", ""] if drawn else [_plain(about.strip()), ""]
    lines += ["```", example + examples, "```", ""] if example else []
    rows = [_row(action) for action in parser._actions if action.dest != "help"]
    if rows:
        lines += ["| option | meaning |", "| --- | --- |"]
        lines += [
            f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows
        ]
        lines.append("")
    return "\n".join(lines)


def _row(action: argparse.Action) -> tuple[str, str]:
    name = ", ".join(action.option_strings) or action.metavar or action.dest
    if action.option_strings and action.nargs != 0:
        name += f" {action.metavar or action.dest.upper()}"
    if isinstance(action, argparse.BooleanOptionalAction):
        name = ", ".join(action.option_strings)
    about = action.help or ""
    # A default that depends on the machine is not printed here.
    about = about.replace(", %(default)s", "") % {"default": action.default, "prog": ""}
    choices = ", ".join(map(str, action.choices)) if action.choices else ""
    facts = [about] if about else []
    facts += [f"one of {choices}"] if choices else []
    facts += ["required"] if action.required and action.option_strings else []
    return f"`{name}`", _plain("; ".join(facts))


def _plain(text: str) -> str:
    """`text` with what Markdown would take for its own escaped; backticks keep their meaning."""
    parts = text.split("`")
    parts[::2] = [re.sub(r"([<*])", r"\\\1", part) for part in parts[::2]]
    return "`".join(parts)


def page() -> str:
    """The whole page."""
    return "\n".join([HEAD, *(section(name, parser) for name, parser in commands().items())])


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    PAGE.write_text(page())
    print(f"wrote {PAGE}")
