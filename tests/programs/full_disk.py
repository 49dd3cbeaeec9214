"""Every command that writes, on a disk that is too small: one line, and nothing half-written used?

python -m tests.programs.full_disk --count 5       (as root: it mounts a tmpfs)

Each command writes to a disk of a random size, too small for all of it. It must end with a line or
two on stderr and no traceback, or go on where what it cannot write is a log or a cache. Then the
disk is made larger and the same command is given again: it must end well.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.helpers import tiny

LINES = 3  # of stderr, at most
ENOUGH = "64m"


def commands(folder: Path, disk: Path) -> dict[str, tuple[int, list[str]]]:
    """What writes to `disk`: name -> (bytes of a disk too small for it, its arguments)."""
    given = tiny.arguments(folder)
    network = [a for a in given if a.startswith("--config.model")]
    training = [*given, "--config.train.steps=4", "--config.train.save_every=2"]
    named = ["--config", "gaitgraph2_walkers"]
    evaluation = ["gaitjax.evaluate", *named, "--save_embeddings", "--checkpoint"]
    resumed = [*training, "--config.train.steps=6", "--config.schedule.name=multistep"]
    small = f"--config.data.cache_dir={disk / 'cache'}"
    export = ["converters.to_opengait", *named, *network, "--checkpoint", f"{folder / 'good'}"]
    source = ["gaitjax.prepare", "opengait", "--source", f"{folder / 'walkers'}"]
    made = ["gaitjax.data.walkers", "--identities", "8", "--test_identities", "4"]
    out = f"{disk / 'out'}"
    return {
        "train": (500_000, ["gaitjax.train", *named, "--workdir", out, *resumed]),
        "pack": (150_000, ["gaitjax.train", *named, *training, small, "--workdir",
                           f"{folder / 'packed'}"]),
        "evaluate": (60_000, [*evaluation, f"{folder / 'good'}", "--workdir", out, *given]),
        "prepare": (300_000, [*source, "--output", out]),
        "walkers": (1_000_000, [*made, "--output", out]),
        "export": (60_000, [*export, "--output", f"{disk / 'm.pt'}"]),
    }  # fmt: skip


def call(arguments: list[str]) -> tuple[int, list[str]]:
    """Exit status and lines of stderr of a command."""
    done = subprocess.run(
        [sys.executable, "-m", *arguments], capture_output=True, text=True, cwd=tiny.ROOT
    )
    return done.returncode, done.stderr.splitlines()


def mounted(disk: Path, size: str) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", disk], check=True)


def problem_of(name: str, arguments: list[str], disk: Path, size: int) -> str:
    """What was wrong with a command on a disk of so many bytes; "" for nothing."""
    mounted(disk, f"{size}")
    try:
        status, errors = call(arguments)
        if any("Traceback" in line for line in errors) or len(errors) > LINES:
            return f"{len(errors)} lines, among them: {errors[-1][:200]}"
        if status not in (0, 1):
            return f"status {status}"
        subprocess.run(["mount", "-o", f"remount,size={ENOUGH}", disk], check=True)
        again = ["--resume"] if name == "prepare" and status else []
        status, errors = call([*arguments, *again])
        return f"not with room either: {errors[-1:]}" if status else ""
    finally:
        subprocess.run(["umount", disk], check=True)


def run(count: int, folder: Path, seed: int = 0) -> Iterator[tuple[str, int, str]]:
    """(command, bytes of the disk, what was wrong) of every try."""
    rng, disk = random.Random(seed), folder / "disk"
    disk.mkdir()
    training = [*tiny.arguments(folder), "--config.train.steps=4"]
    named = ["--config", "gaitgraph2_walkers", "--workdir", f"{folder / 'good'}"]
    status, errors = call(["gaitjax.train", *named, *training])
    if status:
        raise SystemExit("\n".join(errors))
    for _ in range(count):
        for name, (most, arguments) in commands(folder, disk).items():
            size = rng.randrange(4096, most)
            yield name, size, problem_of(name, arguments, disk, size)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=1, help="sizes of the disk (default 1)")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    if os.geteuid():
        parser.error("only root may mount a disk")
    tried: dict[str, list[str]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, size, problem in run(args.count, Path(folder), args.seed):
            tried.setdefault(name, []).append(problem)
            if problem:
                print(f"{name}, {size} bytes: {problem}", flush=True)
    for name, problems in tried.items():
        print(f"{name:10} {len(problems)} times, held {problems.count('')}")
    return int(any(any(problems) for problems in tried.values()))


if __name__ == "__main__":
    sys.exit(main())
