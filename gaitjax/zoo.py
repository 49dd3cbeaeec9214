"""The released weights, one entry for each: python -m gaitjax.zoo (list | show NAME | table |
reproduce NAME | report DIR).

An entry has the name of its config. Folders and published numbers are those of `SOURCE`.
"""

import argparse
import importlib
import sys
from pathlib import Path
from typing import NamedTuple

from gaitjax.config import ConfigError, nearest
from gaitjax.errors import DataError
from gaitjax.weights import WeightsError

SOURCE = "OpenGait's skeleton model zoo"
REPO = "opengait/OpenGait"  # on the Hugging Face hub


class Entry(NamedTuple):
    """Released weights.

    Attributes:
      folder: in `REPO`; its `checkpoints` hold <name>-<iteration>.pt.
      published: Rank-1 in percent by evaluation protocol.
      embedding: which of the network's embeddings the weights were made for.
      note: what to know before comparing numbers.
    """

    folder: str
    published: dict[str, float]
    embedding: str = "embed_1"
    note: str = ""


_CENTRE = "The input's centre joint is not certain: also try --config.model.input_centre=1."
_GREW = "The reference writes a submission file, so the number is of the challenge's server."
_LOCAL = "The reference scores the local split; the number may be of that or of the server."
_LINK = "The zoo page links the folder of the 18-joint weights here too."

ZOO = {
    "gaitgraph1_oumvlp": Entry("OUMVLP/GaitGraph1/GaitGraph1_phase1", {"oumvlp": 2.81}),
    "gaitgraph1_oumvlp17": Entry("OUMVLP/GaitGraph1/GaitGraph1_phase1_17", {"oumvlp": 4.25}),
    "gaitgraph1_grew": Entry(
        "GREW/GaitGraph1/GaitGraph1_phase1", {"grew_local": 9.82}, note=_LOCAL
    ),
    "gaitgraph1_gait3d": Entry("Gait3D/GaitGraph1/GaitGraph1_phase1", {"gait3d": 9.00}),
    "gaitgraph2_oumvlp": Entry(
        "OUMVLP/GaitGraph2/GaitGraph2_phase2", {"oumvlp": 62.10}, note=_CENTRE
    ),
    "gaitgraph2_oumvlp17": Entry("OUMVLP/GaitGraph2/GaitGraph2_phase2_17", {"oumvlp": 70.75}),
    "gaitgraph2_grew": Entry("GREW/GaitGraph2/GaitGraph2", {"grew_submission": 34.61}, note=_GREW),
    "gaitgraph2_gait3d": Entry("Gait3D/GaitGraph2/GaitGraph2", {"gait3d": 11.00}),
    "gaittr_oumvlp": Entry("OUMVLP/GaitTR/GaitTR", {"oumvlp": 40.31}),
    "gaittr_oumvlp17": Entry("OUMVLP/GaitTR/GaitTR_17", {"oumvlp": 39.78}, note=_LINK),
    "gaittr_grew": Entry("GREW/GaitTR/GaitTR", {"grew_submission": 48.60}, note=_GREW),
    "gaittr_gait3d": Entry("Gait3D/GaitTR/GaitTR", {"gait3d": 7.20}),
    "skeletongait_oumvlp17": Entry("OUMVLP/DeepGaitV2/SkeletonGait", {"oumvlp": 67.4}),
    "skeletongait_grew": Entry(
        "GREW/DeepGaitV2/SkeletonGait", {"grew_submission": 77.4}, note=_GREW
    ),
    "skeletongait_gait3d": Entry("Gait3D/DeepGaitV2/SkeletonGait", {"gait3d": 38.1}),
}


def entry(name: str) -> Entry:
    """The entry called `name`; DataError names the nearest ones."""
    if name not in ZOO:
        raise DataError(f"no zoo entry {name!r}; {nearest(name, ZOO)}")
    return ZOO[name]


