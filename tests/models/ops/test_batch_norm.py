"""Batch norm of a product: what a CPU computes equals one layer after the other."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from gaitjax.models.layers import BatchNorm, linear, linear_bn
from gaitjax.models.ops import batch_norm
from gaitjax.models.ops.batch_norm import normalise, normalise_product
from gaitjax.models.ops.product import plain

WIDE, NARROW = 12, 3
NAMES = {"x": 0, "kernel": 1, "scale": 3, "offset": 4}  # what has a gradient


def draw(features=WIDE, inputs=NARROW, dtype="float64", mean=0.0):
    """x, kernel, bias, scale and offset of a layer; and the gradient of its result."""
    rng = np.random.default_rng(0)
    x = np.maximum(rng.normal(size=(4, 20, 17, inputs)) + mean, 0)  # as after ReLU
    kernel = rng.normal(size=(inputs, features))
    bias, scale, offset = rng.normal(size=(3, features)) + [[0], [1], [0]]
    g = rng.normal(size=(*x.shape[:-1], features))
    return [jnp.asarray(a, dtype) for a in (x, kernel, bias, scale, offset)], jnp.asarray(g, dtype)


def one_after_another(x, kernel, bias, scale, offset):
    return normalise(plain(x, kernel) + bias, scale, offset, None)


def gradients(form, arrays, g):
    return jax.vjp(lambda *a: form(*a)[0], *arrays)[1](g)


def error(mine, theirs):
    return float(np.abs(mine - theirs).max() / np.abs(theirs).max())


@pytest.mark.parametrize("mapped", [False, True])
@pytest.mark.parametrize("features", [WIDE, NARROW])
def test_value_and_gradients_of_a_normalised_product(features, mapped):
    """In double precision, alone and mapped over streams, whichever form is taken."""
    with jax.enable_x64(True):
        arrays, g = draw(features)
        forms = [normalise_product, one_after_another]
        if mapped:
            arrays, g = [jnp.stack([a, a[::-1]]) for a in arrays], jnp.stack([g, g[::-1]])
            forms = [jax.vmap(form) for form in forms]
        (values, theirs) = (form(*arrays) for form in forms)
        for mine, other in zip(values, theirs, strict=True):
            np.testing.assert_allclose(mine, other, rtol=1e-13, atol=1e-13)
        mine, other = (gradients(form, arrays, g) for form in forms)
    for name, i in NAMES.items():
        assert error(mine[i], other[i]) < 1e-13, name
    for bias in (mine[2], other[2]):  # the mean takes it away: nothing but rounding
        assert np.abs(bias).max() < 1e-12


@pytest.mark.parametrize("mean", [0, 1, 10])
def test_gradients_from_products_lose_no_digits(mean):
    """Single precision against double, of inputs whose mean is up to ten deviations from 0."""
    with jax.enable_x64(True):
        exact = gradients(one_after_another, *draw(mean=mean))
        single = draw(dtype="float32", mean=mean)
        mine, other = (gradients(form, *single) for form in (normalise_product, one_after_another))
        for name, i in NAMES.items():
            assert error(mine[i], exact[i]) < max(2e-6, 3 * error(other[i], exact[i])), name


@pytest.mark.parametrize("platform, forms", [("cpu", True), ("cuda", False), ("tpu", False)])
def test_the_platform_and_the_widths_choose(platform, forms):
    def text(features):
        arrays, g = draw(features, dtype="float32")
        step = jax.jit(lambda arrays, g: gradients(normalise_product, arrays, g))
        return step.trace(arrays, g).lower(lowering_platforms=(platform,)).as_text()

    assert (f"@{batch_norm._from_products.__name__}" in text(WIDE)) == forms
    assert f"@{batch_norm._from_products.__name__}" not in text(NARROW)


@pytest.mark.parametrize("dtype", [None, "bfloat16"])
def test_linear_bn_is_a_linear_layer_and_batch_norm(dtype):
    class Together(nn.Module):
        @nn.compact
        def __call__(self, x):
            return linear_bn(x, WIDE, dtype, "up", train=True)

    class Apart(nn.Module):
        @nn.compact
        def __call__(self, x):
            return BatchNorm(dtype, name="up_bn")(linear(WIDE, dtype, "up")(x), train=True)

    (x, *_), _ = draw(dtype="float32")
    variables = Together().init(jax.random.key(0), x)
    assert jax.tree.map(jnp.shape, variables) == jax.tree.map(
        jnp.shape, Apart().init(jax.random.key(0), x)
    )
    together, apart = (
        module().apply(variables, x, mutable=["batch_stats"]) for module in (Together, Apart)
    )
    jax.tree.map(np.testing.assert_array_equal, together, apart)
