"""Optimiser settings and schedules of every config against the recorded ones.

Largest relative differences measured over the whole schedules: 2e-13 in float64, 1.6e-5 in
float32 (at the tiny last learning rates), beta1 6e-8.
"""

import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gaitjax.config import load, names
from gaitjax.training import optim

FOLDER = Path(__file__).parents[1] / "golden"
ARRAYS = np.load(FOLDER / "schedules.npz")
MODELS = {
    "gaitgraph1_phase1": "gaitgraph1",
    "gaitgraph2": "gaitgraph2",
    "gaittr": "gaittr",
    "skeletongait++": "skeletongaitpp",
    "skeletongait": "skeletongait",
}


def our_name(theirs: str) -> str:
    model, _, dataset = theirs.partition("_")
    if theirs.startswith("gaitgraph1_phase1"):
        model, dataset = "gaitgraph1_phase1", theirs.removeprefix("gaitgraph1_phase1").strip("_")
    if theirs == "skeletongait_OUMVLP":
        dataset = "oumvlp17"
    return f"{MODELS[model]}_{dataset.lower() or 'casiab'}"


FACTS = {
    our_name(theirs): facts
    for theirs, facts in json.loads((FOLDER / "schedules.json").read_text()).items()
}


def test_every_recorded_config_exists():
    assert len(FACTS) == 27
    assert set(FACTS) <= set(names())


@pytest.mark.parametrize("name", sorted(FACTS))
def test_settings_equal_the_recorded(name):
    config, facts = load(name), FACTS[name]
    solver = facts["optimizer"]
    assert config.optimizer.name == solver["solver"].lower()
    assert config.optimizer.weight_decay == solver["weight_decay"]
    assert config.schedule.lr == solver["lr"]
    assert config.train.steps == facts["total"]
    if config.optimizer.name == "sgd":
        assert config.optimizer.momentum == solver["momentum"]


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_schedules_equal_the_recorded(precision):
    rate = 3e-5 if precision == "float32" else 1e-12
    done = set()
    for name, facts in FACTS.items():
        config = load(name)
        same = (facts["arrays"], config.schedule.to_json(), config.train.steps)
        if same in done:
            continue
        done.add(same)
        step, lr, beta1 = (
            ARRAYS[f"{facts['arrays']}/{key}"] for key in ("step", "lr", "beta1_or_momentum")
        )
        inside = step < facts["total"]  # the last value is the one left after training
        with jax.enable_x64(precision == "float64"):
            functions = optim.schedule(config.schedule, config.train.steps)
            ours = [jax.jit(jax.vmap(f))(jnp.asarray(step[inside], jnp.int32))
                    for f in functions if f is not None]  # fmt: skip
        np.testing.assert_allclose(ours[0], lr[inside], rtol=rate, err_msg=name)
        if config.schedule.name == "onecycle":
            np.testing.assert_allclose(ours[1], beta1[inside], atol=1e-7, err_msg=name)


def test_multistep_falls_at_the_milestone_itself():
    config = load("skeletongait_gait3d").schedule
    lr = optim.multistep(config)
    first = config.milestones[0]
    assert float(lr(first - 1)) == pytest.approx(0.1)
    assert float(lr(first)) == pytest.approx(0.01)


def test_unknown_names_are_refused():
    config = load("gaittr_gait3d")
    config.schedule.name = "cosine"
    with pytest.raises(ValueError, match="unknown schedule.name 'cosine'; use onecycle or"):
        optim.schedule(config.schedule, 10)
    config.schedule.name, config.optimizer.name = "onecycle", "lamb"
    with pytest.raises(ValueError, match="unknown optimizer.name 'lamb'; use adam, adamw or sgd"):
        optim.optimizer(config, {})
