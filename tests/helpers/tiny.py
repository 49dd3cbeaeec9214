"""A tiny GaitGraph2 on a few synthetic walkers, for tests of the programs."""

import os
import subprocess
import sys
from pathlib import Path
from typing import TextIO

from ml_collections import ConfigDict

from gaitjax.config import from_arguments
from gaitjax.data import walkers

ROOT = Path(__file__).parents[2]
ARGUMENTS = (
    "--config.model.branch=5,8,8",
    "--config.model.main=8,16",
    "--config.model.reduction=2",
    "--config.model.embedding_dim=16",
    "--config.train.batch_size=16",
    "--config.train.frames=12",
    "--config.train.log_every=1",
    "--config.train.save_minutes=0",
    "--config.eval.frames=12",
    "--config.eval.window=center",
    "--config.eval.batch_size=32",
)


def arguments(folder: Path, *more: str) -> list[str]:
    """Command-line arguments of a tiny run whose data and cache lie in `folder`."""
    root = walkers.generate(folder / "walkers", identities=8, test_identities=4, frames=20)
    where = [f"--config.data.root={root}", f"--config.data.cache_dir={folder / 'cache'}"]
    return [*ARGUMENTS, *where, *more]


def config(folder: Path, *more: str) -> ConfigDict:
    """The config of a tiny run."""
    return from_arguments("gaitgraph2_walkers", arguments(folder, *more))


def command(
    module: str, *args: str, devices: int = 1, output: TextIO | None = None, **variables: str
) -> subprocess.Popen:
    """`python -m module --config gaitgraph2_walkers args`, started.

    Its output goes to the file `output`, or is captured; `variables` are added to its environment.
    """
    environment = dict(os.environ, PYTHONUNBUFFERED="1", **variables)
    environment["XLA_FLAGS"] = f"--xla_force_host_platform_device_count={devices}"
    return subprocess.Popen(
        [sys.executable, "-m", module, "--config", "gaitgraph2_walkers", *args],
        stdout=output or subprocess.PIPE,
        stderr=output or subprocess.PIPE,
        text=True,
        env=environment,
        cwd=ROOT,
    )


def run(module: str, *args: str, devices: int = 1) -> subprocess.CompletedProcess:
    """`command`, waited for."""
    with command(module, *args, devices=devices) as process:
        out, err = process.communicate(timeout=300)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)
