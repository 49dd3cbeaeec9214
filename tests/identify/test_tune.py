"""A network trained further on a few people, from any weights."""

import json

import jax
import numpy as np
import pytest

from gaitjax import models, weights
from gaitjax.config import load
from gaitjax.data import walkers
from gaitjax.errors import DataError, TrainingError
from gaitjax.identify import tune
from gaitjax.training import checkpoint, step
from tests.helpers import tiny_sets

pytestmark = pytest.mark.usefixtures("quick")


@pytest.fixture
def trained(tmp_path):
    """Weights of a tiny network, and a folder of six walkers, of whom two are held out."""
    config = tiny_sets.shrink(load("gaittr_identify"))
    config.data.cache_dir = str(tmp_path / "cache")
    key, clips = jax.random.key(0), step.example_clips(config)
    variables = jax.jit(lambda: step.init_variables(config, models.build(config), key, clips))()
    path = weights.save(tmp_path / "w.npz", variables, {"config": json.loads(config.to_json())})
    root = walkers.generate(tmp_path / "people", identities=6, test_identities=2, frames=20)
    return path, root


def test_tunes_resumes_and_freezes(trained, tmp_path, capsys):
    path, root = trained
    workdir = tune.tune(root, tmp_path / "out", str(path), steps=2, frozen=True)
    assert "loaded" in capsys.readouterr().out
    before, after = weights.load(path)[0], checkpoint.load_variables(workdir)[0]
    changed = jax.tree.map(lambda a, b: bool((np.asarray(a) != np.asarray(b)).any()), before, after)
    assert {name for name, parts in changed["params"].items() if any(jax.tree.leaves(parts))} == {
        "fc"
    }
    tune.tune(root, tmp_path / "out", str(path), steps=2, frozen=True)
    assert "resumed" in capsys.readouterr().out


def test_too_few_people(trained, tmp_path):
    path, root = trained
    (root / "one.json").write_text('{"TRAIN_SET": ["001"], "TEST_SET": ["005"]}')
    with pytest.raises(DataError, match="1 person to train on; to tell people apart takes two"):
        tune.tune(root, tmp_path / "out", str(path), partition=str(root / "one.json"))


def test_stopped_by_a_signal_is_said(trained, tmp_path, monkeypatch):
    path, root = trained
    monkeypatch.setattr(tune, "train", lambda config, workdir: ({"step": 1}, {}))
    with pytest.raises(TrainingError, match="out: stopped at step 1 of 2, which is saved; run it"):
        tune.tune(root, tmp_path / "out", str(path), steps=2)
