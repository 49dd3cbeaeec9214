"""Trainings that are killed or interrupted at random moments: does every one end where it should?

python -m tests.programs.interrupt --count 30

Trains a tiny network once without disturbance. Then, again and again, sends SIGKILL, SIGINT or
SIGTERM at a random moment of the same run (start, compilation, step, save, evaluation) and runs it
to its end. It held if every array of the last checkpoint has the digest of the undisturbed run's,
every step is logged once, and the interrupted process said no traceback and ended with the status
that its signal asks for: 128 and its number, or 0 where the state was saved.
"""

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from gaitjax.training import metrics
from tests.helpers import tiny

SIGNALS = (signal.SIGKILL, signal.SIGINT, signal.SIGTERM)
STEPS = 12


def start(folder: Path, workdir: Path) -> subprocess.Popen:
    """The training, started."""
    more = ("steps=12", "save_every=2", "eval_every=4", "keep=2")
    fields = [f"--config.train.{field}" for field in more]
    return tiny.command("gaitjax.train", f"--workdir={workdir}", *tiny.arguments(folder, *fields))


def finish(folder: Path, workdir: Path) -> str:
    """Run the training to its end; what it said on stderr where that is none."""
    with start(folder, workdir) as process:
        _, errors = process.communicate()
    return errors if process.returncode else ""


def result(workdir: Path) -> tuple[dict, list[int]]:
    """Digests of the arrays of the last checkpoint, and the steps of the log."""
    meta = workdir / "checkpoints" / str(STEPS) / "meta" / "metadata"
    rows = map(json.loads, (workdir / metrics.FILE).read_text().splitlines())
    return json.loads(meta.read_text())["digests"], [row["step"] for row in rows if "loss" in row]


def disturbed(folder: Path, workdir: Path, number: int, after: float) -> str:
    """What was wrong with a run that got a signal after so many seconds; "" for nothing."""
    with start(folder, workdir) as process:
        try:
            process.wait(after)
        except subprocess.TimeoutExpired:
            process.send_signal(number)
        _, errors = process.communicate()
    allowed = (-number,) if number == signal.SIGKILL else (0, 128 + number, -number)
    if process.returncode not in (0, *allowed):
        return f"ended with {process.returncode}"
    if "Traceback" in errors:
        return "a traceback: " + errors[-300:]
    return finish(folder, workdir)[-300:]


def run(count: int, folder: Path, seed: int = 0) -> tuple[Counter, Counter, list[str]]:
    """How often each signal was sent, how often all held, and what did not."""
    rng, sent, held, wrong = random.Random(seed), Counter(), Counter(), []
    begin = time.monotonic()
    if errors := finish(folder, folder / "whole"):
        raise SystemExit(errors)
    duration, expected = time.monotonic() - begin, result(folder / "whole")
    for i in range(count):
        number, after = SIGNALS[i % len(SIGNALS)], rng.uniform(0, 1) * duration
        problem = disturbed(folder, workdir := folder / f"run{i}", number, after)
        if not problem and result(workdir) != expected:
            problem = "another result"
        sent[number.name] += 1
        held[number.name] += not problem
        if problem:
            wrong.append(f"{number.name} after {after:.1f} s of {duration:.1f}: {problem}")
    return sent, held, wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=6, help="signals (default 6)")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sent, held, wrong = run(args.count, Path(folder), args.seed)
    for name, times in sent.items():
        print(f"{name:8} {times} times, held {held[name]}")
    print(*wrong, sep="\n")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
