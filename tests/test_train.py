"""The training program: end to end, resuming, determinism."""

import json
import signal

import jax
import numpy as np
import pytest

from gaitjax.train import main, train
from gaitjax.training import checkpoint
from tests.helpers import tiny


def metrics(workdir) -> list[dict]:
    """The logged rows without what depends on the clock."""
    rows = [json.loads(line) for line in (workdir / "metrics.jsonl").read_text().splitlines()]
    return [{k: v for k, v in row.items() if k != "sequences_per_second"} for row in rows]


def leaves(workdir) -> list[np.ndarray]:
    return jax.tree.leaves(checkpoint.load_variables(workdir)[0])


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished run of 6 steps in one process of one device: (folder, work directory)."""
    folder = tmp_path_factory.mktemp("train")
    workdir = folder / "whole"
    result = tiny.run(
        "gaitjax.train",
        f"--workdir={workdir}",
        *tiny.arguments(folder, "--config.train.steps=6", "--config.train.save_every=2"),
    )
    assert result.returncode == 0, result.stderr
    return folder, workdir


def test_command_trains_and_evaluates(finished):
    folder, workdir = finished
    rows = metrics(workdir)
    assert [row["step"] for row in rows] == [1, 2, 3, 4, 5, 6, 6]
    assert {"loss", "lr", "grad_norm", "missing_joints"} <= rows[0].keys()
    assert "eval/Rank-1" in rows[-1]
    assert any((workdir / "tensorboard").iterdir())

    result = tiny.run(
        "gaitjax.evaluate",
        f"--checkpoint={workdir}",
        f"--workdir={folder / 'evaluated'}",
        "--save_embeddings",
        "--compare_untrained",
        *tiny.arguments(folder),
    )
    assert result.returncode == 0, result.stderr
    record = json.loads((folder / "evaluated" / "evaluation.json").read_text())
    assert record["headline"]["Rank-1"] == pytest.approx(rows[-1]["eval/Rank-1"])
    assert record["untrained"].keys() == record["headline"].keys()
    saved = np.load(folder / "evaluated" / "embeddings.npz")
    assert saved["embeddings"].shape == (64, 48, 1) and saved["embeddings"].dtype == np.float32
    assert saved["labels"].shape == saved["types"].shape == saved["views"].shape == (64,)
    page = (folder / "evaluated" / "evaluation" / "report.html").read_text()
    assert "Rank-1" in page and "data:image/png" in page


@pytest.mark.parametrize("kill_after", [3, 5])
def test_killed_run_resumes_bit_for_bit(finished, tmp_path, kill_after):
    folder, whole = finished
    args = tiny.arguments(folder, "--config.train.steps=6", "--config.train.save_every=2")
    with tiny.command("gaitjax.train", f"--workdir={tmp_path}", *args) as process:
        for line in process.stdout:
            if line.startswith(f"step {kill_after}/"):
                process.send_signal(signal.SIGKILL)
                break
    assert process.wait() == -signal.SIGKILL
    result = tiny.run("gaitjax.train", f"--workdir={tmp_path}", *args)
    assert result.returncode == 0, result.stderr
    assert metrics(tmp_path) == metrics(whole)
    for ours, theirs in zip(leaves(tmp_path), leaves(whole), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_saves_and_exits_cleanly(finished, tmp_path, number):
    folder, _ = finished
    args = tiny.arguments(folder, "--config.train.steps=500", "--config.train.save_every=500")
    with tiny.command("gaitjax.train", f"--workdir={tmp_path}", *args) as process:
        for line in process.stdout:
            if line.startswith("step 2/"):
                process.send_signal(number)
                break
        rest = process.stdout.read()
    assert process.wait() == 0, process.stderr.read()
    assert f"{number.name}: saved step" in rest
    saved = checkpoint.load_variables(tmp_path)[1]["step"]
    assert 2 <= saved < 500 and metrics(tmp_path)[-1]["step"] == saved


def test_finished_run_started_again_changes_nothing(finished):
    folder, workdir = finished
    before = (workdir / "metrics.jsonl").read_text()
    result = tiny.run(
        "gaitjax.train",
        f"--workdir={workdir}",
        *tiny.arguments(folder, "--config.train.steps=6", "--config.train.save_every=2"),
    )
    assert result.returncode == 0 and "resumed" in result.stdout
    assert (workdir / "metrics.jsonl").read_text() == before


def test_train_from_python_returns_state_and_metrics(tmp_path):
    config = tiny.config(tmp_path, "--config.train.steps=2")
    state, last = train(config, tmp_path / "out")
    assert int(state["step"]) == 2
    assert np.isfinite(last["loss"]) and "Rank-1" in last["evaluation"]["headline"]


def test_host_poses_give_the_same_run(tmp_path):
    """Poses above the device budget are gathered on the host: same batches bit for bit."""
    resident, _ = train(tiny.config(tmp_path, "--config.train.steps=2"), tmp_path / "a")
    host, _ = train(
        tiny.config(tmp_path, "--config.train.steps=2", "--config.data.device_budget_gb=0"),
        tmp_path / "b",
    )
    for x, y in zip(jax.tree.leaves(resident), jax.tree.leaves(host), strict=True):
        np.testing.assert_array_equal(x, y)


def test_non_finite_loss_stops_with_a_message(tmp_path, capsys):
    args = tiny.arguments(tmp_path, "--config.train.steps=20", "--config.schedule.lr=1e30")
    code = main(["--config", "gaitgraph2_walkers", f"--workdir={tmp_path / 'out'}", *args])
    error = capsys.readouterr().err
    assert code == 1 and "not finite" in error and "schedule.lr" in error
    assert not any((tmp_path / "out" / "checkpoints").glob("[0-9]*"))
