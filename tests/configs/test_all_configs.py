"""Every config starts, trains three steps on data of its own kind, saves and evaluates.

On one device, and compiled without optimisation: there are many configs, and compiling them
is what takes the time.
"""

import json

import jax
import numpy as np
import pytest

from gaitjax.config import load, names
from gaitjax.evaluation.of_checkpoint import Wishes, evaluate_checkpoint
from gaitjax.train import train
from gaitjax.training import checkpoint
from tests.helpers import tiny_sets

pytestmark = pytest.mark.usefixtures("quick")

CASES = [(name, "") for name in names()]
CASES += [("skeletongait_gait3d", "map"), ("skeletongaitpp_gait3d", "map+silhouette")]


def tiny(name: str, modality: str, folder):
    config = tiny_sets.shrink(load(name))
    config.data.modality = modality or config.data.modality
    root = tiny_sets.generate(folder / "data", config.data)
    config.data.update(root=str(root), cache_dir=str(folder / "cache"))
    return config


@pytest.mark.parametrize("name, modality", CASES)
def test_trains_saves_and_evaluates(name, modality, tmp_path):
    config = tiny(name, modality, tmp_path)
    state, last = train(config, tmp_path / "out")

    rows = [json.loads(line) for line in (tmp_path / "out/metrics.jsonl").read_text().splitlines()]
    losses = [row["loss"] for row in rows if "loss" in row]
    assert len(losses) == 3 and np.isfinite(losses).all()
    assert int(state["step"]) == 3

    saved, metadata = checkpoint.load_variables(tmp_path / "out")
    assert metadata["step"] == 3
    for ours, theirs in zip(jax.tree.leaves(saved["params"]), jax.tree.leaves(state["params"]),
                            strict=True):  # fmt: skip
        np.testing.assert_array_equal(ours, theirs)

    headline = last["evaluation"]["headline"]
    assert headline and np.isfinite(list(headline.values())).all()
    again = evaluate_checkpoint(config, tmp_path / "out", tmp_path / "again", Wishes(figures=False))
    assert again["headline"] == pytest.approx(headline)
    assert json.loads((tmp_path / "again/evaluation.json").read_text())["headline"]
