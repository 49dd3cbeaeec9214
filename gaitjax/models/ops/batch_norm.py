"""Batch norm by a batch's own moments: of anything, and of a product.

Both directions are functions of their own: a program holds each once for all layers of a shape.
"""

import jax
import jax.numpy as jnp
from jax import Array, lax

from gaitjax.models.dtypes import at_least_float32
from gaitjax.models.masks import zero_padding
from gaitjax.models.ops.platforms import by_platform
from gaitjax.models.ops.product import gradients as gradients_of_product
from gaitjax.models.ops.product import product

EPS = 1e-5  # added to variances

Normalised = tuple[Array, Array, Array, Array]  # the result, mean, biased variance and count


@jax.custom_vjp
def normalise(x: Array, scale: Array, bias: Array, mask: Array | None) -> Normalised:
    """x (N, ..., C) by its own moments, in at least float32, without the frames beside `mask`.

    Only the result has a gradient.
    """
    return _forward(x, scale, bias, mask)[0]


@jax.jit
def _forward(x: Array, scale: Array, bias: Array, mask: Array | None) -> tuple:
    given, x = x, at_least_float32(x)
    count = jnp.asarray(x.size // x.shape[-1] if mask is None else _samples(x, mask), x.dtype)
    # Around a few samples' mean, which is near enough to all samples' to lose no digits.
    near = x.reshape(x.shape[0], -1, x.shape[-1])[:, 0].mean(axis=0)
    centred = zero_padding(x - near, mask)
    first, second = _sums(centred, jnp.square(centred)) / count
    mean, var = near + first, second - jnp.square(first)
    inverse = lax.rsqrt(var + EPS)
    y = (x - mean) * (inverse * scale) + bias
    return (y, mean, var, count), (given, mask, scale, mean, inverse, count)


@jax.jit
def _backward(kept: tuple, given: tuple) -> tuple:
    x, mask, scale, mean, inverse, count = kept
    g, *_ = given
    centred = at_least_float32(x) - mean
    of_bias, along = _sums(g, g * centred)  # the latter: of g with what was normalised
    by_moments = (of_bias + centred * (jnp.square(inverse) * along)) / count
    of_x = inverse * scale * (g - zero_padding(by_moments, mask))
    return of_x.astype(x.dtype), inverse * along, of_bias, None


normalise.defvjp(_forward, _backward)


@jax.custom_vjp
def normalise_product(
    x: Array, kernel: Array, bias: Array, scale: Array, offset: Array
) -> Normalised:
    """normalise(x (N, ..., K) @ kernel (K, C) + bias, scale, offset, None).

    The bias's gradient is 0: the mean takes it away.
    """
    return normalise(product(x, kernel) + bias, scale, offset, None)


def _product_forward(
    x: Array, kernel: Array, bias: Array, scale: Array, offset: Array
) -> tuple[Normalised, tuple]:
    normalised, kept = _forward(product(x, kernel) + bias, scale, offset, None)
    return normalised, (x, kernel, kept)


def _product_backward(kept: tuple, given: tuple) -> tuple:
    x, kernel, _ = kept
    if 4 * x.shape[-1] > kernel.shape[-1]:  # the product of x with itself would cost more
        return _one_after_another(kept, given)
    return by_platform(_one_after_another, kept, given, cpu=_from_products)


normalise_product.defvjp(_product_forward, _product_backward)


def _one_after_another(kept: tuple, given: tuple) -> tuple:
    x, kernel, of_norm = kept
    of_y, of_scale, of_offset, _ = _backward(of_norm, given)
    of_x, of_kernel = gradients_of_product((x, kernel), of_y)
    return of_x, of_kernel, jnp.zeros_like(of_offset), of_scale, of_offset


@jax.jit
def _from_products(kept: tuple, given: tuple) -> tuple:
    """The same without the gradient of x @ kernel, an array as large as that.

    It is a g - b (x - mean) @ kernel - c for numbers a, b and c of each channel, so that products
    of x, g and the kernel have all that is made of it.
    """
    x, kernel, (*_, scale, _, inverse, count) = kept
    g, *_ = given
    rows, g_rows = (array.reshape(-1, array.shape[-1]) for array in (x, g))
    mean, of_offset = _sums(x)[0] / count, _sums(g)[0]
    mean += _sums(x - mean)[0] / count  # with the digits that so long a sum has lost
    centred = rows - mean  # on one side is enough; on the other ReLU's zeros stay exact
    with_x, with_g = centred.T @ rows, centred.T @ g_rows
    along = (kernel * with_g).sum(axis=0)
    a = inverse * scale
    b = a * jnp.square(inverse) * along / count
    of_g, of_rows = (kernel * a).T, (kernel * b) @ kernel.T
    c = of_offset / count @ of_g - mean @ of_rows
    of_x = (g_rows @ of_g - rows @ of_rows - c).reshape(x.shape)
    of_kernel = a * with_g - b * (with_x @ kernel)
    return of_x, of_kernel, jnp.zeros_like(of_offset), inverse * along, of_offset


def _samples(x: Array, mask: Array) -> Array:
    """Number of samples of each channel in the real frames of x (N, T, ..., C)."""
    return mask.sum() * (x.size // x.shape[-1] // mask.size)


def _sums(*arrays: Array) -> Array:
    """Arrays (N, ..., C) summed to (arrays, C).

    Within each sequence first: shorter chains of rounding, and faster.
    """
    by_sequence = [x.reshape(x.shape[0], -1, x.shape[-1]).sum(axis=1) for x in arrays]
    return jnp.stack(by_sequence).sum(axis=1)
