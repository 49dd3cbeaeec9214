"""What a record of measurements says about itself: machine, versions, command, commit."""

import os
import platform
import shlex
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import jax

from gaitjax import files


def machine() -> dict:
    """Device, processor, versions and load, for whoever reads the numbers later."""
    return {
        "device": jax.devices()[0].device_kind,
        "devices": jax.device_count(),
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "load_average": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "python": platform.python_version(),
        "jax": jax.__version__,
        "system": platform.system(),
    }


def processor() -> str:
    """The processor's name: numbers of one say little about another."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def commit() -> str:
    """The commit of this checkout, "-dirty" if files differ from it; else the version."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    folder = Path(__file__).parents[2]
    if not (folder / ".git").exists():
        return metadata.version("gaitjax")
    try:
        return subprocess.run(
            command, cwd=folder, check=True, capture_output=True, text=True
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return metadata.version("gaitjax")


def signed(record: dict, module: str, argv: list[str] | None) -> dict:
    """`record` with the "command" (None: sys.argv's) and the "commit" that made it."""
    arguments = sys.argv[1:] if argv is None else argv
    made = {"command": shlex.join(["python", "-m", module, *arguments]), "commit": commit()}
    return record | made


def write(path: Path, record: dict, module: str, argv: list[str] | None) -> None:
    """Writes `record`, signed."""
    files.write_json(path, signed(record, module, argv))
    print(f"\nwritten: {path}")
