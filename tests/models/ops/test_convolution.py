"""What a CPU computes of a convolution equals the plain form, in value and gradients."""

import jax
import numpy as np
import pytest

from gaitjax.models.ops import convolution, parts, tiles


@pytest.mark.parametrize("height", [1, 5, 6])
@pytest.mark.parametrize("strides", [(1, 1), (2, 1), (2, 2)])
@pytest.mark.parametrize("sides", [(1, 1), (3, 1), (9, 1), (3, 3)])
@pytest.mark.parametrize("wide, part", [(1, 1), (100, 2**20)])  # few channels are wide, one image
def test_value_and_gradients(sides, strides, height, wide, part, monkeypatch):
    monkeypatch.setattr(tiles, "WIDE", wide)
    monkeypatch.setattr(parts, "MAPPED", part)
    monkeypatch.setattr(parts, "SUMMED", part)
    monkeypatch.setattr(jax, "device_count", lambda: 1)
    rng = np.random.default_rng(0)
    x, kernel = rng.normal(size=(2, height, 4, 3)), rng.normal(size=(*sides, 3, 5))
    with jax.enable_x64(True):
        value, pull = jax.vjp(lambda x, k: convolution.plain(x, k, strides), x, kernel)
        ours, our_pull = jax.vjp(lambda x, k: convolution.conv(x, k, strides), x, kernel)
        g = rng.normal(size=value.shape)
        both = [(ours, value), *zip(our_pull(g), pull(g), strict=True)]
    for mine, theirs in both:
        np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-12 * np.abs(theirs).max())


@pytest.mark.parametrize("mapped", [(0, 0), (0, None), (None, 0)])
def test_mapped_over_streams(mapped):
    rng = np.random.default_rng(0)
    x, kernel = rng.normal(size=(3, 2, 5, 4, 3)), rng.normal(size=(3, 9, 1, 3, 5))
    x, kernel = (a if axis == 0 else a[1] for a, axis in zip((x, kernel), mapped, strict=True))

    def loss(x, kernel, conv):
        return (jax.vmap(conv, mapped)(x, kernel) ** 3).sum()

    with jax.enable_x64(True):
        ours, plain = (
            jax.value_and_grad(loss, (0, 1))(x, kernel, form)
            for form in (convolution.conv, lambda x, k: convolution.plain(x, k, (1, 1)))
        )
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9), ours, plain)


def test_mapped_kernels_are_not_a_grouped_convolution():
    x, kernel = np.ones((3, 2, 5, 4, 3), np.float32), np.ones((3, 9, 1, 3, 5), np.float32)
    lowered = (
        jax.jit(jax.vmap(convolution.conv)).trace(x, kernel).lower(lowering_platforms=("cuda",))
    )
    text = lowered.as_text()
    assert text.count("stablehlo.convolution") == 3 and "feature_group_count = 3" not in text


def test_tiles_keep_the_digits_of_float32():
    rng = np.random.default_rng(0)
    x = np.maximum(rng.normal(size=(1, 16, 11, 256)), 0).astype(np.float32)
    kernel = rng.normal(size=(3, 3, 256, 256)).astype(np.float32)
    with jax.enable_x64(True):
        exact = convolution.plain(x.astype(np.float64), kernel.astype(np.float64), (1, 1))
        exact = np.asarray(exact)
    values = tiles.conv(x, kernel), convolution.plain(x, kernel, (1, 1))
    wrong = [np.abs(value - exact).max() for value in values]
    assert wrong[0] < 3 * wrong[1] and wrong[0] < 2e-6 * np.abs(exact).max()
