"""Several training steps in one dispatch: the run of one step at a time."""

import json

import jax
import numpy as np
import pytest

from gaitjax import sharding
from gaitjax.config import load
from gaitjax.train import _dispatches, train
from gaitjax.training import setup, step
from tests.helpers import tiny, tiny_sets

pytestmark = pytest.mark.usefixtures("quick")


@pytest.mark.parametrize(
    "start, total, together, ends",
    [(0, 6, 3, [3, 6]), (0, 7, 3, [3, 6, 7]), (2, 7, 3, [3, 6, 7]), (3, 6, 1, [4, 5, 6]),
     (5, 5, 2, []), (0, 2, 5, [2])],
)  # fmt: skip
def test_dispatches_cover_every_step_once_and_end_at_multiples(start, total, together, ends):
    parts = _dispatches(start, total, together)
    assert [t for part in parts for t in part] == list(range(start, total))
    assert [part.stop for part in parts] == ends


@pytest.mark.parametrize("loop", [False, True])
def test_several_steps_are_the_steps_one_by_one(loop):
    config = tiny_sets.shrink(load("gaittr_gait3d"))
    config.optimizer.name = "sgd"  # Adam makes a whole step of the rounding of a zero gradient
    config.schedule.update(name="multistep", lr=0.01)
    made = setup.make(config, sharding.make_mesh())
    update = step.make_update(config, made.model, made.optimizer, made.lr)
    state = setup.initial_state(made)
    poses = np.stack([tiny_sets.poses(i, 17)[:14] for i in range(24)]).reshape(3, 8, 14, 17, 3)
    labels = np.arange(8, dtype=np.int32) // 2
    batches = tuple({"poses": clips, "labels": labels} for clips in poses)
    one, run = state, jax.jit(step.several(update, loop))
    for batch in batches:
        one, metrics = run(one, None, (batch,))
    together, last = run(state, None, batches)
    assert int(together["step"]) == 3
    for a, b in zip(jax.tree.leaves((one, metrics)), jax.tree.leaves((together, last)),
                    strict=True):  # fmt: skip
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4)
    start = jax.tree.leaves(state["params"])
    moved = [
        np.abs(a - b).max() for a, b in zip(jax.tree.leaves(one["params"]), start, strict=True)
    ]
    assert max(moved) > 0.01


def logged(folder) -> list[dict]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_a_run_logs_saves_evaluates_and_resumes(tmp_path, capsys):
    def config(*more):
        fields = ("train.steps=6", "train.save_every=4", "train.log_every=2", "train.eval_every=4")
        return tiny.config(tmp_path, *[f"--config.{field}" for field in (*fields, *more)])

    out = tmp_path / "out"
    state, _ = train(config("train.steps_per_dispatch=2"), out)
    assert int(state["step"]) == 6
    before = logged(out)
    assert [row["step"] for row in before] == [2, 4, 4, 6, 6]  # evaluated after 4 and 6
    assert "cost of 2 steps" in capsys.readouterr().out
    assert sorted(p.name for p in (out / "checkpoints").glob("[0-9]*")) == ["4", "6"]

    (out / "checkpoints" / "6").rename(tmp_path / "6")
    train(config(), out)  # from step 4, one by one
    after = logged(out)
    assert [row["step"] for row in after] == [2, 4, 4, 6, 6]
    assert after[3]["loss"] == pytest.approx(before[3]["loss"], rel=1e-2)
