"""Products, and convolutions of three rows that a CPU computes fast.

Values and gradients are those of `lax.conv_general_dilated` up to rounding; accelerators get
just that. On a CPU its gradient of the kernel transposes whole activations and runs at half
the speed of a product, and wide convolutions over few pixels pay with fewer operations:
pairs of rows by Winograd's F(2, 3), whose sums of two numbers cost no digits
(docs/performance.md has what was measured).
"""

from functools import partial

import jax
import jax.numpy as jnp
from jax import Array, lax
from jax.ad_checkpoint import checkpoint_name

# Channels on both sides from which fewer products outweigh the sums of rows, by kernel width.
WIDE = {3: 256, 1: 128}
KEPT = "product"  # name of results that `keep_products` keeps


def product(x: Array, matrix: Array) -> Array:
    """x (..., K) @ matrix (K, C), as one product of two matrices.

    With more axes the compiler transposes whole activations for the matrix's gradient.
    """
    return (_rows(x) @ matrix).reshape(*x.shape[:-1], matrix.shape[-1])


def strided_product(x: Array, matrix: Array, stride: int) -> Array:
    """x[:, ::stride, ::stride] @ matrix, x (N, H, W, C): a 1x1 convolution.

    A CPU multiplies the rows instead. XLA for GPUs (JAX 0.10, 0.11) aborts on the rows of a slice.
    """

    def rows(x: Array, matrix: Array) -> Array:
        return product(x[:, ::stride, ::stride], matrix)

    def convolution(x: Array, matrix: Array) -> Array:
        dimensions = ("NHWC", "HWIO", "NHWC")
        return lax.conv_general_dilated(
            x, matrix[None, None], (stride, stride), "VALID", dimension_numbers=dimensions
        )

    return lax.platform_dependent(x, matrix, cpu=rows, default=convolution)


def keep_products(primitive, *_, **options) -> bool:
    """Policy of `jax.checkpoint`: keeps the results of products and convolutions, few of all."""
    named = primitive.name == "name" and options.get("name") == KEPT
    return named or primitive.name in ("conv_general_dilated", "dot_general")


def _rows(x: Array) -> Array:
    """x (..., C) as a matrix with rows of C."""
    return x.reshape(-1, x.shape[-1])


@partial(jax.custom_vjp, nondiff_argnums=(2,))
def conv3(x: Array, kernel: Array, stride: int = 1) -> Array:
    """Convolution of x (N, H, W, C) with kernel (3, 3 or 1, C, C'), padded to keep its size.

    H may be any axis over which three are summed: with a kernel of width 1, frames.
    """
    return _value(x, kernel, stride)


def _value(x: Array, kernel: Array, stride: int) -> Array:
    if min(kernel.shape[2:]) < WIDE[kernel.shape[1]] or not _may_pair(x, stride):
        return _convolve(x, kernel, stride)
    y = lax.platform_dependent(x, kernel, cpu=_in_pairs, default=partial(_convolve, stride=1))
    return checkpoint_name(y, KEPT)


def _forward(x: Array, kernel: Array, stride: int) -> tuple[Array, tuple[Array, Array]]:
    return _value(x, kernel, stride), (x, kernel)


def _gradients(stride: int, kept: tuple[Array, Array], g: Array) -> tuple[Array, Array]:
    x, kernel = kept

    def native(x: Array, g: Array) -> Array:
        return jax.linear_transpose(lambda k: _convolve(x, k, stride), kernel)(g)[0]

    if stride == 1:
        of_x = conv3(g, kernel[::-1, ::-1].swapaxes(2, 3))
    else:
        (of_x,) = jax.linear_transpose(lambda x: _convolve(x, kernel, stride), x)(g)
    gradient = _kernel_gradient_in_pairs if _may_pair(x, stride) else _kernel_gradient
    fast = partial(gradient, width=kernel.shape[1], stride=stride)
    return of_x, lax.platform_dependent(x, g, cpu=fast, default=native)


conv3.defvjp(_forward, _gradients)


def _convolve(x: Array, kernel: Array, stride: int) -> Array:
    pad = [(1, 1), (kernel.shape[1] // 2,) * 2]
    dimensions = ("NHWC", "HWIO", "NHWC")
    return lax.conv_general_dilated(x, kernel, (stride, stride), pad, dimension_numbers=dimensions)


def _kernel_gradient(x: Array, g: Array, width: int, stride: int) -> Array:
    """The taps side by side, and one product."""
    h, w = (stride * length for length in g.shape[1:3])
    x = jnp.pad(x, [(0, 0), (1, stride), (width // 2, stride), (0, 0)])
    taps = [x[:, i : i + h : stride, j : j + w : stride] for i in range(3) for j in range(width)]
    kernel = _rows(jnp.concatenate(taps, axis=-1)).T @ _rows(g)
    return kernel.reshape(3, width, x.shape[-1], g.shape[-1])


# ---- Pairs of rows: Winograd's F(2, 3) (Lavin and Gray, "Fast Algorithms for Convolutional
# Neural Networks", 2016) along the height, four products where two rows' three taps take six.


def _may_pair(x: Array, stride: int) -> bool:
    """Whether rows follow each other, in numbers that keep the digits of sums of two."""
    return stride == 1 and x.dtype.itemsize >= 4


def _four_rows(x: Array) -> tuple[Array, ...]:
    """The sums of rows (N, pairs, W, C) that the four products of each pair of rows take."""
    padded = jnp.pad(x, [(0, 0), (1, 1 + x.shape[1] % 2), (0, 0), (0, 0)])
    even, odd = padded[:, 0::2], padded[:, 1::2]
    row0, row1, row2, row3 = even[:, :-1], odd[:, :-1], even[:, 1:], odd[:, 1:]
    return row0 - row2, row1 + row2, row2 - row1, row1 - row3


def _in_pairs(x: Array, kernel: Array) -> Array:
    def along_width(rows: Array, k: Array) -> Array:
        if len(k) == 1:
            return product(rows, k[0])
        return lax.conv_general_dilated(
            rows, k[None], (1, 1), [(0, 0), (1, 1)], dimension_numbers=("NHWC", "HWIO", "NHWC")
        )

    ends, middle = (kernel[0] + kernel[2]) / 2, kernel[1] / 2
    kernels = kernel[0], ends + middle, ends - middle, kernel[2]
    a, b, c, d = map(along_width, _four_rows(x), kernels)
    pairs = jnp.stack([a + b + c, b - c - d], axis=2)
    n, h, w, _ = x.shape
    return pairs.reshape(n, -1, w, kernel.shape[-1])[:, :h]


def _kernel_gradient_in_pairs(x: Array, g: Array, width: int, stride: int) -> Array:
    """The transpose of `_in_pairs` in its kernel: columns side by side, four products."""
    w, c = x.shape[2:]
    side = width // 2

    def taps(rows: Array, g: Array) -> Array:
        padded = jnp.pad(rows, [(0, 0), (0, 0), (side, side), (0, 0)])
        columns = jnp.concatenate([padded[:, :, j : j + w] for j in range(width)], axis=-1)
        return (_rows(columns).T @ _rows(g)).reshape(width, c, -1)

    g = jnp.pad(g, [(0, 0), (0, g.shape[1] % 2), (0, 0), (0, 0)])
    first, second = g[:, 0::2], g[:, 1::2]
    sides = first, first + second, first - second, -second
    top, both, difference, bottom = map(taps, _four_rows(x), sides)
    ends, middle = (both + difference) / 2, (both - difference) / 2
    return jnp.stack([top + ends, middle, ends + bottom])
