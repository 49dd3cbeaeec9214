"""What made a number: machine, versions, and the commit of this code."""

import functools
import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path

import jax


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


@functools.cache
def versions() -> dict[str, str]:
    """Versions of Python and of what numbers depend on."""
    names = ("gaitjax", "jax", "jaxlib", "flax", "numpy")
    return {"python": platform.python_version()} | {name: version(name) for name in names}


def version(package: str) -> str:
    """Of an installed package; of a folder on the path "not installed"."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


@functools.cache
def commit() -> str:
    """The commit of this checkout, "-dirty" if files differ from it; else the version."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    folder = Path(__file__).parents[2]
    if not (folder / ".git").exists():
        return version("gaitjax")
    try:
        return subprocess.run(
            command, cwd=folder, check=True, capture_output=True, text=True
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return version("gaitjax")
