"""The driver of every preparation: makes sequences in parallel, and goes on after a kill.

A sequence is written under a temporary name, moved into place, then entered in a journal.
Killed at any point, a run with `resume` makes what the journal does not hold and ends with
the same bytes: what a job gives depends on the job alone, and log and summary are written
in the order of the jobs, without times.

    <output>/<label>/<kind>/<view>/<view>.pkl   float32 (T, V, 3) poses or uint8 images
    <output>/partition.json                     if the plan has one
    <output>/prepare_log.jsonl                  one line a sequence: what it holds, why dropped
    <output>/summary.txt, .json, .png
    <output>/.prepare/                          settings; the journal while unfinished
"""

import contextlib
import functools
import hashlib
import json
import os
import pickle
import re
import shutil
from collections.abc import Callable, Generator, Iterator
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from gaitjax import files, progress
from gaitjax.data.partitions import PARTITION_FILE, UNFINISHED
from gaitjax.errors import DataError
from gaitjax.prepare import parallel, summary

WORK, JOURNAL = os.path.split(UNFINISHED)
LOG = "prepare_log.jsonl"
_SETTINGS = "settings.json"
_SUMMARIES = ("summary.json", "summary.txt", "summary.png")
_NAME = re.compile(r"[^./\\\0\ud800-\udfff][^/\\\0\ud800-\udfff]*")  # of a folder, in UTF-8


class Job(NamedTuple):
    """One sequence to make.

    Attributes:
      label, kind, view: identity, type and view; it becomes <label>/<kind>/<view>/<view>.pkl.
      files: what it is made from: paths relative to the source, or any picklable tuple.
    """

    label: str
    kind: str
    view: str
    files: tuple

    @property
    def name(self) -> str:
        return f"{self.label}/{self.kind}/{self.view}"


class Made(NamedTuple):
    """What became of a job.

    Attributes:
      array: (T, V, 3) poses x, y, confidence with missing joints as (0, 0, 0), written as
        float32; or uint8 images, written as they are; or None: the sequence is dropped.
      notes: reason -> count, as {"frames without a person": 3}; a dropped sequence has one
        that says why.
      parts: if not None, the files to write instead of <view>.pkl, by name: arrays, or
        paths to link to; `array` is then only described in the log.
    """

    array: np.ndarray | None
    notes: dict[str, int]
    parts: dict[str, np.ndarray | Path] | None = None


class Plan(NamedTuple):
    """All there is to do.

    Attributes:
      jobs: in the order of the log.
      make: picklable, a function of the job alone. A DataError drops the sequence, with its
        text in the log; one caused by the file system (no permission, an input error) ends
        the run.
      partition: written as partition.json, if not None.
      notes: reason -> count, noticed while listing.
      in_process: `make` is not to run in worker processes.
    """

    jobs: list[Job]
    make: Callable[[Job], Made]
    partition: dict | None = None
    notes: dict[str, int] = {}
    in_process: bool = False


