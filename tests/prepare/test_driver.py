"""The driver of preparations: one result whatever happens on the way."""

import errno
import functools
import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from gaitjax import files
from gaitjax.data.partitions import UNFINISHED
from gaitjax.errors import DataError
from gaitjax.prepare import driver, summary
from gaitjax.prepare.__main__ import main
from gaitjax.untrusted import safe_pickle
from tests.helpers import raw_sets

SETTINGS = {"source": "somewhere"}


def make(job: driver.Job, dies: int = -1) -> driver.Made:
    """A sequence that is a function of the job: every fifth dropped, every seventh unusable."""
    number = job.files[0]
    if number == dies:
        os._exit(9)
    if number % 7 == 6:
        raise DataError(f"sequence {number} is no good")
    if number % 5 == 4:
        return driver.Made(None, {"frames without a person": 3})
    poses = np.random.default_rng(number).uniform(1, 90, (number % 20 + 1, 17, 3))
    poses[0, 3] = 0
    return driver.Made(poses, {"frames put in order": number} if number % 2 else {})


def plan(count: int = 6, **more) -> driver.Plan:
    jobs = [driver.Job(f"{i // 4:03d}", f"{i % 4:02d}", "090", (i,)) for i in range(count)]
    sets = dict(TRAIN_SET=["000"], TEST_SET=["001"])
    return driver.Plan(jobs, functools.partial(make, **more), sets, {"folders ignored": 2})


def prepare(output: Path, count: int = 6, workers=1, resume=False, settings=SETTINGS, **more):
    return driver.run(
        plan(count, **more), output, settings=settings, workers=workers, resume=resume
    )


def tree(root: Path) -> dict[str, bytes | None]:
    """Every file's bytes and every folder below `root`."""
    paths = sorted(root.rglob("*"))
    return {str(p.relative_to(root)): None if p.is_dir() else p.read_bytes() for p in paths}


@pytest.fixture
def no_figure(monkeypatch):
    monkeypatch.setattr(summary, "figure", lambda record: b"figure")


def test_what_is_written(tmp_path):
    record = prepare(tmp_path / "out")
    poses = make(driver.Job("000", "01", "090", (1,))).array.astype(np.float32)
    found = safe_pickle.load(tmp_path / "out/000/01/090/090.pkl")
    assert found.dtype == np.float32 and np.array_equal(found, poses)
    partition = json.loads((tmp_path / "out/partition.json").read_text())
    assert partition == dict(TRAIN_SET=["000"], TEST_SET=["001"])

    assert record == json.loads((tmp_path / "out/summary.json").read_text())
    assert (record["identities"], record["sequences"], record["dropped"]) == (2, 5, 1)
    assert record["frames"] == 1 + 2 + 3 + 4 + 6
    assert record["lengths"]["median"] == 3 and record["lengths"]["histogram"]["1-9"] == 5
    assert record["missing"]["left_ear"] == round(5 / 16, 6) and record["missing"]["nose"] == 0
    assert record["notes"] == {
        "folders ignored": 2,
        "frames put in order": 1 + 3 + 5,
        "frames without a person": 3,
    }
    assert record["suspicious"]["fewer than 10 frames"]["sequences"] == 5
    assert record["joints"] == {"17": 5}
    log = [json.loads(line) for line in (tmp_path / "out/prepare_log.jsonl").open()]
    assert [line["sequence"] for line in log] == [job.name for job in plan().jobs]
    assert log[4]["dropped"] == "frames without a person: 3"
    assert (
        "5 sequences, 16 frames; 1 sequences dropped" in (tmp_path / "out/summary.txt").read_text()
    )
    assert (tmp_path / "out/summary.png").read_bytes().startswith(b"\x89PNG")


def test_suspicious_sequences_are_named():
    def found(array):
        return summary.describe(np.asarray(array, np.float32))["suspicious"]

    rng = np.random.default_rng(0)
    good = rng.uniform(1, 90, (20, 17, 3)) / [1, 1, 90]
    assert found(good) == []
    assert found(good[:9]) == ["fewer than 10 frames"]
    assert found(np.repeat(good[:1], 20, axis=0)) == ["every frame the same"]
    assert found(np.where(np.arange(17)[:, None] < 9, 0, good)) == [
        "more than half of the joints missing"
    ]
    assert found(good * [1000, 1, 1]) == ["huge coordinates"]
    assert found(good * [1, 1, 0]) == ["no confidence"]
    assert found(good * [1, 1, 90]) == ["confidence below 0 or above 2"]
    blank = np.zeros((20, 64, 44), np.uint8)
    blank[:9] = rng.integers(1, 255, (9, 64, 44))
    assert summary.describe(blank)["suspicious"] == ["more than half of the frames blank"]


