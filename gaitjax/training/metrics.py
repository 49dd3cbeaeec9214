"""Metrics of a run: metrics.jsonl and TensorBoard."""

import contextlib
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

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
