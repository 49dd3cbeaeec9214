"""What a GPU computes equals the plain form, in value and gradients."""

import jax
import numpy as np
import pytest

from gaitjax.models.ops import attention as attend
from gaitjax.models.ops import product as multiply
from gaitjax.models.ops.attention import products, sums
from gaitjax.models.ops.product import of_matrix, of_matrix_in_parts


def draw(*shapes, dtype="float64"):
    rng = np.random.default_rng(0)
    return [jax.numpy.asarray(rng.normal(size=shape), dtype) for shape in shapes]


def test_attention_by_sums():
    with jax.enable_x64(True):
        *inputs, g = draw((2, 3, 17, 4, 2), (2, 3, 17, 4, 2), (2, 3, 17, 4, 5), (2, 3, 17, 4, 5))
        (value, pull), (ours, our_pull) = (jax.vjp(form, *inputs) for form in (products, sums))
        both = [(ours, value), *zip(our_pull(g), pull(g), strict=True)]
    for mine, theirs in both:
        np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-13 * np.abs(theirs).max())


@pytest.mark.parametrize("form", [products, sums])
def test_attention_in_half_precision_keeps_its_type_and_weighs_in_float32(form):
    exact = draw((1, 2, 17, 2, 2), (1, 2, 17, 2, 2), (1, 2, 17, 2, 8), dtype="float32")
    half = [a.astype("bfloat16") for a in exact]
    ours = form(*half)
    assert ours.dtype == "bfloat16"
    theirs = sums(*(a.astype("float32") for a in half))
    np.testing.assert_allclose(ours.astype("float32"), theirs, atol=0.02)


@pytest.mark.parametrize(
    "rows, inputs, outputs, parts",
    [
        (2**14 * 3, 64, 64, 64),  # as many as have 512 rows, or more: a power of two
        (2**18, 64, 64, 128),  # as many as a GPU has use for
        (2**18, 256, 200, 8),  # fewer for more tiles
        (2**18, 1000, 1000, 1),
        (600, 8, 8, 1),
        (99_999, 8, 8, 1),  # odd
    ],
)
def test_gradient_of_a_matrix_in_parts(rows, inputs, outputs, parts):
    shapes = [jax.ShapeDtypeStruct((rows, side), "float32") for side in (inputs, outputs)]
    program = str(jax.make_jaxpr(of_matrix_in_parts)(*shapes))
    assert f"f32[{parts},{inputs},{outputs}]" in program
    if rows < 2**16:
        with jax.enable_x64(True):
            x, g = draw((rows, inputs), (rows, outputs))
            theirs = of_matrix(x, g)
            error = np.abs(of_matrix_in_parts(x, g) - theirs).max()
        assert error < 1e-12 * np.abs(theirs).max()


def lowered(function, *arrays, platform: str) -> str:
    return jax.jit(function).trace(*arrays).lower(lowering_platforms=(platform,)).as_text()


@pytest.mark.parametrize("platform, count", [("cuda", 0), ("cpu", 2), ("tpu", 2)])
def test_products_of_attention_by_platform(platform, count):
    arrays = draw((2, 3, 17, 4, 2), (2, 3, 17, 4, 2), (2, 3, 17, 4, 5), dtype="float32")
    assert lowered(attend, *arrays, platform=platform).count("dot_general") == count


@pytest.mark.parametrize("platform, parts", [("cuda", "8x64x64"), ("cpu", ""), ("tpu", "")])
def test_gradients_of_stacked_products_by_platform(platform, parts):
    def loss(x, matrix):
        return jax.numpy.square(jax.vmap(multiply)(x, matrix)).sum()

    arrays = draw((3, 4, 1024, 64), (3, 64, 64), dtype="float32")
    text = lowered(jax.grad(loss, argnums=1), *arrays, platform=platform)
    assert (f"tensor<3x{parts}x" in text) == bool(parts) and "tensor<3x64x64xf32>" in text