def run(
    plan: Plan, output: str | os.PathLike, *, settings: dict, workers: int, resume: bool
) -> dict:
    """Makes every sequence of `plan` under `output`, then log and summary.

    Args:
      plan: see `Plan`.
      output: folder; made if it does not exist, empty unless `resume`.
      settings: what the result depends on, JSON-able; kept, and compared on `resume`.
      workers: processes.
      resume: go on with what an earlier run with the same settings left.

    Returns:
      The record of summary.json.

    Raises:
      DataError: no or colliding jobs, a non-empty output, other settings, another run at
        work, no space or permission, a worker that died. Sequences already finished stay.
    """
    output = Path(output)
    _check(plan.jobs)
    digest = hashlib.sha256("\n".join(repr(tuple(job)) for job in plan.jobs).encode()).hexdigest()
    settings = json.loads(
        json.dumps(settings | {"sequences": len(plan.jobs), "source sha256": digest})
    )
    done: dict[str, dict] = {}

    def unfinished(what: str) -> DataError:
        return DataError(
            f"{what}\n{len(done)} of {len(plan.jobs)} sequences are finished in {output}; mend "
            "this and run the same command with --resume to go on"
        )

    _check_output(output)
    try:
        with _alone(output / WORK):
            done.update(_begin(output, settings, resume))
            todo = [job for job in plan.jobs if job.name not in done]
            make_one = functools.partial(_one, plan.make, output)
            in_process = plan.in_process or workers <= 1 or len(todo) < 2
            made: Generator[dict, None, None] = (
                (make_one(job) for job in todo)
                if in_process
                else parallel.unordered(make_one, todo, min(workers, len(todo)))
            )
            with (
                contextlib.closing(made),
                open(output / WORK / JOURNAL, "ab", buffering=0) as journal,
            ):
                for line in progress.each(made, len(plan.jobs), "preparing", done=len(done)):
                    journal.write(_json_line(line))
                    done[line["sequence"]] = line
            return _finish(output, plan, settings, [done[job.name] for job in plan.jobs])
    except OSError as error:
        where = error.filename or output
        raise unfinished(f"{where}: {error.strerror or error}") from error
    except _Stopped as error:
        raise unfinished(str(error)) from error
    except BrokenProcessPool as error:
        raise unfinished("a worker process died; out of memory? Try fewer --workers") from error
    except MemoryError as error:
        raise unfinished("out of memory; try fewer --workers") from error


class _Stopped(Exception):
    """The source cannot be read: to be mended, not to be skipped."""


def _check(jobs: list[Job]) -> None:
    if not jobs:
        raise DataError("no sequence found in the source; compare its folders with --help")
    seen = set()
    for job in jobs:
        for part in job[:3]:
            if not _NAME.fullmatch(part):
                raise DataError(
                    f"{job.name!r} ({job.files[:1]}): {part!r} cannot be the name of a folder; "
                    "rename it in the source"
                )
        if job.name in seen:
            raise DataError(
                f"two sequences of the source would become {job.name}, one of them from "
                f"{job.files[:1]}; remove or rename one"
            )
        seen.add(job.name)


@contextlib.contextmanager
def _alone(work: Path) -> Iterator[None]:
    """`work` is ours, and what is half-made in it goes when we leave, or before we begin."""
    with files.lock(work):
        shutil.rmtree(work / "new", ignore_errors=True)
        try:
            yield
        finally:
            shutil.rmtree(work / "new", ignore_errors=True)


def _check_output(output: Path) -> None:
    """DataError if `output` holds what this command has not made."""
    others = [name for name in os.listdir(output) if name != WORK] if output.exists() else []
    if others and not (output / WORK / _SETTINGS).exists():
        raise DataError(
            f"{output} is not empty (it holds {others[0]}, {len(others)} entries in all) and was "
            "not made by this command; give an empty or a new folder"
        )


def _begin(output: Path, settings: dict, resume: bool) -> dict[str, dict]:
    """Checks what an earlier run left and starts a journal; the lines of finished sequences.

    After a run that went through and dropped every sequence it is begun anew, whatever the
    settings were.
    """
    work = output / WORK
    journal = work / JOURNAL
    done = {}
    if (work / _SETTINGS).exists():
        lines = list(_lines(journal if journal.exists() else output / LOG))
        if (output / LOG).exists() and not any(line["files"] for line in lines):
            for name in (PARTITION_FILE, LOG, *_SUMMARIES):
                (output / name).unlink(missing_ok=True)
        elif not resume:
            raise DataError(
                f"{output} holds an earlier run: --resume goes on with it; or give another "
                "--output, or remove the folder"
            )
        else:
            _compare(work / _SETTINGS, settings)
            done = {line["sequence"]: line for line in lines if _is_there(output, line)}
    (work / "new").mkdir()
    _replace(work, journal, b"".join(map(_json_line, done.values())))
    _replace(work, work / _SETTINGS, (json.dumps(settings, indent=1) + "\n").encode())
    return done


def _is_there(output: Path, line: dict) -> bool:
    """Whether the files of a journal's line are there, whole."""
    folder = output / line["sequence"]
    with contextlib.suppress(FileNotFoundError):
        return all(os.lstat(folder / f).st_size == n for f, n in line["files"].items())
    return False


