"""One preparation from its arguments to its summary: which module makes it, and its options.

Data sets come from their records (`gaitjax.data.sets`). A module has HELP, HOLDS (patterns of
files below --source), add_arguments(parser) and plan(args) -> Plan, or a command line of its own,
main(arguments) -> exit status, as the tools that work on prepared sets may have.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from gaitjax import command, files
from gaitjax.data.sets import SETS, Preparation
from gaitjax.errors import DataError
from gaitjax.prepare import driver, summary
from gaitjax.prepare.driver import Plan
from gaitjax.prepare.source import data_folder
from gaitjax.untrusted import archives, links

TOOLS = (
    Preparation("maps", "maps", "skeleton maps of a prepared data set"),
    Preparation("link", "link", "maps and silhouettes side by side, for SkeletonGait++"),
    Preparation(
        "poses", "poses", "a person in your own video, found by AlphaPose, OpenPose, MMPose"
    ),
    Preparation("video", "video", "a person in your own video, found here: no estimator needed"),
    Preparation("pose_model", "pose_model", "fetch the networks that find people in videos"),
    Preparation("inspect", "inspect", "look at a prepared data set: statistics, pictures"),
)
_NOT_OF_THE_RESULT = ("output", "workers", "resume", "links", "debug")
COMMANDS = {p.command: p for p in (*(s.preparation for s in SETS.values()), *TOOLS) if p}


def module(name: str) -> ModuleType:
    """The module that makes `name`, a key of `COMMANDS`."""
    return importlib.import_module(f"gaitjax.prepare.{COMMANDS[name].module}")


def listed(name: str, arguments: list[str]) -> tuple[argparse.Namespace, Plan]:
    """The options of `name` in `arguments`, and what there is to do; reads no frame.

    Raises:
      DataError: the source is not what `name` needs.
    """
    made_by = module(name)
    args = _parser(name, made_by).parse_args(arguments)
    args.dataset = name
    if args.source:
        args.source = _source(args.source, args.output, made_by.HOLDS)
        if args.links == "refuse":
            links.refuse(args.source, "--links refuse")
    return args, made_by.plan(args)


def prepare(name: str, arguments: list[str]) -> dict:
    """Does what `python -m gaitjax.prepare name arguments` does; the record of summary.json.

    Raises:
      DataError: as `run`; or every sequence was dropped.
    """
    args, plan = listed(name, arguments)
    settings = {k: v for k, v in vars(args).items() if k not in _NOT_OF_THE_RESULT}
    output = files.expanded(args.output)
    record = driver.run(plan, output, settings=settings, workers=args.workers, resume=args.resume)
    print(summary.text(record), end="")
    if not record["sequences"]:
        raise DataError(
            f"every sequence was dropped; {output / driver.LOG} says why for each. Mend that and "
            "run it again, into the same folder"
        )
    print(f"\nprepared in {output}; log, summary and figure lie there too")
    return record


def _source(path: str, output: str, holds: Sequence[str]) -> str:
    """The folder to read, absolute; an archive is unpacked beside itself first."""
    source, target = (os.path.realpath(files.expanded(p)) for p in (path, output))
    if os.path.isfile(source) and (folder := archives.stem(source)):
        if os.path.isdir(folder):
            print(f"reading {folder}, which {source} was unpacked to before", file=sys.stderr)
        else:
            print(f"unpacking {source}", file=sys.stderr)
            archives.unpack(Path(source), Path(folder))
        source = folder
    if not os.path.isdir(source):
        known = ", ".join(archives.ENDINGS)
        found = f"is not a folder; expected a folder, or an archive ({known})"
        try:
            os.stat(source)
        except FileNotFoundError:
            found = "does not exist"
        raise DataError(f"{path} (--source) {found}; see --help for what it must hold")
    if f"{target}/".startswith(f"{source}/") or f"{source}/".startswith(f"{target}/"):
        raise DataError(f"{target} (--output) and {source} (--source) lie one in the other")
    inner = data_folder(source, holds)
    if inner != source:
        print(f"reading {inner}, all that {source} holds", file=sys.stderr)
    return inner


def _parser(name: str, made_by: ModuleType) -> argparse.ArgumentParser:
    result = command.parser(made_by.HELP, "", prog=f"python -m gaitjax.prepare {name}")
    add = result.add_argument
    add(
        "--source",
        required=not COMMANDS[name].fetches,
        metavar="DIR",
        help="see above",
    )
    add("--output", required=True, metavar="DIR", help="new or empty folder to prepare the data in")
    add(
        "--workers",
        type=_count,
        metavar="N",
        default=_cpus(),
        help="processes (default: one a CPU, %(default)s)",
    )
    add("--resume", action="store_true", help="go on with an earlier run that was cut short")
    add(
        "--links",
        choices=links.CHOICES,
        default="follow",
        metavar="RULE",
        help="follow (default) or refuse links that lead out of DIR",
    )
    made_by.add_arguments(result)
    return result


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value}; at least 1")
    return value


def _cpus() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
