"""What a record of measurements says about itself: machine, versions, command, commit."""

import shlex
import sys
from pathlib import Path

from gaitjax import files
from gaitjax.command.origin import commit as commit
from gaitjax.command.origin import machine as machine
from gaitjax.command.origin import processor as processor


def signed(record: dict, module: str, argv: list[str] | None) -> dict:
    """`record` with the "command" (None: sys.argv's) and the "commit" that made it."""
    arguments = sys.argv[1:] if argv is None else argv
    made = {"command": shlex.join(["python", "-m", module, *arguments]), "commit": commit()}
    return record | made


def write(path: Path, record: dict, module: str, argv: list[str] | None) -> None:
    """Writes `record`, signed."""
    files.write_json(path, signed(record, module, argv))
    print(f"\nwritten: {path}")
