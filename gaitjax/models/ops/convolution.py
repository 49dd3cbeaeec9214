"""Convolutions, and the forms in which a CPU computes them fast."""

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
from jax import Array, lax

from gaitjax.models.ops import parts, tiles
from gaitjax.models.ops.platforms import by_platform, plain_alone
from gaitjax.models.ops.product import kept
from gaitjax.models.ops.product import plain as plain_product

Strides = tuple[int, int]


def conv(x: Array, kernel: Array, strides: Strides = (1, 1)) -> Array:
    """Convolution of x (N, H, W, C) with kernel (h, w, C, D), h and w odd.

    Padded with zeros, h // 2 rows and w // 2 columns each side.
    """
    return (plain if plain_alone() else _chosen)(x, kernel, strides)


@partial(jax.custom_vjp, nondiff_argnums=(2,))
def _chosen(x: Array, kernel: Array, strides: Strides) -> Array:
    return _by_platform(_value_on_cpu, plain, strides)(x, kernel)


def plain(x: Array, kernel: Array, strides: Strides) -> Array:
    padding = [(side // 2, side // 2) for side in kernel.shape[:2]]
    dimensions = ("NHWC", "HWIO", "NHWC")
    return lax.conv_general_dilated(x, kernel, strides, padding, dimension_numbers=dimensions)


def _forward(x: Array, kernel: Array, strides: Strides) -> tuple[Array, tuple[Array, Array]]:
    return kept(_chosen(x, kernel, strides)), (x, kernel)


def _gradients(strides: Strides, inputs: tuple[Array, Array], g: Array) -> tuple[Array, Array]:
    x, kernel = inputs

    def of_x(value: Callable, kernel: Array, g: Array, strides: Strides) -> Array:
        return jax.linear_transpose(lambda x: value(x, kernel, strides), x)(g)[0]

    def of_kernel(value: Callable, x: Array, g: Array, strides: Strides) -> Array:
        return jax.linear_transpose(lambda kernel: value(x, kernel, strides), kernel)(g)[0]

    x_on_cpu, kernel_on_cpu = partial(of_x, _value_on_cpu), partial(of_kernel, _value_on_cpu)
    if kernel.shape[1] > 1:
        kernel_on_cpu = partial(kernel_gradient, sides=kernel.shape[:2])
        if strides == (1, 1):
            x_on_cpu = _turned
    return (
        _by_platform(x_on_cpu, partial(of_x, plain), strides)(kernel, g),
        _by_platform(kernel_on_cpu, partial(of_kernel, plain), strides)(x, g),
    )


_chosen.defvjp(_forward, _gradients)


def _by_platform(on_cpu: Callable, default: Callable, strides: Strides) -> Callable:
    """(a, b) -> on_cpu or default(a, b, strides); under `jax.vmap` one convolution after another.

    Mapped over kernels a convolution would become a grouped one, which is slow everywhere.
    """

    @jax.custom_batching.custom_vmap
    def run(a: Array, b: Array) -> Array:
        on = partial(default, strides=strides), a, b
        return by_platform(*on, cpu=partial(on_cpu, strides=strides))

    @run.def_vmap
    def each(size: int, mapped: list[bool], a: Array, b: Array) -> tuple[Array, bool]:
        a, b = (
            side if is_mapped else [side] * size
            for side, is_mapped in zip((a, b), mapped, strict=True)
        )
        return jnp.stack([run(a[i], b[i]) for i in range(size)]), True

    return run


# ---- On a CPU


def _value_on_cpu(x: Array, kernel: Array, strides: Strides) -> Array:
    if kernel.shape[1] > 1:
        if tiles.possible(x, kernel.shape, strides):
            return tiles.conv(x, kernel)
        return plain(x, kernel, strides)
    if kernel.shape[0] > 1:
        few = (x.shape[1] - 1) // strides[0] + 1 <= kernel.shape[0]
        return (one_matrix if few else columns_in_batch)(x, kernel, strides)
    return product_of_slice(x, kernel, strides)


def _turned(kernel: Array, g: Array, strides: Strides) -> Array:
    """The gradient for x where no strides are: a convolution with the kernel turned round."""
    if tiles.possible(g, kernel.shape, strides):
        return tiles.image_gradient(kernel, g)
    return _value_on_cpu(g, kernel[::-1, ::-1].swapaxes(2, 3), strides)


def product_of_slice(x: Array, kernel: Array, strides: Strides) -> Array:
    """`plain` with a 1 x 1 kernel, as a product."""
    return plain_product(x[:, :: strides[0], :: strides[1]], kernel[0, 0])


def columns_in_batch(x: Array, kernel: Array, strides: Strides) -> Array:
    """`plain` with a kernel one column wide, as a one-dimensional one with columns in the batch.

    For the kernel's gradient of the other the compiler transposes whole activations.
    """
    side, _, inputs, features = kernel.shape
    x = jnp.swapaxes(x[:, :, :: strides[1]], 1, 2)
    y = lax.conv_general_dilated(
        x.reshape(-1, x.shape[2], inputs),
        kernel[:, 0],
        strides[:1],
        [(side // 2, side // 2)],
        dimension_numbers=("NWC", "WIO", "NWC"),
    )
    return jnp.swapaxes(y.reshape(*x.shape[:2], -1, features), 1, 2)


def one_matrix(x: Array, kernel: Array, strides: Strides) -> Array:
    """`plain` with a kernel one column wide, as one matrix over rows and channels.

    For as few rows as most of its taps would fall beside.
    """
    n, rows, _, inputs = x.shape
    side, _, _, features = kernel.shape
    out = (rows - 1) // strides[0] + 1
    tap = jnp.arange(rows)[:, None] - strides[0] * jnp.arange(out) + side // 2
    places = (tap == jnp.arange(side)[:, None, None]).astype(kernel.dtype)
    matrix = jnp.einsum("ktu,kcd->tcud", places, kernel[:, 0], precision="highest")
    x = jnp.swapaxes(x[:, :, :: strides[1]], 1, 2)
    y = x.reshape(-1, rows * inputs) @ matrix.reshape(rows * inputs, -1)
    return jnp.swapaxes(y.reshape(n, -1, out, features), 1, 2)


def kernel_gradient(x: Array, g: Array, strides: Strides, sides: tuple[int, ...]) -> Array:
    """The gradient of `plain` for its kernel."""
    if tiles.possible(x, (*sides, x.shape[-1], g.shape[-1]), strides):
        return tiles.kernel_gradient(x, g)
    return parts.summed(partial(_product_of_columns, strides=strides, sides=sides), x, g)


def _product_of_columns(x: Array, g: Array, strides: Strides, sides: tuple[int, ...]) -> Array:
    """The gradient of `plain` for its kernel: the taps side by side, and one product."""
    x = jnp.pad(x, [(0, 0), *((side // 2, side // 2) for side in sides), (0, 0)])
    (down, across), (last, rightmost) = strides, (length - 1 for length in g.shape[1:3])
    taps = [
        x[:, i : i + last * down + 1 : down, j : j + rightmost * across + 1 : across]
        for i in range(sides[0])
        for j in range(sides[1])
    ]
    columns = jnp.concatenate(taps, axis=-1)
    rows, features = columns.shape[-1], g.shape[-1]
    gradient = columns.reshape(-1, rows).T @ g.reshape(-1, features)
    return gradient.reshape(*sides, x.shape[-1], features)
