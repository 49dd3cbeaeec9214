"""Weights of others and your own: python -m gaitjax.zoo (list | show | reproduce | push | ...)."""

import argparse
import shlex
import sys
from pathlib import Path

from gaitjax import command
from gaitjax import config as configs
from gaitjax.command import tables
from gaitjax.errors import DataError
from gaitjax.zoo import SOURCE, ZOO, entry, markdown, url


def _list() -> str:
    rows = [("name", "embedding", "published Rank-1", "protocol")] + [
        (name, e.embedding, f"{rank1:.2f}", protocol)
        for name, e in ZOO.items()
        for protocol, rank1 in e.published.items()
    ]
    return "\n".join(tables.aligned(rows, left=(0, 1, 3)))


def _show(name: str) -> str:
    e = entry(name)
    published = ", ".join(f"{rank1:.2f} ({protocol})" for protocol, rank1 in e.published.items())
    facts = {
        "weights": url(e),
        "embedding": e.embedding,
        "published": f"Rank-1 {published}; {SOURCE}",
        "note": e.note,
        "convert": f"python -m converters.opengait --zoo {name} --output {name}.npz",
        "evaluate": f"python -m gaitjax.evaluate --config {name} --checkpoint {name}.npz "
        "--config.data.root=DIR",
    }
    lines = [f"{fact + ':':11}{value}" for fact, value in facts.items() if value]
    about = configs.about(name)
    return "\n".join([name, *lines, "", about])


def _reproduce(args: argparse.Namespace, rest: list[str]) -> str:
    # Imported here: the other commands answer without loading JAX.
    from gaitjax import sharding
    from gaitjax.zoo import reproduce

    sharding.start(multihost=False)
    config = reproduce.config_of(args.name, rest)
    workdir, options = Path(args.workdir or f"reproduce/{args.name}"), shlex.split(args.prepare)
    if args.source and not config.data.root:
        raise DataError("--source is prepared as --config.data.root: give both")
    if args.dry_run:
        lines = [
            f"{'have' if there else 'MISSING':8}{what}" + (f"\n        {more}" if more else "")
            for what, there, more in reproduce.needs(
                args.name, config, workdir, args.source, options
            )
        ]
        return "\n".join(lines)
    row = reproduce.reproduce(
        args.name,
        config,
        workdir,
        args.seeds,
        args.revision,
        args.ground_truth,
        args.source,
        options,
    )
    return f"wrote {workdir / 'reproduction.json'}" if row else ""


def _report(args: argparse.Namespace, rest: list[str]) -> str:
    from gaitjax.zoo import reproduce

    return reproduce.report(args.folders)


def _submit(args: argparse.Namespace, rest: list[str]) -> str:
    from gaitjax.zoo import submission

    path = submission.submit(Path(args.folder), args.who, args.output)
    return f"wrote {path}; a pull request puts it into gaitjax/zoo/reproduced"


def _push(args: argparse.Namespace, rest: list[str]) -> str:
    from gaitjax.zoo import shared

    source = command.path(args.weights)
    if args.dry_run:
        return shared.described(source, args.repo, args.licence, args.evaluation)[2]
    address = shared.push(source, args.repo, args.licence, args.evaluation, args.private)
    return f'pushed; gaitjax.load("{address}") reads it'


def main(argv: list[str] | None = None) -> int:
    return command.run(_main, argv)


def _main(argv: list[str]) -> None:
    parser = _parser()
    args, rest = parser.parse_known_args(
        command.respelled(argv, {"--data_root": "--config.data.root"})
    )
    if rest and args.command != "reproduce":
        parser.error(f"unknown argument {rest[0]}")
    run = {
        "list": lambda *_: _list(),
        "table": lambda *_: markdown(),
        "show": lambda args, _: _show(args.name),
        "reproduce": _reproduce,
        "report": _report,
        "submit": _submit,
        "push": _push,
    }
    print(run[args.command](args, rest))


def _parser() -> argparse.ArgumentParser:
    result = command.parser(
        "Released weights with their published numbers, and weights and numbers of your own.",
        "python -m gaitjax.zoo reproduce gaitgraph2_oumvlp17 --config.data.root=DIR",
        prog="python -m gaitjax.zoo",
    )
    commands = result.add_subparsers(dest="command", required=True)

    def add_command(name: str, about: str, example: str = "") -> argparse.ArgumentParser:
        epilog = f"example: python -m gaitjax.zoo {name}{example}"
        return commands.add_parser(
            name, help=about, description=about, epilog=epilog, allow_abbrev=False
        )

    add_command("list", "every entry with its published number")
    show = add_command("show", "one entry: weights, commands, what to know", " gaitgraph2_grew")
    show.add_argument("name", help="a name that `list` prints")
    add_command("table", "the Markdown table of the README")
    example = " gaitgraph2_oumvlp17 --config.data.root=DIR"
    again = add_command("reproduce", "fetch, convert, evaluate and compare", example)
    add = again.add_argument
    add("name", help="a name that `list` prints")
    root = "--config.data.root"  # one of the fields that go on to the config
    add("--source", default="", help=f"raw data set to prepare as {root}, if that is missing")
    add("--prepare", default="", help="more for gaitjax.prepare, as '--partition Gait3D.json'")
    add("--workdir", help="default: reproduce/NAME")
    add("--seeds", type=int, default=10, help="random test windows to average (default 10)")
    add("--revision", help="branch, tag or commit of the hub's repository")
    add("--ground_truth", help="csv of answers to score a GREW submission with")
    add("--dry_run", action="store_true", help="only say what is there and what is missing")
    send = add_command(
        "submit", "write a finished run as a file to send in", " reproduce/NAME --who ann"
    )
    send.add_argument("folder", help="--workdir of a finished `reproduce`")
    send.add_argument(
        "--who", required=True, help="name or account that is shown beside the number"
    )
    send.add_argument("--output", type=command.path, help="default: NAME.reproduced.json in it")
    push = add_command(
        "push",
        "share weights on the Hugging Face hub, with a card",
        " out --repo me/walks --licence mit",
    )
    add = push.add_argument
    add("weights", help="weights file, or work directory of a run")
    add("--repo", required=True, help="owner/name; made if missing")
    add("--licence", required=True, help="of these weights, as apache-2.0, cc-by-nc-4.0 or other")
    add("--evaluation", type=command.path, help="evaluation.json (default: the one beside them)")
    add("--private", action="store_true", help="make the repository one that only you see")
    add("--dry_run", action="store_true", help="only print the card")
    collect = add_command("report", "finished runs as a Markdown table", " reproduce")
    collect.add_argument("folders", nargs="+", help="folders with reproduction.json below them")
    return result


if __name__ == "__main__":
    sys.exit(main())