def markdown() -> str:
    """The zoo as a Markdown table, with a column for numbers reproduced here."""
    head = ("config", "weights", "protocol", "published Rank-1", "reproduced here")
    rows = [
        (f"`{name}`", f"[{e.folder}]({_url(e)})", f"`{protocol}`", f"{rank1:.2f}", "")
        for name, e in ZOO.items()
        for protocol, rank1 in e.published.items()
    ]
    lines = [head, ("---", "---", "---", "---:", "---:"), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _url(e: Entry) -> str:
    return f"https://huggingface.co/{REPO}/tree/main/{e.folder}"


def _list() -> str:
    rows = [("name", "embedding", "published Rank-1", "protocol")] + [
        (name, e.embedding, f"{rank1:.2f}", protocol)
        for name, e in ZOO.items()
        for protocol, rank1 in e.published.items()
    ]
    a, b, c, _ = (max(map(len, column)) for column in zip(*rows, strict=True))
    return "\n".join(f"{n:{a}}  {e:{b}}  {r:>{c}}  {p}" for n, e, r, p in rows)


def _show(name: str) -> str:
    e = entry(name)
    published = ", ".join(f"{rank1:.2f} ({protocol})" for protocol, rank1 in e.published.items())
    facts = {
        "weights": _url(e),
        "embedding": e.embedding,
        "published": f"Rank-1 {published}; {SOURCE}",
        "note": e.note,
        "convert": f"python -m converters.opengait --zoo {name} --output {name}.npz",
        "evaluate": f"python -m gaitjax.evaluate --config {name} --checkpoint {name}.npz "
        "--config.data.root=DIR",
    }
    lines = [f"{fact + ':':11}{value}" for fact, value in facts.items() if value]
    about = importlib.import_module(f"configs.{name}").__doc__.strip()
    return "\n".join([name, *lines, "", about])


def _reproduce(args: argparse.Namespace, rest: list[str]) -> str:
    from gaitjax import reproduce, sharding

    sharding.start(multihost=False)
    config = reproduce.config_of(args.name, args.data_root, rest)
    workdir = Path(args.workdir or f"reproduce/{args.name}")
    if args.dry_run:
        lines = [
            f"{'have' if there else 'MISSING':8}{what}"
            + (f"\n        {source}" if not there else "")
            for what, there, source in reproduce.needs(args.name, config, workdir)
        ]
        return "\n".join(lines)
    row = reproduce.reproduce(
        args.name, config, workdir, args.seeds, args.revision, args.ground_truth
    )
    return f"wrote {workdir / 'reproduction.json'}" if row else ""


def _report(args: argparse.Namespace, rest: list[str]) -> str:
    from gaitjax import reproduce

    return reproduce.report(args.folders)


def main(argv: list[str] | None = None) -> int:
    parser = _parser()
    args, rest = parser.parse_known_args(argv)
    if rest and args.command != "reproduce":
        parser.error(f"unknown argument {rest[0]}")
    run = {
        "list": lambda *_: _list(),
        "table": lambda *_: markdown(),
        "show": lambda args, _: _show(args.name),
        "reproduce": _reproduce,
        "report": _report,
    }
    try:
        print(run[args.command](args, rest))
    except (ConfigError, DataError, WeightsError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    result = argparse.ArgumentParser(
        description="The released weights that gaitjax converts, and their published numbers.",
        epilog="example: python -m gaitjax.zoo reproduce gaitgraph2_oumvlp17 --data_root=DIR",
        allow_abbrev=False,
    )
    commands = result.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="every entry with its published number")
    show = commands.add_parser("show", help="one entry: weights, commands, what to know")
    show.add_argument("name", help="a name that `list` prints")
    commands.add_parser("table", help="the Markdown table of the README")
    again = commands.add_parser(
        "reproduce", help="fetch, convert, evaluate and compare", allow_abbrev=False
    )
    add = again.add_argument
    add("name", help="a name that `list` prints")
    add("--data_root", default="", help="prepared data set, <id>/<type>/<view>/*.pkl")
    add("--workdir", help="default: reproduce/NAME")
    add("--seeds", type=int, default=10, help="random test windows to average (default 10)")
    add("--revision", help="branch, tag or commit of the hub's repository")
    add("--ground_truth", help="csv of answers to score a GREW submission with")
    add("--dry_run", action="store_true", help="only say what is there and what is missing")
    collect = commands.add_parser("report", help="finished runs as a Markdown table")
    collect.add_argument("folders", nargs="+", help="folders with reproduction.json below them")
    return result


if __name__ == "__main__":
    sys.exit(main())
