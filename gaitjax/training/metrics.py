"""Metrics of a run: metrics.jsonl, TensorBoard, and progress on the screen."""

import contextlib
import json
import os
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from tqdm import tqdm


class MetricWriter:
    """Appends one JSON object per logged step to metrics.jsonl, and to TensorBoard.

    Only process 0 writes. `resume_step` drops what an interrupted run logged after the
    checkpoint it resumes from, so that the file equals an uninterrupted run's.
    """

    def __init__(self, workdir: Path, resume_step: int, active: bool = True):
        self.active = active
        if not active:
            return
        self._path = workdir / "metrics.jsonl"
        if self._path.exists():
            self._truncate(resume_step)
        self._file = self._path.open("a")
        from tensorboardX import SummaryWriter

        self._board = SummaryWriter(str(workdir / "tensorboard"), purge_step=resume_step + 1)

    def _truncate(self, resume_step: int) -> None:
        kept = []
        for line in self._path.read_text().splitlines():
            try:
                row = json.loads(line)
            except json.JSONDecodeError:
                continue
            if row["step"] <= resume_step:
                kept.append(line)
        temporary = self._path.with_suffix(".tmp")
        temporary.write_text("".join(line + "\n" for line in kept))
        os.replace(temporary, self._path)

    def write(self, step: int, values: dict[str, float]) -> None:
        """Record `values` at `step`."""
        if not self.active:
            return
        self._file.write(json.dumps({"step": step, **values}) + "\n")
        self._file.flush()
        for name, value in values.items():
            if isinstance(value, (int, float)):
                self._board.add_scalar(name, value, step)

    def close(self) -> None:
        """Flush and close the files."""
        if self.active:
            self._file.close()
            self._board.close()


class Progress:
    """Rate and time left of a loop of `total` steps: a bar on a terminal, else plain lines."""

    def __init__(self, start: int, total: int, unit: str, per_step: int, active: bool = True):
        self._total, self._unit, self._per_step = total, unit, per_step
        self._active = active
        self._clock, self._step = time.perf_counter(), start
        self._bar = tqdm(
            total=total, initial=start, unit="step", disable=not (active and sys.stderr.isatty())
        )

    def advance(self, steps: int = 1) -> None:
        """So many steps were dispatched."""
        self._bar.update(steps)

    def log(self, step: int, values: dict[str, float]) -> float:
        """Print `values` at `step`; returns the rate in units per second since the last call."""
        now = time.perf_counter()
        steps_per_second = (step - self._step) / max(now - self._clock, 1e-9)
        self._clock, self._step = now, step
        left = timedelta(seconds=round((self._total - step) / max(steps_per_second, 1e-9)))
        rate = steps_per_second * self._per_step
        if self._active:
            shown = "  ".join(f"{name} {value:.4g}" for name, value in values.items())
            tqdm.write(
                f"step {step}/{self._total}  {shown}  {rate:.1f} {self._unit}/s  left {left}",
                file=sys.stdout,
            )
            sys.stdout.flush()
        return rate

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Leave out of the rate what happens in this context (compiling, evaluation)."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self._clock += time.perf_counter() - start

    def close(self) -> None:
        self._bar.close()
