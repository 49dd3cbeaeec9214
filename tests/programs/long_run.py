"""Many steps of the smallest network: do memory and open files stay as they are?

python -m tests.programs.long_run --count 20000

Trains a tiny network on a few walkers in a process of its own, saving now and then, and looks
every second at what the kernel says of that process: resident memory, file descriptors, threads.
Prints a line for each twentieth of the run, and by how much memory grew in its second half.
Linux only, since it reads /proc.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from gaitjax.training import metrics
from tests.helpers import tiny
from tests.helpers.watching import Look, watch

LINES = 20


def last_step(path: Path) -> int:
    """The last step that is logged; 0 before the first."""
    try:
        with path.open("rb") as file:
            file.seek(max(path.stat().st_size - 4096, 0))
            return json.loads(file.read().splitlines()[-1])["step"]
    except (OSError, IndexError, ValueError):
        return 0


def growth(looks: list[tuple[int, Look]]) -> float:
    """Bytes of memory a step: a straight line through the second half of the steps."""
    half = [(step, look.memory) for step, look in looks if step > looks[-1][0] / 2]
    return float(np.polyfit(*zip(*half, strict=True), 1)[0])


def run(folder: Path, count: int, every: float = 1.0, *more: str) -> list[tuple[int, Look]]:
    """(steps done, look at the process) of a training run of `count` steps.

    Args:
      every: seconds between two looks.
      more: further arguments of the training.
    """
    workdir = folder / "out"
    given = (f"--workdir={workdir}", f"--config.train.steps={count}", "--config.train.keep=2")
    looks = []
    with (folder / "log").open("w") as log:
        arguments = tiny.arguments(folder, *given, *more)
        process = tiny.command("gaitjax.train", *arguments, output=log)
        for look in watch(process, every):
            looks.append((last_step(workdir / metrics.FILE), look))
    if process.returncode or last_step(workdir / metrics.FILE) != count:
        raise SystemExit(f"the run ended early:\n{(folder / 'log').read_text()[-2000:]}")
    return looks


def table(looks: list[tuple[int, Look]]) -> Iterator[str]:
    yield "seconds    step  memory/MiB  descriptors  threads"
    for i in np.unique(np.linspace(0, len(looks) - 1, LINES).round().astype(int)):
        step, look = looks[i]
        yield (
            f"{look.seconds:7.0f}{step:8}{look.memory / 2**20:12.1f}{look.descriptors:13}"
            f"{look.threads:9}"
        )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--count", type=int, default=1000, help="steps (default 1000)")
    add("--save_every", type=int, default=100, help="steps between two saves (default 100)")
    add("--eval_every", type=int, default=0, help="steps between two evaluations (default: none)")
    add("--log_every", type=int, default=10, help="steps between two logged ones (default 10)")
    args = parser.parse_args()
    more = [
        f"--config.train.{name}={vars(args)[name]}"
        for name in ("save_every", "eval_every", "log_every")
    ]
    with tempfile.TemporaryDirectory() as folder:
        looks = run(Path(folder), args.count, 1.0, *more)
    print(*table(looks), sep="\n")
    print(
        f"{args.count} steps in {looks[-1][1].seconds:.0f} s; in the second half of them memory "
        f"grew by {growth(looks) / 1024:.3f} KiB a step"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
