"""Evaluation of many sequences with the smallest network: how long, and how much memory?

python -m tests.programs.large_evaluation --count 100000

Writes walkers, each recording several times with other errors of the pose estimator, makes a
tiny network's weights, and evaluates them as a user would: `python -m gaitjax.evaluate`, twice,
since the first run packs the poses. Prints seconds, the largest memory, and by how much that is
more than an evaluation of a hundredth as many takes. Linux only, since it reads /proc.
"""

import argparse
import json
import pickle
import sys
import tempfile
import time
from pathlib import Path

import jax
import numpy as np

from gaitjax import models, weights
from gaitjax.config import from_arguments
from gaitjax.data import walkers
from gaitjax.training import step
from tests.helpers import tiny
from tests.helpers.watching import watch

RECORDINGS = tuple(f"nm-{number:02d}" for number in range(1, 26))  # the first is the gallery
FRAMES = 60
PEOPLE = 25  # of whom all others are noisy copies


def write(root: Path, count: int) -> int:
    """At least `count` sequences below `root`, in the layout of `own`; how many they are."""
    rng = np.random.default_rng(0)
    people = [walkers.identity(0, number, FRAMES)[0] for number in range(PEOPLE)]
    identities = -(-count // (len(RECORDINGS) * len(walkers.VIEWS)))
    names = [f"{number:05d}" for number in range(max(2, identities))]
    for number, name in enumerate(names):
        for kind in RECORDINGS:
            for view, walk in zip(walkers.VIEWS, people[number % PEOPLE], strict=True):
                seen = walk[..., 2:] > 0
                noise = rng.normal(0, 1, (*walk.shape[:2], 3)).astype(np.float32) * [1, 1, 0]
                folder = root / name / kind / view
                folder.mkdir(parents=True)
                found = np.where(seen, walk + noise, 0).astype(np.float32)
                (folder / f"{view}.pkl").write_bytes(pickle.dumps(found))
    partition = {"TRAIN_SET": [], "TEST_SET": names}
    (root / "partition.json").write_text(json.dumps(partition))
    return len(names) * len(RECORDINGS) * len(walkers.VIEWS)


def arguments(folder: Path) -> list[str]:
    return [
        *tiny.ARGUMENTS,
        f"--config.data.root={folder / 'data'}",
        f"--config.data.cache_dir={folder / 'cache'}",
        "--config.eval.batch_size=256",
    ]


def evaluate(folder: Path, *more: str) -> tuple[float, int, int]:
    """Seconds of an evaluation, and its largest memory in bytes: all, and without files."""
    begin, most, own = time.monotonic(), 0, 0
    with (folder / "log").open("w") as log:
        process = tiny.command(
            "gaitjax.evaluate",
            f"--checkpoint={folder / 'w.npz'}",
            *arguments(folder),
            *more,
            output=log,
        )
        for look in watch(process, 0.1):
            most, own = max(most, look.memory), max(own, look.anonymous)
    if process.returncode:
        raise SystemExit((folder / "log").read_text()[-2000:])
    return time.monotonic() - begin, most, own


def run(folder: Path, count: int) -> tuple[int, list[tuple[float, int, int]]]:
    """How many sequences were written, and what `evaluate` gave the first and the second time."""
    written = write(folder / "data", count)
    config = from_arguments("gaitgraph2_walkers", arguments(folder))
    network = models.build(config)
    variables = step.init_variables(config, network, jax.random.key(0), step.example_clips(config))
    weights.save(folder / "w.npz", variables, {"config": json.loads(config.to_json())})
    return written, [evaluate(folder) for _ in range(2)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=10_000, help="sequences (default 10000)")
    parser.add_argument("--folder", help="where to write them, some GB (default: temporary)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        _, (_, small) = run(Path(folder), args.count // 100)
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        written, found = run(Path(folder), args.count)
    for name, (seconds, most, own) in zip(("with packing", "again"), found, strict=True):
        print(
            f"{written} sequences, {name}: {seconds:.0f} s, memory {most / 2**30:.2f} GiB "
            f"({own / 2**30:.2f} without files), {(most - small[1]) / 2**30:.2f} GiB more than of "
            f"{args.count // 100}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