def _compare(path: Path, settings: dict) -> None:
    try:
        before = json.loads(path.read_bytes())
    except ValueError:
        before = {}
    changed = [key for key in {**before, **settings} if before.get(key) != settings.get(key)]
    if changed:
        key = changed[0]
        raise DataError(
            f"{path.parents[1]} was begun with {key} = {before.get(key)!r}, now it is "
            f"{settings.get(key)!r}: the result would be a mixture. Give the same options and "
            "source, or another --output"
        )


def _lines(path: Path) -> Iterator[dict]:
    """The whole lines of a journal; what a kill cut short is left out."""
    if path.exists():
        for line in path.read_bytes().split(b"\n")[:-1]:
            with contextlib.suppress(ValueError):
                yield json.loads(line)


def _json_line(value: dict) -> bytes:
    return (json.dumps(value) + "\n").encode()


def _one(make: Callable[[Job], Made], output: Path, job: Job) -> dict:
    """Makes and writes one sequence; its line of the journal."""
    line: dict[str, Any] = {"sequence": job.name, "files": {}}
    try:
        array, notes, parts = make(job)
        array = None if array is None else _checked(array)
    except DataError as error:
        cause = error.__cause__
        if isinstance(cause, OSError) and not isinstance(cause, FileNotFoundError):
            raise _Stopped(str(error)) from None
        return line | {"dropped": str(error), "notes": {"sequences that cannot be used": 1}}
    if array is None:
        why = ", ".join(f"{reason}: {count}" for reason, count in notes.items())
        return line | {"dropped": why, "notes": notes}
    folder = output / job.name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in (parts or {f"{job.view}.pkl": array}).items():
            if isinstance(content, Path):
                content = os.path.relpath(content, folder)
            else:
                content = pickle.dumps(np.ascontiguousarray(content), protocol=4)
            _replace(output / WORK, folder / name, content)
            line["files"][name] = len(os.fsencode(content))
    except OSError:
        _remove(folder)
        raise
    return line | summary.describe(array) | {"notes": notes}


def _remove(folder: Path) -> None:
    """Takes an unfinished sequence away, and its type and identity where they are left empty."""
    shutil.rmtree(folder, ignore_errors=True)
    with contextlib.suppress(OSError):
        folder.parent.rmdir()
        folder.parent.parent.rmdir()


def _checked(array: np.ndarray) -> np.ndarray:
    """The array as it is written; DataError for what no reader could use."""
    if not array.size:
        raise DataError("no frame left")
    if array.dtype == np.uint8:
        return array
    if array.ndim != 3 or array.shape[2] != 3:
        raise DataError(f"shape {array.shape}; expected (frames, joints, 3)")
    with np.errstate(over="ignore", invalid="ignore"):
        array = array.astype(np.float32)
    if not np.isfinite(array).all():
        raise DataError("numbers that are infinite or not a number")
    return array


def _replace(work: Path, path: Path, content: bytes | str) -> None:
    """Makes `path` a file of these bytes, or a link to this path, whole or not at all."""
    with files.whole(path, sync=False, within=work / "new") as temporary:
        if isinstance(content, str):
            os.symlink(content, temporary)
        else:
            temporary.write_bytes(content)


def _finish(output: Path, plan: Plan, settings: dict, lines: list[dict]) -> dict:
    """Partition, summary and log; the journal goes last."""
    record = summary.record(lines, plan.notes, settings)
    work = output / WORK
    if plan.partition is not None:
        partition = json.dumps(plan.partition, indent=1) + "\n"
        _replace(work, output / PARTITION_FILE, partition.encode())
    text = (json.dumps(record, indent=1) + "\n").encode(), summary.text(record).encode()
    for name, content in zip(_SUMMARIES, (*text, summary.figure(record)), strict=True):
        _replace(work, output / name, content)
    _replace(work, output / LOG, b"".join(map(_json_line, lines)))
    if record["sequences"]:  # else it is not prepared, and the next run begins anew
        (work / JOURNAL).unlink()
    return record
