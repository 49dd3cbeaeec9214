"""Every config opens data of its own kind, its step and its evaluation fit; some train.

Compiling takes the time, so it is done for one config of each network and recipe, on one device
and without optimisation. Those train three steps, save and evaluate.
"""

import json

import jax
import numpy as np
import pytest

from gaitjax import sharding
from gaitjax.config import load, names
from gaitjax.data.feed import Feed
from gaitjax.evaluation import while_training
from gaitjax.evaluation.of_checkpoint import Wishes, evaluate_checkpoint
from gaitjax.train import train
from gaitjax.training import checkpoint, setup
from gaitjax.training.identities import check_identities
from tests.helpers import tiny_sets

pytestmark = pytest.mark.usefixtures("quick")

WHOLE = [
    ("gaitgraph1_oumvlp", ""),  # contrastive, 18 joints
    ("gaitgraph1_casiab_tteepe", ""),
    ("gaitgraph2_grew", ""),
    ("gaitgraph2_sustech1k", ""),
    ("gaittr_gait3d", ""),
    ("gaittr_grew_plus", ""),
    ("gpgait_gait3d", ""),
    ("gpgaitpp_ccpg", ""),
    ("skeletongait_gait3d", ""),
    ("skeletongait_gait3d", "map"),
    ("skeletongaitpp_gait3d", ""),
    ("skeletongaitpp_gait3d", "map+silhouette"),
]


def tiny(name: str, modality: str, folder):
    config = tiny_sets.shrink(load(name))
    config.data.modality = modality or config.data.modality
    root = tiny_sets.generate(folder / "data", config.data)
    config.data.update(root=str(root), cache_dir=str(folder / "cache"))
    return config


@pytest.mark.parametrize("name, modality", WHOLE)
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


@pytest.mark.parametrize("name", sorted(set(names()) - {name for name, _ in WHOLE}))
def test_data_step_and_evaluation_fit(name, tmp_path):
    """What is asked before a first step, and the shapes of that step; nothing is compiled."""
    config, mesh = tiny(name, "", tmp_path), sharding.make_mesh()
    feed, made = Feed.open(config, "train", mesh), setup.make(config, mesh)
    check_identities(config, feed.labels)
    state = setup.shapes(made)[0]
    batch = setup.batches(config, feed, mesh)(0)
    new, metrics = jax.eval_shape(setup.update(made), state, feed.frames, (batch,))
    assert jax.tree.map(lambda a: (a.shape, a.dtype), new) == jax.tree.map(
        lambda a: (a.shape, a.dtype), state
    )
    assert metrics["loss"].shape == ()
    assert while_training.prepare(config, made.model, mesh).names
