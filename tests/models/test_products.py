"""Convolutions of three rows equal the compiler's own, in value and gradients."""

import jax
import numpy as np
import pytest
from jax import lax

from gaitjax.models.ops import WIDE, conv3, strided_product


def plain(x, kernel, stride):
    pad = [(1, 1), (kernel.shape[1] // 2,) * 2]
    dimensions = ("NHWC", "HWIO", "NHWC")
    return lax.conv_general_dilated(x, kernel, (stride, stride), pad, dimension_numbers=dimensions)


@pytest.mark.parametrize("height", [1, 2, 5, 6])
@pytest.mark.parametrize(
    ("width", "inputs", "features", "stride"),
    [(3, 3, 5, 1), (3, 3, 5, 2), (1, 4, 6, 1), (3, WIDE[3], WIDE[3], 1), (1, WIDE[1], WIDE[1], 1)],
)
def test_value_and_gradients(width, inputs, features, stride, height):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, height, 4, inputs))
    kernel = rng.normal(size=(3, width, inputs, features))
    with jax.enable_x64(True):
        value, pull = jax.vjp(lambda x, k: plain(x, k, stride), x, kernel)
        ours, our_pull = jax.vjp(lambda x, k: conv3(x, k, stride), x, kernel)
        g = rng.normal(size=value.shape)
        pairs = [(ours, value), *zip(our_pull(g), pull(g), strict=True)]
    for mine, theirs in pairs:
        np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-12 * np.abs(theirs).max())


def test_pairs_of_rows_keep_the_digits_of_float32():
    rng = np.random.default_rng(0)
    x = np.maximum(rng.normal(size=(1, 16, 11, WIDE[3])), 0).astype(np.float32)
    kernel = rng.normal(size=(3, 3, WIDE[3], WIDE[3])).astype(np.float32)
    with jax.enable_x64(True):
        exact = np.asarray(plain(x.astype(np.float64), kernel.astype(np.float64), 1))
    wrong = [np.abs(conv(x, kernel, 1) - exact).max() for conv in (conv3, plain)]
    assert wrong[0] < 3 * wrong[1] and wrong[0] < 2e-6 * np.abs(exact).max()


@pytest.mark.parametrize("stride", [1, 2])
def test_a_strided_product_is_a_convolution(stride):
    rng = np.random.default_rng(0)
    x, matrix = rng.normal(size=(2, 6, 4, 3)), rng.normal(size=(3, 5))
    with jax.enable_x64(True):
        value, pull = jax.vjp(lambda x, m: x[:, ::stride, ::stride] @ m, x, matrix)
        ours, our_pull = jax.vjp(lambda x, m: strided_product(x, m, stride), x, matrix)
        g = rng.normal(size=value.shape)
        for mine, theirs in [(ours, value), *zip(our_pull(g), pull(g), strict=True)]:
            np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-12)
