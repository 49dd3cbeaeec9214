"""3x3 convolutions of tiles of two by two: Winograd's F(2 x 2, 3 x 3).

Sixteen products where a tile's four pixels take thirty-six (Lavin and Gray, "Fast Algorithms for
Convolutional Neural Networks", 2016). They are of sums of four numbers, which costs no digits.
"""

from collections.abc import Callable, Iterable

import jax.numpy as jnp
from jax import Array, lax

from gaitjax.models.ops import parts
from gaitjax.models.ops.product import plain as product

Grid = list[list[Array]]

WIDE = 64  # channels on both sides from which fewer products outweigh the sums


def possible(x: Array, kernel: tuple[int, ...], strides: tuple[int, int]) -> bool:
    """Whether a kernel of this shape has tiles, in numbers that keep the digits of sums of four."""
    *sides, inputs, features = kernel
    wide = min(inputs, features) >= WIDE
    return wide and sides == [3, 3] and strides == (1, 1) and x.dtype.itemsize >= 4


def conv(x: Array, kernel: Array) -> Array:
    """The convolution of x (N, H, W, C) with kernel (3, 3, C, D), of the same size as x."""
    return _conv(x, _matrices(kernel))


def image_gradient(kernel: Array, g: Array) -> Array:
    """The transpose of `conv` in x, a convolution with the kernel turned round."""
    turned = _both_ways(_turned, _matrices(kernel))
    return _conv(g, [[matrix.T for matrix in row] for row in turned])


def kernel_gradient(x: Array, g: Array) -> Array:
    """The transpose of `conv` in its kernel."""

    def of_images(x: Array, g: Array) -> Grid:
        shares = _both_ways(_of_pixels, _places(_padded(g, 0), 2))
        return [
            [rows(a).T @ rows(b) for a, b in zip(*both, strict=True)]
            for both in zip(_sums(x), shares, strict=True)
        ]

    def rows(x: Array) -> Array:
        return x.reshape(-1, x.shape[-1])

    taps = _both_ways(_to_kernel, parts.summed(of_images, x, g))
    return jnp.stack([jnp.stack(row) for row in taps])


def _conv(x: Array, matrices: Grid) -> Array:
    def of_images(x: Array) -> Array:
        products = [
            [product(sums, matrix) for sums, matrix in zip(*rows, strict=True)]
            for rows in zip(_sums(x), matrices, strict=True)
        ]
        pixels = lax.optimization_barrier(_both_ways(_of_products, products))
        y = jnp.stack([jnp.stack(row, axis=3) for row in pixels], axis=2)
        n, down, _, across, _, features = y.shape
        return y.reshape(n, 2 * down, 2 * across, features)[:, : x.shape[1], : x.shape[2]]

    return parts.mapped(of_images, x)


def _matrices(kernel: Array) -> Grid:
    return _both_ways(_of_kernel, [[kernel[i, j] for j in range(3)] for i in range(3)])


def _sums(x: Array) -> Grid:
    """What the sixteen products take: sums of the four by four pixels in and around each tile."""
    return _both_ways(_of_rows, _places(_padded(x, 1), 4))


def _padded(x: Array, around: int) -> Array:
    """x with so many zeros around, and one more where half a tile is left; made once for all."""
    sides = [(around, around + length % 2) for length in x.shape[1:3]]
    return lax.optimization_barrier(jnp.pad(x, [(0, 0), *sides, (0, 0)]))


def _places(x: Array, side: int) -> Grid:
    """Each place of squares that begin every two pixels: `side` rows of (N, down, across, C)."""
    down, across = (length - side + 1 for length in x.shape[1:3])
    return [[x[:, i : i + down : 2, j : j + across : 2] for j in range(side)] for i in range(side)]


def _both_ways(transform: Callable[..., Iterable[Array]], grid: Grid) -> Grid:
    """A grid whose columns, then rows, are transformed."""
    columns = [transform(*column) for column in zip(*grid, strict=True)]
    return [list(transform(*row)) for row in zip(*columns, strict=True)]


# ---- F(2, 3): four products for two rows' three taps; each with its transpose


def _of_rows(a: Array, b: Array, c: Array, d: Array) -> tuple[Array, ...]:
    return a - c, b + c, c - b, b - d


def _of_kernel(a: Array, b: Array, c: Array) -> tuple[Array, ...]:
    ends, middle = (a + c) / 2, b / 2
    return a, ends + middle, ends - middle, c


def _turned(a: Array, b: Array, c: Array, d: Array) -> tuple[Array, ...]:
    """`_of_kernel` of a kernel turned round, from that of the kernel."""
    return d, b, c, a


def _to_kernel(a: Array, b: Array, c: Array, d: Array) -> tuple[Array, ...]:
    ends, middle = (b + c) / 2, (b - c) / 2
    return a + ends, middle, ends + d


def _of_products(a: Array, b: Array, c: Array, d: Array) -> tuple[Array, ...]:
    return a + b + c, b - c - d


def _of_pixels(a: Array, b: Array) -> tuple[Array, ...]:
    return a, a + b, a - b, -b
