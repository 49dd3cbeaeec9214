"""From a raw data set to a prepared one: python -m gaitjax.prepare <dataset> --source DIR ..."""

import argparse
import importlib
import os
import sys
from pathlib import Path
from types import ModuleType

from gaitjax.config import nearest
from gaitjax.errors import DataError
from gaitjax.prepare import driver, summary
from gaitjax.prepare.driver import Plan
from gaitjax.prepare.source import unpack

# subcommand -> module, what it reads. A module has HELP, add_arguments(parser) and
# plan(args) -> Plan, or a command line of its own: main(arguments) -> exit status. One that
# can do without --source sets DOWNLOADS.
COMMANDS = {
    "oumvlp": ("sets.oumvlp", "OUMVLP-Pose: json for each frame, AlphaPose or OpenPose"),
    "grew": ("sets.grew", "GREW-Pose: text for each frame"),
    "gait3d": ("sets.gait3d", "Gait3D-Pose: text for each frame"),
    "casiab": ("sets.casiab", "CASIA-B poses: GaitGraph's csv, or ready pickles"),
    "sustech1k": ("pickles", "SUSTech1K: 16 pickles a sequence, of which 03 is the pose"),
    "ccpg": ("pickles", "CCPG: 18-joint pickles"),
    "cmu_walks": ("sets.cmu_walks", "walks of the CMU motion-capture database, free to use"),
    "opengait": ("pickles", "any folder of poses in OpenGait's layout"),
    "maps": ("maps", "skeleton maps of a prepared data set"),
    "link": ("link", "maps and silhouettes side by side, for SkeletonGait++"),
    "poses": ("poses", "a person in your own video, found by AlphaPose, OpenPose, MMPose"),
    "inspect": ("inspect", "look at a prepared data set: statistics, pictures"),
}


def main(argv: list[str] | None = None) -> int:
    argv = sys.argv[1:] if argv is None else list(argv)
    if not argv or argv[0] in ("-h", "--help"):
        print(_usage())
        return 0 if argv else 2
    name, rest = argv[0], argv[1:]
    if name not in COMMANDS:
        print(f"error: no data set {name!r}; {nearest(name, COMMANDS)}", file=sys.stderr)
        return 2
    module = _module(name)
    if hasattr(module, "main"):
        return module.main(rest)
    try:
        prepare(name, rest)
        return 0
    except DataError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(
            "\ninterrupted; what is finished stays: run it again with --resume to go on",
            file=sys.stderr,
        )
        return 130


def listed(name: str, arguments: list[str]) -> tuple[argparse.Namespace, Plan]:
    """The options of `name` in `arguments`, and what there is to do; reads no frame.

    Raises:
      DataError: the source is not what `name` needs.
    """
    module = _module(name)
    args = _parser(name, module).parse_args(arguments)
    args.dataset = name
    if args.source:
        args.source = _source(args.source, args.output)
    return args, module.plan(args)


def prepare(name: str, arguments: list[str]) -> dict:
    """Does what `python -m gaitjax.prepare name arguments` does; the record of summary.json.

    Raises:
      DataError: as `run`; or every sequence was dropped.
    """
    args, plan = listed(name, arguments)
    settings = {k: v for k, v in vars(args).items() if k not in ("output", "workers", "resume")}
    output = Path(args.output).expanduser()
    record = driver.run(plan, output, settings=settings, workers=args.workers, resume=args.resume)
    print(summary.text(record), end="")
    if not record["sequences"]:
        raise DataError(f"every sequence was dropped; {output / driver.LOG} says why for each")
    print(f"\nprepared in {output}; log, summary and figure lie there too")
    return record


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"gaitjax.prepare.{COMMANDS[name][0]}")


def _source(path: str, output: str) -> str:
    """The folder to read, absolute; an archive is unpacked beside itself first."""
    source, output = (os.path.realpath(os.path.expanduser(p)) for p in (path, output))
    if os.path.isfile(source) and source.endswith(".zip"):
        archive, source = source, source.removesuffix(".zip")
        if not os.path.isdir(source):
            print(f"unpacking {archive}", file=sys.stderr)
            unpack(archive, source)
    if not os.path.isdir(source):
        found = "is not a folder" if os.path.exists(source) else "does not exist"
        raise DataError(f"{path} (--source) {found}; see --help for what it must hold")
    if f"{output}/".startswith(f"{source}/") or f"{source}/".startswith(f"{output}/"):
        raise DataError(f"{output} (--output) and {source} (--source) lie one in the other")
    return source


def _parser(name: str, module: ModuleType) -> argparse.ArgumentParser:
    result = argparse.ArgumentParser(
        prog=f"python -m gaitjax.prepare {name}",
        description=module.HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = result.add_argument
    add(
        "--source",
        required=not getattr(module, "DOWNLOADS", False),
        metavar="DIR",
        help="see above",
    )
    add("--output", required=True, metavar="DIR", help="new or empty folder to prepare the data in")
    add(
        "--workers",
        type=_count,
        default=_cpus(),
        help="processes (default: one a CPU, %(default)s)",
    )
    add("--resume", action="store_true", help="go on with an earlier run that was cut short")
    module.add_arguments(result)
    return result


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value}; at least 1")
    return value


def _cpus() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _usage() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:{width}}  {what}" for name, (_, what) in COMMANDS.items()]
    return "\n".join(
        [
            "usage: python -m gaitjax.prepare <dataset> --source DIR --output DIR [options]",
            "",
            "Turns what one receives into the folders that training reads. Data sets:",
            *lines,
            "",
            "python -m gaitjax.prepare <dataset> --help says what DIR must hold.",
            "example: python -m gaitjax.prepare gait3d --source Gait3D-raw --output gait3d "
            "--partition Gait3D.json",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
