"""Layers shared by the networks. Channels last; poses (N, T, V, C), maps (N, T, H, W, C).

Every layer computes in `dtype` (None: the type of its input and parameters) while
parameters and statistics stay float32. Initial values: `gaitjax.models.initial`.
"""

import jax.numpy as jnp
from flax import linen as nn
from jax import Array, lax

from gaitjax.errors import DataError
from gaitjax.models.initial import initial

DTypeName = str | None


def compute_dtype(name: str) -> DTypeName:
    """`dtype` argument of the layers for a config's dtype string; float32 means no cast."""
    if name not in ("float32", "bfloat16"):
        raise DataError(f"model.dtype is {name!r}; expected 'float32' or 'bfloat16'")
    return None if name == "float32" else name


def cast(dtype: DTypeName, *arrays: Array) -> list[Array]:
    """The arrays in `dtype`, or as they are when it is None."""
    return [a if dtype is None else a.astype(dtype) for a in arrays]


def zero_padding(x: Array, mask: Array | None) -> Array:
    """x (N, T, ...) with the frames outside mask (N, T) set to zero; None: none is padding."""
    if mask is None:
        return x
    return jnp.where(mask.reshape(mask.shape + (1,) * (x.ndim - 2)), x, 0)


def no_mask(mask: Array | None) -> None:
    """DataError if a mask is given, for networks that only see whole windows."""
    if mask is not None:
        raise DataError("this network takes windows of one length: pass no mask")


def linear(features: int, dtype: DTypeName, name: str, use_bias: bool = True) -> nn.Dense:
    """Matrix on the last axis: also every 1x1 convolution."""
    return nn.Dense(features, use_bias, dtype, kernel_init=initial("kernel"), name=name)


def l2_normalise(x: Array, axis: int) -> Array:
    """x divided by its length along `axis`, lengths below 1e-12 counting as 1e-12."""
    return x * lax.rsqrt(jnp.maximum(jnp.square(x).sum(axis, keepdims=True), 1e-24))


def mish(x: Array) -> Array:
    """x tanh(softplus(x)), with one exponential, of a number below 0: no over- or underflow."""
    e = jnp.exp(-jnp.abs(x))
    positive = x > 0
    above = jnp.where(positive, 1 + 2 * e, e * (e + 2))
    below = above + jnp.where(positive, 2 * e * e, 2)
    return x * (above / below)


class BatchNorm(nn.Module):
    """Batch normalisation over all axes but the last, as PyTorch's.

    eps 1e-5; running averages move by 0.1 and hold the unbiased variance; the batch is
    normalised by its biased variance, computed in two passes in at least float32.
    With `mask` (N, T), padded frames of x (N, T, ..., C) do not count.
    """

    dtype: DTypeName = None

    @nn.compact
    def __call__(self, x: Array, mask: Array | None = None, train: bool = False) -> Array:
        features = x.shape[-1:]
        scale = self.param("scale", initial("scale"), features)
        bias = self.param("bias", initial("bias"), features)
        running_mean = self.variable("batch_stats", "mean", jnp.zeros, features, jnp.float32)
        running_var = self.variable("batch_stats", "var", jnp.ones, features, jnp.float32)

        out_dtype = self.dtype or x.dtype
        x = x.astype(jnp.promote_types(x.dtype, jnp.float32))
        if train:
            mean, var, count = _moments(x, mask)
            if not self.is_initializing():
                unbiased = var * count / jnp.maximum(count - 1, 1)
                running_mean.value += 0.1 * (mean - running_mean.value)
                running_var.value += 0.1 * (unbiased - running_var.value)
        else:
            mean, var = running_mean.value, running_var.value
        return ((x - mean) * (lax.rsqrt(var + 1e-5) * scale) + bias).astype(out_dtype)


def _moments(x: Array, mask: Array | None) -> tuple[Array, Array, Array | int]:
    """Mean, biased variance and number of samples per channel of x (N, ..., C)."""
    count = x.size // x.shape[-1]
    if mask is not None:
        count = mask.sum() * (count // mask.size)

    def average(values: Array) -> Array:
        # Sums within each sequence first: shorter chains of rounding, and faster.
        values = zero_padding(values, mask)
        return values.sum(axis=tuple(range(1, x.ndim - 1))).sum(axis=0) / count

    mean = average(x)
    return mean, average(jnp.square(x - mean)), count


class TemporalConv(nn.Module):
    """Convolution over time of x (N, T, ..., C), odd `width`, zero padding width // 2 each side.

    Other axes between are independent positions. T becomes (T - 1) // stride + 1.
    The caller zeroes padded frames.
    """

    features: int
    width: int
    stride: int = 1
    use_bias: bool = True
    dtype: DTypeName = None

    @nn.compact
    def __call__(self, x: Array) -> Array:
        shape = (self.width, x.shape[-1], self.features)
        kernel = self.param("kernel", initial("kernel"), shape)
        x, kernel = cast(self.dtype, x, kernel)
        n, t, *places, c = x.shape
        # Positions join the batch: the one-dimensional convolution has the fastest gradient.
        x = jnp.moveaxis(x.reshape(n, t, -1, c), 1, 2).reshape(-1, t, c)
        pad = self.width // 2
        x = lax.conv_general_dilated(
            x, kernel, (self.stride,), [(pad, pad)], dimension_numbers=("NWC", "WIO", "NWC")
        )
        x = jnp.moveaxis(x.reshape(n, -1, *x.shape[-2:]), 2, 1).reshape(
            n, x.shape[-2], *places, self.features
        )
        if self.use_bias:
            bias = self.param("bias", initial("bias"), (self.features,))
            x = x + cast(self.dtype, bias)[0]
        return x
