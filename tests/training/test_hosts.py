"""Two processes of one device each on this machine: they train as one, and resume as one."""

import json
import signal
import socket
import subprocess
import time

import jax
import numpy as np
import pytest

from gaitjax import sharding
from gaitjax.train import train
from gaitjax.training import checkpoint
from tests.helpers import tiny, two_hosts

pytestmark = pytest.mark.slow  # several pairs of processes, each with its own start of JAX

STEPS = ("--config.train.steps=6", "--config.train.save_every=2")


def start_two(module: str, *args: str) -> list[subprocess.Popen]:
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        address = f"localhost:{probe.getsockname()[1]}"
    return [
        tiny.command(
            module,
            *args,
            JAX_COORDINATOR_ADDRESS=address,
            JAX_NUM_PROCESSES="2",
            JAX_PROCESS_ID=str(i),
            JAX_DISABLE_MOST_OPTIMIZATIONS="1",  # they compile much longer than they run
        )
        for i in range(2)
    ]


def wait_for(processes: list[subprocess.Popen]) -> list[tuple[str, str]]:
    outputs = [process.communicate(timeout=300) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs
    return outputs


def train_two(folder, workdir) -> list[subprocess.Popen]:
    args = tiny.arguments(folder, *STEPS)
    return start_two("gaitjax.train", "--multihost", f"--workdir={workdir}", *args)


def metrics(workdir) -> list[dict]:
    """The logged rows without what depends on the clock."""
    rows = [json.loads(line) for line in (workdir / "metrics.jsonl").read_text().splitlines()]
    return [{k: v for k, v in row.items() if k != "sequences_per_second"} for row in rows]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run of two processes: (folder, work directory, what each printed)."""
    folder = tmp_path_factory.mktemp("hosts")
    outputs = wait_for(train_two(folder, folder / "whole"))
    return folder, folder / "whole", outputs


@pytest.fixture
def one_process_of_two_devices(monkeypatch):
    auto = (jax.sharding.AxisType.Auto,)
    mesh = jax.make_mesh((2,), ("data",), auto, devices=jax.devices()[:2])
    monkeypatch.setattr(sharding, "make_mesh", lambda: mesh)
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)


@pytest.mark.usefixtures("one_process_of_two_devices")
def test_two_processes_train_as_one(trained, tmp_path):
    folder, workdir, (first, second) = trained
    train(tiny.config(folder, *STEPS), tmp_path / "one")
    ours, theirs = metrics(workdir), metrics(tmp_path / "one")
    assert ours[0] == pytest.approx(theirs[0], rel=1e-5)
    # Later steps differ: at temperature 0.01 rounding grows from step to step.
    assert [row["step"] for row in ours] == [row["step"] for row in theirs]
    assert [row.keys() for row in ours] == [row.keys() for row in theirs]
    assert checkpoint.load_variables(workdir)[1]["step"] == 6
    # One of them speaks, and writes: six steps and the evaluation, each once.
    assert "step 6/6" in first[0] and "step" not in second[0]
    assert len((workdir / "metrics.jsonl").read_text().splitlines()) == 7
    assert len(list((workdir / "tensorboard").iterdir())) == 1


def kill_one(processes: list[subprocess.Popen], lost: int, after: int) -> None:
    """Kill process `lost` after a step; the other must end soon and say why."""
    for line in processes[0].stdout:
        if line.startswith(f"step {after}/"):
            break
    processes[lost].send_signal(signal.SIGKILL)
    began = time.monotonic()
    _, error = processes[1 - lost].communicate(timeout=2 * sharding.HEARTBEAT_SECONDS)
    assert time.monotonic() - began < sharding.HEARTBEAT_SECONDS
    assert processes[1 - lost].returncode not in (0, None)
    # Said by this program, or by JAX where its own service notices first.
    assert "another was lost" in error or "another task died" in error
    processes[lost].communicate()


def test_when_one_is_killed_the_other_ends_and_both_resume(trained, tmp_path):
    folder, whole, _ = trained
    kill_one(train_two(folder, tmp_path), lost=1, after=3)
    kill_one(train_two(folder, tmp_path), lost=0, after=5)  # the one that coordinates
    wait_for(train_two(folder, tmp_path))
    assert metrics(tmp_path) == metrics(whole)
    ours, theirs = (jax.tree.leaves(checkpoint.load_variables(d)[0]) for d in (tmp_path, whole))
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.usefixtures("one_process_of_two_devices")
def test_batches_and_embeddings_are_the_same_on_both(tmp_path):
    config = tiny.config(tmp_path, "--config.eval.batch_size=30")
    wait_for(start_two("tests.helpers.two_hosts", str(tmp_path / "embeddings.npy")))
    np.testing.assert_array_equal(
        np.load(tmp_path / "embeddings.npy"), two_hosts.embeddings(config)
    )