def test_any_number_of_workers_gives_the_same_bytes(tmp_path):
    prepare(tmp_path / "one", 40)
    prepare(tmp_path / "three", 40, workers=3)
    assert tree(tmp_path / "one") == tree(tmp_path / "three")


def test_a_kill_at_any_point_changes_nothing(tmp_path, monkeypatch, no_figure):
    """The folder as it is before and after each step, with torn journals, taken up again."""
    output, moments = tmp_path / "out", []

    def remember() -> None:
        if output.exists():
            moments.append(tmp_path / f"{len(moments)}")
            shutil.copytree(output, moments[-1], symlinks=True)

    replace, mkdir, unlink = os.replace, Path.mkdir, Path.unlink
    around = dict(replace=lambda *a: (remember(), replace(*a), remember()))
    monkeypatch.setattr(driver.os, "replace", around["replace"])
    monkeypatch.setattr(Path, "unlink", lambda *a, **k: (remember(), unlink(*a, **k)))
    monkeypatch.setattr(Path, "mkdir", lambda *a, **k: (mkdir(*a, **k), remember()))
    prepare(output)
    monkeypatch.undo()
    monkeypatch.setattr(summary, "figure", lambda record: b"figure")
    whole = tree(output)
    assert len(moments) > 20
    for number, moment in enumerate(moments):
        journal = moment / driver.WORK / driver.JOURNAL
        if journal.exists():
            os.truncate(journal, max(0, journal.stat().st_size - number % 30))
        prepare(moment, resume=True)
        assert tree(moment) == whole
    prepare(output, resume=True)  # one that is done
    assert tree(output) == whole


def test_what_a_journal_holds_is_not_made_again(tmp_path, monkeypatch, no_figure):
    prepare(tmp_path / "out")
    (tmp_path / "out/000/01/090/090.pkl").unlink()
    (tmp_path / "out/000/02/090/090.pkl").write_bytes(b"cut")
    made = []
    again = plan()._replace(make=lambda job: made.append(job.name) or make(job))
    driver.run(again, tmp_path / "out", settings=SETTINGS, workers=1, resume=True)
    assert made == ["000/01/090", "000/02/090"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES])
def test_no_space_or_permission(tmp_path, monkeypatch, no_figure, code):
    prepare(tmp_path / "whole")
    write = Path.write_bytes

    def failing(path: Path, data: bytes) -> int:
        if b"frames put in order" not in data and len(data) > 3 * 17 * 3 * 4:
            write(path, data[: len(data) // 2])
            raise OSError(code, os.strerror(code), str(path))
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", failing)
    with pytest.raises(DataError) as raised:
        prepare(tmp_path / "out")
    assert os.strerror(code) in str(raised.value) and "--resume" in str(raised.value)
    assert "of 6 sequences are finished" in str(raised.value)
    for path in (tmp_path / "out").rglob("*.pkl"):
        safe_pickle.load(path)  # whole
    assert not list((tmp_path / "out/.prepare").glob("new/*"))
    assert not [p for p in (tmp_path / "out").glob("*/*/*") if not list(p.iterdir())]
    monkeypatch.setattr(Path, "write_bytes", write)
    prepare(tmp_path / "out", resume=True)
    assert tree(tmp_path / "out") == tree(tmp_path / "whole")


def test_a_source_that_may_not_be_read_ends_the_run(tmp_path):
    def unreadable(job):
        if job.files[0] == 3:
            try:
                raise PermissionError(errno.EACCES, "Permission denied", "frame.txt")
            except OSError as error:
                raise DataError("frame.txt: Permission denied") from error
        return make(job)

    with pytest.raises(DataError, match="frame.txt: Permission denied\n3 of 6 .*--resume"):
        driver.run(
            plan()._replace(make=unreadable), tmp_path / "o", settings={}, workers=1, resume=False
        )


def test_a_worker_that_dies_is_an_error(tmp_path):
    with pytest.raises(DataError, match="worker process died.*--workers"):
        prepare(tmp_path / "out", 20, workers=2, dies=8)


def test_what_is_refused(tmp_path, no_figure):
    (tmp_path / "full").mkdir()
    (tmp_path / "full/thesis.tex").touch()
    for resume in (False, True):
        with pytest.raises(DataError, match="is not empty .*thesis.tex"):
            prepare(tmp_path / "full", resume=resume)
        assert os.listdir(tmp_path / "full") == ["thesis.tex"]
    prepare(tmp_path / "out")
    before = tree(tmp_path / "out")
    with pytest.raises(DataError, match="earlier run: --resume"):
        prepare(tmp_path / "out")
    with pytest.raises(DataError, match="begun with source = 'somewhere', now it is 'else'"):
        prepare(tmp_path / "out", resume=True, settings={"source": "else"})
    with pytest.raises(DataError, match="begun with sequences = 6, now it is 7"):
        prepare(tmp_path / "out", count=7, resume=True)
    with files.lock(tmp_path / "out/.prepare"), pytest.raises(DataError, match="another run"):
        prepare(tmp_path / "out", resume=True)
    assert tree(tmp_path / "out") == before

    jobs = plan().jobs
    for bad, why in (
        ([], "no sequence"),
        ([*jobs, jobs[2]], "two sequences .* 000/02/090"),
        ([jobs[0]._replace(view="..")], "name of a folder"),
        ([jobs[0]._replace(label="a/b")], "name of a folder"),
        ([jobs[0]._replace(kind="\udcff")], "name of a folder"),
    ):
        with pytest.raises(DataError, match=why):
            driver.run(
                plan()._replace(jobs=bad), tmp_path / "new", settings={}, workers=1, resume=False
            )
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    "array", [np.zeros((0, 17, 3)), np.zeros((4, 17)), np.full((4, 17, 3), np.nan)]
)
def test_arrays_that_no_reader_could_use_are_dropped(tmp_path, no_figure, array):
    bad = plan()._replace(make=lambda job: driver.Made(array, {}))
    record = driver.run(bad, tmp_path / "out", settings={}, workers=1, resume=False)
    assert record["sequences"] == 0 and record["dropped"] == 6
    assert not list((tmp_path / "out").rglob("*.pkl"))


def command(*args: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "gaitjax.prepare", *args],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        cwd=Path(__file__).parents[2],
    )


