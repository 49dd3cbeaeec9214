"""Layers: batch norm, convolution over time, activation, normalisation."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gaitjax.models.layers import BatchNorm, Conv, l2_normalise, mish


def test_flax_initialisation_has_the_same_distributions():
    key = jax.random.key(0)
    kernel = Conv(32, (9,)).init(key, jnp.zeros((1, 1, 1, 64)))["params"]["kernel"]
    bound = math.sqrt(6 / (9 * (64 + 32)))
    assert 0.99 * bound < float(jnp.abs(kernel).max()) < bound
    scale = BatchNorm().init(key, jnp.zeros((1, 4000)))["params"]["scale"]
    assert float(scale.mean()) == pytest.approx(1, abs=0.002)
    assert float(scale.std()) == pytest.approx(0.02, rel=0.1)


def test_batch_norm_as_in_torch():
    rng = np.random.default_rng(0)
    x = rng.normal(100, 3, size=(4, 5, 3)).astype(np.float32)
    layer = BatchNorm()
    variables = layer.init(jax.random.key(0), x)
    y, new = layer.apply(variables, x, train=True, mutable="batch_stats")
    rows = x.astype(np.float64).reshape(-1, 3)
    normal = (rows - rows.mean(0)) / np.sqrt(rows.var(0) + 1e-5)
    wanted = normal * variables["params"]["scale"]
    np.testing.assert_allclose(y.reshape(-1, 3), wanted, atol=2e-5)
    stats = new["batch_stats"]
    np.testing.assert_allclose(stats["mean"], 0.1 * rows.mean(0), rtol=1e-6)
    np.testing.assert_allclose(stats["var"], 0.9 + 0.1 * rows.var(0, ddof=1), rtol=1e-6)
    later = layer.apply({"params": variables["params"], "batch_stats": stats}, x)
    running = (rows - np.float64(stats["mean"])) / np.sqrt(np.float64(stats["var"]) + 1e-5)
    np.testing.assert_allclose(
        later.reshape(-1, 3), running * variables["params"]["scale"], rtol=1e-5
    )


def test_batch_norm_keeps_float32_statistics_in_bfloat16():
    x = 100 + jax.random.normal(jax.random.key(0), (64, 50, 2))
    layer = BatchNorm("bfloat16")
    variables = layer.init(jax.random.key(0), x)
    y, new = layer.apply(variables, x, train=True, mutable="batch_stats")
    assert y.dtype == jnp.bfloat16
    np.testing.assert_allclose(new["batch_stats"]["mean"], 0.1 * x.mean((0, 1)), rtol=1e-6)


@pytest.mark.parametrize("padded", [False, True])
def test_gradient_of_batch_norm(padded):
    """The one written out is that of the plain formula, of frames outside the mask too."""
    rng = np.random.default_rng(0)
    mask = np.arange(5) < np.array([5, 2, 4])[:, None] if padded else None
    with jax.enable_x64(True):
        x, weight = rng.normal(3, 2, size=(3, 5, 2, 4)), rng.normal(size=(3, 5, 2, 4))
        params = {"scale": rng.normal(1, 0.5, 4), "bias": rng.normal(size=4)}
        stats = {"mean": jnp.zeros(4), "var": jnp.ones(4)}

        def ours(params, x):
            variables = {"params": params, "batch_stats": stats}
            y, _ = BatchNorm().apply(variables, x, mask, True, mutable="batch_stats")
            return (y * weight).sum()

        def plain(params, x):
            rows = (x if mask is None else x[mask]).reshape(-1, 4)
            normal = (x - rows.mean(0)) / jnp.sqrt(rows.var(0) + 1e-5)
            return ((normal * params["scale"] + params["bias"]) * weight).sum()

        found, wanted = (jax.grad(loss, argnums=(0, 1))(params, x) for loss in (ours, plain))
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-13), found, wanted)


@pytest.mark.parametrize(("width", "stride"), [(9, 1), (9, 2), (3, 1)])
@pytest.mark.parametrize("frames", [1, 6, 7])
def test_temporal_conv(width, stride, frames):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, frames, 5, 3)).astype(np.float32)
    layer = Conv(4, (width,), (stride, 1))
    variables = layer.init(jax.random.key(0), x)
    kernel = np.asarray(variables["params"]["kernel"])
    pad = width // 2
    padded = np.pad(x, ((0, 0), (pad, pad), (0, 0), (0, 0)))
    wanted = np.stack(
        [
            np.einsum("nkvc,kcd->nvd", padded[:, t : t + width], kernel)
            for t in range(0, frames, stride)
        ],
        axis=1,
    )
    np.testing.assert_allclose(layer.apply(variables, x), wanted, atol=1e-5)


def test_mish():
    x = jnp.array([-80.0, -5, -1, 0, 1e-3, 1, 5, 19, 21, 90])
    np.testing.assert_allclose(mish(x), x * jnp.tanh(jax.nn.softplus(x)), rtol=1e-5, atol=1e-30)
    gradient = jax.vmap(jax.grad(mish))(x)
    np.testing.assert_allclose(gradient, jax.vmap(jax.grad(jax.nn.mish))(x), rtol=1e-4, atol=1e-6)


def test_normalising_zero_is_zero_with_finite_gradient():
    x = jnp.zeros((2, 3))
    assert bool((l2_normalise(x, 1) == 0).all())
    assert bool(jnp.isfinite(jax.grad(lambda x: l2_normalise(x, 1).sum())(x)).all())
