"""No run is lost: refused before its first step, saved before it is scored, resumed if damaged."""

import json
import subprocess
import sys

import pytest

from gaitjax import files
from gaitjax.command import host_memory
from gaitjax.errors import ConfigError, DamagedError, DataError, TrainingError
from gaitjax.evaluation.trial import Trial
from gaitjax.performance import memory
from gaitjax.train import main, train
from gaitjax.training import metrics
from tests.helpers import tiny

pytestmark = pytest.mark.usefixtures("quick")


def config(folder, *more: str):
    return tiny.config(folder, *[f"--config.{f}" for f in ("train.save_every=2", *more)])


def logged(workdir) -> list[dict]:
    return [json.loads(line) for line in (workdir / "metrics.jsonl").read_text().splitlines()]


def steps(workdir) -> list[int]:
    return sorted(int(p.name) for p in (workdir / "checkpoints").iterdir() if p.name.isdigit())


############################################################ evaluation


@pytest.mark.parametrize(
    "fields, said",
    [
        (["eval.protocol=casiab", "eval.probe_types=()"], "name both gallery_types"),
        (["eval.gallery_types=nope,", "eval.probe_types=nm-02,"], "nope"),
        (["eval.protocol=gait3d", "eval.gallery_types=()", "eval.probe_types=()"], "PROBE_SET"),
        (["eval.embedding=embed_2"], "embed_2.*the network gives embed_1"),
    ],
)
def test_an_evaluation_that_cannot_work_is_refused_before_the_first_step(tmp_path, fields, said):
    with pytest.raises((ConfigError, DataError), match=said):
        train(config(tmp_path, "train.steps=1", *fields), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_state_is_on_disk_before_it_is_scored(tmp_path, monkeypatch):
    c, out = config(tmp_path, "train.steps=1"), tmp_path / "out"
    with monkeypatch.context() as patch:

        def fails(trial, variables):
            assert steps(out) == [1]
            raise DataError("a damaged test file")

        patch.setattr(Trial, "record", fails)
        with pytest.raises(DataError, match="damaged test file"):
            train(c, out)
    assert steps(out) == [1]
    _, last = train(c, out)  # goes on with what is missing: the evaluation
    assert "Rank-1" in last["evaluation"]["headline"]
    assert [sorted(row)[:1] for row in logged(out)] == [["grad_norm"], ["eval/Rank-1"]]
    assert train(c, out)[1] == {} and len(logged(out)) == 2


############################################################ checkpoints


def test_a_damaged_checkpoint_is_put_aside_and_the_next_older_one_taken(tmp_path, capsys):
    c, out = config(tmp_path, "train.steps=4"), tmp_path / "out"
    train(c, out)
    before = logged(out)
    manifest = out / "checkpoints/4/state/manifest.ocdbt"
    manifest.write_bytes(manifest.read_bytes()[:60])
    with pytest.raises(DamagedError, match="checkpoints/4"):
        train(c, out, strict_resume=True)
    capsys.readouterr()
    state, _ = train(c, out)
    said = capsys.readouterr().out
    line = next(line for line in said.splitlines() if "checkpoints/4" in line)
    assert "cannot be read" in line and line.endswith("going on from step 2")
    assert int(state["step"]) == 4 and steps(out) == [2, 4] and (out / "damaged/4").is_dir()
    for ours, theirs in zip(logged(out), before, strict=True):
        assert ours["step"] == theirs["step"] and ours.get("loss") == theirs.get("loss")


def test_all_damaged_is_said(tmp_path):
    c, out = config(tmp_path, "train.steps=2"), tmp_path / "out"
    train(c, out)
    (out / "checkpoints/2/meta/metadata").write_text("{")
    with pytest.raises(DamagedError, match="checkpoints/2/meta/metadata"):
        train(c, out)
    assert steps(out) == [2]


############################################################ work directory

HOLD = """
import sys
from gaitjax import files
with files.lock(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_two_trainings_in_one_work_directory_are_refused(tmp_path, capsys):
    out = tmp_path / "out"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(out)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout.readline() == b"held\n"
        arguments = tiny.arguments(tmp_path, "--config.train.steps=1")
        assert main(["--config=gaitgraph2_walkers", f"--workdir={out}", *arguments]) == 1
        error = capsys.readouterr().err
        assert error.count("\n") == 1 and f"process {other.pid}" in error
        other.kill()
    train(config(tmp_path, "train.steps=1"), out)  # its owner is gone
    assert steps(out) == [1] and not (out / files.LOCK).exists()


def test_more_steps_go_on_where_the_schedule_allows(tmp_path):
    multistep = ("schedule.name=multistep", "schedule.milestones=(3,)")
    train(config(tmp_path, "train.steps=2", *multistep), tmp_path / "a")
    state, _ = train(config(tmp_path, "train.steps=4", *multistep), tmp_path / "a")
    assert int(state["step"]) == 4
    whole, _ = train(config(tmp_path, "train.steps=4", *multistep), tmp_path / "b")
    rows = [[row["loss"] for row in logged(tmp_path / d) if "loss" in row] for d in "ab"]
    assert rows[0] == rows[1]

    train(config(tmp_path, "train.steps=1"), tmp_path / "c")
    with pytest.raises(TrainingError, match="onecycle.*another one.*--config.init_from"):
        train(config(tmp_path, "train.steps=2"), tmp_path / "c")


def test_fields_younger_than_a_run_have_their_default_there(tmp_path):
    c, out = config(tmp_path, "train.steps=1"), tmp_path / "out"
    train(c, out)
    stored = json.loads((out / "config.json").read_text())
    del stored["train"]["ema"], stored["model"]["input_centre"]
    (out / "config.json").write_text(json.dumps(stored))
    train(c, out)
    stored["model"].update(input_centre=0, tta_centre=0)  # as written by version 0.1.0
    (out / "config.json").write_text(json.dumps(stored))
    train(c, out)
    c.train.ema = 0.5
    (out / "config.json").write_text(json.dumps(stored))
    with pytest.raises(TrainingError, match="train.ema: 0.0 there, 0.5 here"):
        train(c, out)


@pytest.mark.parametrize("text", ["{", '{"train": 3}', "[" * 100_000])
def test_a_damaged_config_is_one_line(tmp_path, text):
    c, out = config(tmp_path, "train.steps=1"), tmp_path / "out"
    out.mkdir()
    (out / "config.json").write_text(text)
    with pytest.raises((TrainingError, ConfigError), match="config.json") as error:
        train(c, out)
    assert ".." not in str(error.value)


############################################################ full disk, full memory


def test_training_goes_on_without_its_log(tmp_path, capsys):
    class Full:
        def write(self, text):
            raise OSError(28, "No space left on device")

        def close(self):
            pass

    writer = metrics.MetricWriter(tmp_path, 0)
    writer.write(1, {"loss": 1.0})
    good, writer._file = writer._file, Full()
    for step in (2, 3):
        writer.write(step, {"loss": 1.0})
    writer._file = good
    writer.write(4, {"loss": 1.0})
    writer.close()
    assert capsys.readouterr().err.count("No space left on device") == 1
    kept = [row["step"] for row, _ in metrics._rows(tmp_path / metrics.FILE)]
    assert kept == [1, 4]


FULL = """
import resource, sys
from gaitjax.train import main
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))  # no file may grow beyond
sys.exit(main(sys.argv[1:]))
"""


def test_a_state_that_cannot_be_written_ends_the_run_in_one_line(tmp_path):
    """With a limit on the size of files, which a full disk is to whoever writes a large one."""
    out = tmp_path / "out"
    train(config(tmp_path, "train.steps=2", "schedule.name=multistep"), out)
    arguments = tiny.arguments(
        tmp_path, "--config.train.steps=4", "--config.schedule.name=multistep"
    )
    found = subprocess.run(
        [sys.executable, "-c", FULL, "--config=gaitgraph2_walkers", f"--workdir={out}", *arguments],
        capture_output=True,
        text=True,
    )
    assert found.returncode == 1, found.stderr
    assert "the state of step 4 cannot be saved" in found.stderr.splitlines()[-1]
    assert "newest checkpoint is of step 2" in found.stderr and "Traceback" not in found.stderr
    assert steps(out) == [2]
    state, _ = train(config(tmp_path, "train.steps=4", "schedule.name=multistep"), out)
    assert int(state["step"]) == 4
    assert not any((out / "checkpoints").glob("*tmp"))  # what was half-written has gone


def test_a_step_larger_than_the_machine_is_refused_in_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(host_memory, "total", lambda: 2**20)
    with pytest.raises(
        TrainingError,
        match=r"out of memory: a step asked for 0\.\d GiB on cpu, which has 0.0 GiB in all; lower "
        "train.batch_size",
    ):
        train(config(tmp_path, "train.steps=1"), tmp_path / "out")


@pytest.mark.parametrize(
    "message, size",
    [
        ("RESOURCE_EXHAUSTED: Out of memory while trying to allocate 21474836480 bytes.", 20),
        ("RESOURCE_EXHAUSTED: Out of memory allocating 1073741824 bytes.", 1),
        ("RESOURCE_EXHAUSTED: XLA:TPU compile permanent error. Ran out of memory in memory space "
         "hbm. Used 32.00G of 15.75G hbm. Exceeded hbm capacity by 16.25G.", 32),
        ("RESOURCE_EXHAUSTED: Ran out of memory on HBM, the total memory required for HLO "
         "temporaries (32.00G) exceeds available HBM (15.75G)", 32),
        ("RESOURCE_EXHAUSTED: something else", 0),
    ],
)  # fmt: skip
def test_what_was_asked_is_read_from_the_message(message, size):
    assert memory.asked(message) == size * 2**30
