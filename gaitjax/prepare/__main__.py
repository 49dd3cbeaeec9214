"""From a raw data set to a prepared one: python -m gaitjax.prepare <dataset> --source DIR ..."""

import sys

from gaitjax import command
from gaitjax.config import nearest
from gaitjax.prepare import preparation
from gaitjax.prepare.preparation import COMMANDS


def main(argv: list[str] | None = None) -> int:
    interrupted = "interrupted; what is finished stays: run it again with --resume to go on"
    return command.run(_main, argv, interrupted)


def _main(argv: list[str]) -> int:
    if not argv or argv[0] in ("-h", "--help"):
        print(_usage())
        return 0 if argv else 2
    name, rest = argv[0], argv[1:]
    if name not in COMMANDS:
        print(f"error: no data set {name!r}; {nearest(name, COMMANDS)}", file=sys.stderr)
        return 2
    module = preparation.module(name)
    if hasattr(module, "main"):
        return module.main(rest)
    preparation.prepare(name, rest)
    return 0


def _usage() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:{width}}  {p.reads}" for name, p in COMMANDS.items()]
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
