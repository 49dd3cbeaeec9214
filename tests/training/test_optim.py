"""Optimisers against torch's over ten steps, freezing and clipping."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gaitjax.config import load
from gaitjax.training import optim

SHAPES = {"head": {"kernel": (3, 4), "bias": (4,)}, "bn": {"scale": (4,), "edge": (2, 2)}}
STEPS = 10


def is_shape(x):
    return isinstance(x, tuple)


def draw(seed):
    rng = np.random.default_rng(seed)
    return jax.tree.map(lambda shape: rng.normal(size=shape), SHAPES, is_leaf=is_shape)


def configured(name, schedule, decay=0.1):
    config = load("gaittr_gait3d")
    config.train.steps = STEPS
    config.optimizer.update(name=name, weight_decay=decay, momentum=0.9)
    if schedule == "multistep":
        config.schedule.update(name="multistep", lr=0.05, milestones=(3, 7))
    else:
        three = schedule == "three_phase"
        config.schedule.update(name="onecycle", lr=0.05, three_phase=three, pct_start=0.4)
    return config


def ours(config, gradients):
    """Parameters after each step, in float64."""
    with jax.enable_x64(True):
        params = jax.tree.map(jnp.asarray, draw(0))
        tx = optim.optimizer(config, params)
        state = tx.init(params)

        @jax.jit
        def one(params, state, grads):
            updates, state = tx.update(grads, state, params)
            return jax.tree.map(jnp.add, params, updates), state

        history = []
        for grads in gradients:
            params, state = one(params, state, jax.tree.map(jnp.asarray, grads))
            history.append(jax.tree.map(np.asarray, params))
    return history


def theirs(config, gradients):
    torch = pytest.importorskip("torch")
    leaves = [torch.tensor(x, requires_grad=True) for x in jax.tree.leaves(draw(0))]
    o, s = config.optimizer, config.schedule
    if o.name == "sgd":
        optimizer = torch.optim.SGD(leaves, s.lr, momentum=o.momentum, weight_decay=o.weight_decay)
    else:
        kind = torch.optim.AdamW if o.name == "adamw" else torch.optim.Adam
        optimizer = kind(leaves, s.lr, weight_decay=o.weight_decay)
    schedulers = torch.optim.lr_scheduler
    if s.name == "multistep":
        scheduler = schedulers.MultiStepLR(optimizer, list(s.milestones), gamma=0.1)
    else:
        scheduler = schedulers.OneCycleLR(
            optimizer, s.lr, total_steps=STEPS, three_phase=s.three_phase, pct_start=s.pct_start,
            div_factor=s.div, final_div_factor=s.final_div,
        )  # fmt: skip
    history = []
    for grads in gradients:
        for leaf, grad in zip(leaves, jax.tree.leaves(grads), strict=True):
            leaf.grad = torch.tensor(grad)
        optimizer.step()
        scheduler.step()
        history.append([leaf.detach().numpy().copy() for leaf in leaves])
    return history


@pytest.mark.parametrize(
    "name, schedule",
    [
        ("adam", "two_phase"),
        ("adam", "three_phase"),
        ("adam", "multistep"),
        ("adamw", "two_phase"),
        ("adamw", "three_phase"),
        ("sgd", "multistep"),
    ],
)
def test_ten_steps_equal_torch(name, schedule):
    """Weight decay on every parameter, Adam's beta1 moving with OneCycle."""
    config = configured(name, schedule)
    gradients = [draw(1 + t) for t in range(STEPS)]
    for step, (a, b) in enumerate(
        zip(ours(config, gradients), theirs(config, gradients), strict=True)
    ):
        for x, y in zip(jax.tree.leaves(a), b, strict=True):
            np.testing.assert_allclose(x, y, rtol=1e-12, atol=1e-14, err_msg=f"step {step}")


def test_frozen_parameters_stay():
    config = configured("adam", "two_phase")
    config.train.freeze = ("bn/scale", "head")
    last = ours(config, [draw(1), draw(2)])[-1]
    start = draw(0)
    for path, leaf in jax.tree_util.tree_flatten_with_path(last)[0]:
        name = optim.path_name(path)
        same = np.array_equal(leaf, start[path[0].key][path[1].key])
        assert same == name.startswith(("bn/scale", "head")), name


def test_frozen_parameters_do_not_count_when_clipping():
    config = configured("sgd", "multistep", decay=0.0)
    config.train.update(freeze=("head",), clip_norm=1.0)
    grads = draw(1)
    step = ours(config, [grads])[0]
    norm = np.sqrt(sum((g**2).sum() for g in grads["bn"].values()))
    expected = draw(0)["bn"]["scale"] - 0.05 * grads["bn"]["scale"] / max(norm, 1.0)
    np.testing.assert_allclose(step["bn"]["scale"], expected, rtol=1e-12)


@pytest.mark.parametrize("size", [0.01, 100.0])
def test_gradients_are_clipped_to_the_norm(size):
    config = configured("sgd", "multistep", decay=0.0)
    config.train.clip_norm = 2.0
    grads = jax.tree.map(lambda g: g * size, draw(1))
    step, start = ours(config, [grads])[0], draw(0)
    moved = jax.tree.map(lambda a, b: (a - b) / -0.05, step, start)
    norm = np.sqrt(sum((g**2).sum() for g in jax.tree.leaves(grads)))
    found = np.sqrt(sum((g**2).sum() for g in jax.tree.leaves(moved)))
    np.testing.assert_allclose(found, min(norm, 2.0), rtol=1e-6)


def test_freezing_nothing_that_exists_is_refused():
    with pytest.raises(ValueError, match="'heads' matches no parameter; .* bn, head"):
        optim.trainable_mask(draw(0), ("heads",))
