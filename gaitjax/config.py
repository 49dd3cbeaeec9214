"""Config files by path or bare name, and strict `--config.key=value` overrides."""

import argparse
import ast
import difflib
import importlib
import importlib.util
import pkgutil
from collections.abc import Iterable
from pathlib import Path

from ml_collections import ConfigDict

from gaitjax import command
from gaitjax.errors import ConfigError


def names() -> list[str]:
    """Bare names of the packaged configs."""
    import configs

    return sorted(m.name for m in pkgutil.iter_modules(configs.__path__) if m.name != "common")


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint for an unknown `name`: the known ones like it, or all."""
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.4)
    return f"did you mean {' or '.join(close)}?" if close else f"known: {', '.join(sorted(known))}"


def load(name_or_path: str) -> ConfigDict:
    """The locked config of a file (`configs/x.py`) or of a packaged name (`x`).

    Raises ConfigError if there is no such file or name, or the file sets an unknown key.
    """
    path = Path(name_or_path)
    try:
        if path.suffix == ".py" and path.is_file():
            spec = importlib.util.spec_from_file_location(f"gaitjax_config_{path.stem}", path)
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
        elif path.suffix == "" and name_or_path in names():
            module = importlib.import_module(f"configs.{name_or_path}")
        elif path.suffix == ".py" and path.parent.name == "configs" and path.stem in names():
            module = importlib.import_module(f"configs.{path.stem}")
        else:
            raise ConfigError(f"no config {name_or_path!r}; {nearest(path.stem, names())}")
        config = module.get_config()
    except (AttributeError, KeyError) as error:
        raise ConfigError(f"config {name_or_path}: {error}") from error
    return config.lock()


def _parse(text: str, current, key: str):
    """`text` as a value of the type of `current`."""
    kind = type(current)
    try:
        if kind is str:
            return text
        if kind is bool:
            return {"true": True, "1": True, "false": False, "0": False}[text.lower()]
        if kind is int:
            value = float(text)
            if not value.is_integer():
                raise ValueError
            return int(text) if text.lstrip("+-").isdigit() else int(value)
        if kind is float:
            return float(text)
        if kind is tuple:
            try:
                return tuple(ast.literal_eval(text if text[:1] in "([" else f"({text},)"))
            except (ValueError, SyntaxError):
                return tuple(text.split(","))
        return ast.literal_eval(text)
    except (ValueError, KeyError, SyntaxError, TypeError):
        raise ConfigError(
            f"--config.{key}={text}: expected {kind.__name__}, as in {current!r}"
        ) from None


def override(config: ConfigDict, key: str, text: str) -> None:
    """Set the dotted `key` from command-line `text`.

    Raises ConfigError for an unknown key, naming the nearest ones, or a bad value.
    """
    node, parts = config, key.split(".")
    for depth, part in enumerate(parts):
        if not isinstance(node, ConfigDict) or part not in node:
            where = ".".join(parts[:depth])
            known = list(node) if isinstance(node, ConfigDict) else []
            prefix = f"{where}." if where else ""
            hint = nearest(part, known) if known else f"{where} has no fields"
            raise ConfigError(f"unknown config key {prefix}{part!r}: {hint}")
        if depth < len(parts) - 1:
            node = node[part]
    current = node[parts[-1]]
    if isinstance(current, ConfigDict):
        raise ConfigError(f"--config.{key} is a section; set one of: {', '.join(current)}")
    node[parts[-1]] = _parse(text, current, key)


def from_arguments(name_or_path: str, rest: list[str]) -> ConfigDict:
    """Load a config and apply what argparse left over: `--config.a.b=c` or `--config.a.b c`."""
    return override_all(load(name_or_path), rest)


def override_all(config: ConfigDict, arguments: list[str]) -> ConfigDict:
    """Apply `--config.a.b=c` or `--config.a.b c` arguments to `config`, and return it."""
    rest = list(arguments)
    while rest:
        argument = rest.pop(0)
        if not argument.startswith("--config."):
            raise ConfigError(
                f"unknown argument {argument!r}; config fields are --config.KEY=VALUE"
            )
        key, equals, text = argument[len("--config.") :].partition("=")
        if not equals:
            if not rest:
                raise ConfigError(f"{argument} needs a value")
            text = rest.pop(0)
        override(config, key, text)
    return config


def parser(description: str, example: str, config_required: bool = True) -> argparse.ArgumentParser:
    """Argument parser with the `--config` flag that every command shares."""
    result = command.parser(description, example)
    result.add_argument("--config", required=config_required, help="config file, or its bare name")
    return result
