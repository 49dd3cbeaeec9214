"""Metrics of a run: metrics.jsonl, TensorBoard, and progress on the screen."""

import contextlib
import json
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TextIO

from tqdm import tqdm

from gaitjax import files

FILE = "metrics.jsonl"  # in the work directory


class MetricWriter:
    """Appends one JSON object per logged step to metrics.jsonl, and to TensorBoard.

    Only process 0 writes. `resume_step` drops what an interrupted run logged after the
    checkpoint it resumes from, so that the file equals an uninterrupted run's. A disk that takes
    no more is said once: a run is worth more than its log.
    """

    def __init__(self, workdir: Path, resume_step: int, active: bool = True):
        self._path, self._failed = workdir / FILE, False
        self._file: TextIO | None = None
        self._board: _Board | None = None
        if not active:
            return
        with self._said_once():
            if self._path.exists():
                kept = [line for row, line in _rows(self._path) if row["step"] <= resume_step]
                files.write_text(self._path, "".join(line + "\n" for line in kept))
            self._file = self._path.open("a")
            self._board = _Board(workdir / "tensorboard", resume_step)

    def write(self, step: int, values: dict[str, float]) -> None:
        """Record `values` at `step`."""
        if self._file is None or self._board is None:
            return
        with self._said_once():
            cut = "\n" if self._failed else ""  # what a full disk left of the line before
            self._file.write(cut + json.dumps({"step": step, **values}) + "\n")
            self._file.flush()
            self._board.write(step, values)

    def close(self) -> None:
        """Close the files."""
        for file in (self._file, self._board):
            with self._said_once():
                if file is not None:
                    file.close()

    @contextlib.contextmanager
    def _said_once(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if not self._failed:
                print(
                    f"{self._path}: cannot be written ({error.strerror or error}); training goes "
                    "on, and its log has gaps",
                    file=sys.stderr,
                    flush=True,
                )
            self._failed = True


class _Board:
    """Scalars for TensorBoard, written as they come.

    tensorboardX's own writer has a thread, which a full disk ends; whoever logs then waits for
    ever.
    """

    def __init__(self, folder: Path, resume_step: int):
        from tensorboardX import event_file_writer, summary
        from tensorboardX.proto import event_pb2

        folder.mkdir(exist_ok=True)
        self._writer = event_file_writer.EventsWriter(str(folder / "events"))
        self._event, self._scalar = event_pb2.Event, summary.scalar
        start = event_pb2.SessionLog(status=event_pb2.SessionLog.START)
        self._add(resume_step + 1, session_log=start)  # which drops later steps of a run before

    def _add(self, step: int, **content) -> None:
        self._writer.write_event(self._event(wall_time=time.time(), step=step, **content))

    def write(self, step: int, values: dict[str, float]) -> None:
        for name, value in values.items():
            if isinstance(value, (int, float)):
                self._add(step, summary=self._scalar(name, value))
        self._writer.flush()

    def close(self) -> None:
        self._writer.close()


def evaluated(workdir: Path, step: int) -> bool:
    """Whether metrics.jsonl has an evaluation of `step`."""
    path = workdir / FILE
    rows = [row for row, _ in _rows(path) if row["step"] == step] if path.exists() else []
    return any(name.startswith("eval/") for row in rows for name in row)


def _rows(path: Path) -> Iterator[tuple[dict, str]]:
    """The rows of metrics.jsonl and their lines, without what a kill or a full disk cut."""
    for line in path.read_text(errors="replace").splitlines():
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(row, dict) and isinstance(row.get("step"), int):
            yield row, line


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
