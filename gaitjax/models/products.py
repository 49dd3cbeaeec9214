"""Products and 3x3 convolutions, with a gradient of the kernel that a CPU computes fast."""

import jax
import jax.numpy as jnp
from jax import Array, lax


def product(x: Array, matrix: Array) -> Array:
    """x (..., K) @ matrix (K, C), as one product of two matrices.

    With more axes the compiler transposes whole activations for the matrix's gradient.
    """
    return (x.reshape(-1, x.shape[-1]) @ matrix).reshape(*x.shape[:-1], matrix.shape[-1])


def conv3x3(x: Array, kernel: Array, stride: int = 1) -> Array:
    """3x3 convolution, padded by one pixel, of x (N, H, W, C) with kernel (3, 3, C, C')."""

    @jax.custom_vjp
    def convolve(x: Array, kernel: Array) -> Array:
        return _convolve(x, kernel, stride)

    def forward(x: Array, kernel: Array) -> tuple[Array, tuple[Array, Array]]:
        return _convolve(x, kernel, stride), (x, kernel)

    def gradient(kept: tuple[Array, Array], g: Array) -> tuple[Array, Array]:
        x, kernel = kept
        (of_x,) = jax.linear_transpose(lambda x: _convolve(x, kernel, stride), x)(g)
        of_kernel = lax.platform_dependent(x, g, kernel, cpu=fast, default=native)
        return of_x, of_kernel

    def fast(x: Array, g: Array, kernel: Array) -> Array:
        if stride == 1:
            return _kernel_gradient(x, g)
        return _strided_kernel_gradient(x, g, stride)

    def native(x: Array, g: Array, kernel: Array) -> Array:
        return jax.linear_transpose(lambda kernel: _convolve(x, kernel, stride), kernel)(g)[0]

    convolve.defvjp(forward, gradient)
    return convolve(x, kernel)


def _convolve(x: Array, kernel: Array, stride: int) -> Array:
    return lax.conv_general_dilated(
        x,
        kernel,
        (stride, stride),
        [(1, 1), (1, 1)],
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )


def _kernel_gradient(x: Array, g: Array) -> Array:
    """All nine taps in one product: columns are shifted on one side, rows on the other."""
    w, c = x.shape[2:]
    padded = jnp.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)])
    columns = jnp.concatenate([padded[:, :, j : j + w] for j in range(3)], axis=-1)
    rows = [jnp.pad(g, [(0, 0), (i, 2 - i), (0, 0), (0, 0)]) for i in range(3)]
    both = _rows(columns).T @ _rows(jnp.concatenate(rows, axis=-1))
    return both.reshape(3, c, 3, -1).transpose(2, 0, 1, 3)


def _strided_kernel_gradient(x: Array, g: Array, stride: int) -> Array:
    """The nine taps side by side, and one product."""
    h, w = (stride * length for length in g.shape[1:3])
    padded = jnp.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)])
    taps = [padded[:, i : i + h : stride, j : j + w : stride] for i in range(3) for j in range(3)]
    both = _rows(jnp.concatenate(taps, axis=-1)).T @ _rows(g)
    return both.reshape(3, 3, x.shape[-1], g.shape[-1])


def _rows(x: Array) -> Array:
    """x (..., C) as a matrix with rows of C."""
    return x.reshape(-1, x.shape[-1])
