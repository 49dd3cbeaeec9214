"""3x3 convolutions of pairs of rows: Winograd's F(2, 3) along the height.

Four products where two rows' three taps take six (Lavin and Gray, "Fast Algorithms for
Convolutional Neural Networks", 2016). They are of sums of two rows, which costs no digits.
"""

import jax.numpy as jnp
from jax import Array, lax

WIDE = 256  # channels on both sides from which fewer products outweigh the sums of rows


def possible(x: Array, sides: tuple[int, ...], strides: tuple[int, int]) -> bool:
    """Whether rows follow each other, in numbers that keep the digits of sums of two."""
    return sides == (3, 3) and strides == (1, 1) and x.dtype.itemsize >= 4


def conv(x: Array, kernel: Array) -> Array:
    """The convolution of x (N, H, W, C) with kernel (3, 3, C, D), of the same size as x."""

    def along_width(rows: Array, k: Array) -> Array:
        dimensions = ("NHWC", "HWIO", "NHWC")
        pad = [(0, 0), (1, 1)]
        return lax.conv_general_dilated(rows, k[None], (1, 1), pad, dimension_numbers=dimensions)

    ends, middle = (kernel[0] + kernel[2]) / 2, kernel[1] / 2
    kernels = kernel[0], ends + middle, ends - middle, kernel[2]
    a, b, c, d = map(along_width, _four_rows(x), kernels)
    pairs = jnp.stack([a + b + c, b - c - d], axis=2)
    n, h, w, _ = x.shape
    return pairs.reshape(n, -1, w, kernel.shape[-1])[:, :h]


def kernel_gradient(x: Array, g: Array) -> Array:
    """The transpose of `conv` in its kernel: columns side by side, four products."""
    w, c = x.shape[2:]

    def taps(rows: Array, g: Array) -> Array:
        padded = jnp.pad(rows, [(0, 0), (0, 0), (1, 1), (0, 0)])
        columns = jnp.concatenate([padded[:, :, j : j + w] for j in range(3)], axis=-1)
        gradient = columns.reshape(-1, 3 * c).T @ g.reshape(-1, g.shape[-1])
        return gradient.reshape(3, c, -1)

    g = jnp.pad(g, [(0, 0), (0, g.shape[1] % 2), (0, 0), (0, 0)])
    first, second = g[:, 0::2], g[:, 1::2]
    sides = first, first + second, first - second, -second
    top, both, difference, bottom = map(taps, _four_rows(x), sides)
    ends, middle = (both + difference) / 2, (both - difference) / 2
    return jnp.stack([top + ends, middle, ends + bottom])


def _four_rows(x: Array) -> tuple[Array, ...]:
    """The sums of rows (N, pairs, W, C) that the four products of each pair of rows take."""
    padded = jnp.pad(x, [(0, 0), (1, 1 + x.shape[1] % 2), (0, 0), (0, 0)])
    even, odd = padded[:, 0::2], padded[:, 1::2]
    row0, row1, row2, row3 = even[:, :-1], odd[:, :-1], even[:, 1:], odd[:, 1:]
    return row0 - row2, row1 + row2, row2 - row1, row1 - row3