def await_lines(journal: Path, count: int) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if journal.exists() and journal.read_bytes().count(b"\n") >= count:
            return
        time.sleep(0.002)
    raise TimeoutError(journal)


def group_is_gone(group: int) -> bool:
    for _ in range(500):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.02)
    return False


def test_killed_and_interrupted_on_the_command_line(tmp_path):
    raw = raw_sets.many(tmp_path / "raw", 300)
    common = ["gait3d", "--source", str(raw), "--output"]
    assert main([*common, str(tmp_path / "whole"), "--workers", "1"]) == 0

    out = tmp_path / "out"
    arguments = [*common, str(out), "--workers", "2"]
    with command(*arguments) as process:
        await_lines(out / ".prepare/journal.jsonl", int(np.random.default_rng().integers(1, 60)))
        process.kill()
        process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert group_is_gone(process.pid)
    with command(*arguments, "--resume") as process:
        begun = (out / ".prepare/journal.jsonl").read_bytes().count(b"\n")
        await_lines(out / ".prepare/journal.jsonl", begun + 5)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal sends it
        text, error = process.communicate()
    assert process.returncode == 130, error
    assert error.strip().startswith("interrupted") and len(error.strip().splitlines()) == 1
    assert group_is_gone(process.pid)
    assert tree(out) != tree(tmp_path / "whole")
    assert main([*arguments, "--resume"]) == 0
    assert tree(out) == tree(tmp_path / "whole")


def test_a_refused_second_run_harms_nothing(tmp_path, no_figure):
    """Started while the first one makes a sequence: the first one's half-made files stay."""
    output = tmp_path / "out"

    def made(job):
        if job.files[0] == 2:
            half = output / ".prepare/new/half-made"
            half.write_bytes(b"half")
            for resume in (False, True):
                with pytest.raises(DataError, match="another run is writing there: process"):
                    prepare(output, resume=resume)
            assert half.read_bytes() == b"half"
        return make(job)

    driver.run(plan()._replace(make=made), output, settings=SETTINGS, workers=1, resume=False)
    prepare(tmp_path / "alone")
    assert tree(output) == tree(tmp_path / "alone")


@pytest.mark.parametrize("resume", [False, True])
def test_after_every_sequence_was_dropped_it_begins_anew(tmp_path, no_figure, resume):
    none = plan()._replace(make=lambda job: driver.Made(None, {"no frame": 1}))
    record = driver.run(none, tmp_path / "out", settings={"pick": "a"}, workers=1, resume=False)
    assert record["dropped"] == 6 and (tmp_path / "out/prepare_log.jsonl").exists()
    assert (tmp_path / "out" / UNFINISHED).exists()  # not to be trained on
    prepare(tmp_path / "out", resume=resume)
    prepare(tmp_path / "alone")
    assert tree(tmp_path / "out") == tree(tmp_path / "alone")


def test_pickles_are_read_by_others(tmp_path, no_figure):
    prepare(tmp_path / "out")
    with open(tmp_path / "out/000/00/090/090.pkl", "rb") as file:
        assert pickle.load(file).shape == (1, 17, 3)
