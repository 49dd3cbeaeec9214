"""Layers shared by the networks. Channels last; poses (N, T, V, C), maps (N, T, H, W, C).

Every layer computes in `dtype` (None: the type of its input and parameters) while
parameters and statistics stay float32. Initial values: `gaitjax.models.initializers`.
"""

from collections.abc import Mapping

import jax
import jax.numpy as jnp
from flax import linen as nn
from flax.linen.dtypes import promote_dtype
from jax import Array, lax

from gaitjax.errors import DataError
from gaitjax.models.dtypes import DTYPES, at_least_float32
from gaitjax.models.initializers import NEAR_ONE, ONES, XAVIER, ZEROS, Initial
from gaitjax.models.ops import conv, normalise, normalise_product, product
from gaitjax.models.ops.batch_norm import EPS
from gaitjax.skeleton import JointFormat

DTypeName = str | None

EXACT = lax.Precision.HIGHEST  # statistics keep float32 on TPU and TF32 GPUs


def compute_dtype(name: str) -> DTypeName:
    """`dtype` argument of the layers for a config's dtype string; float32 means no cast."""
    if name not in DTYPES:
        raise DataError(f"model.dtype is {name!r}; expected 'float32' or 'bfloat16'")
    return None if name == "float32" else name


def cast(dtype: DTypeName, *arrays: Array) -> list[Array]:
    """The arrays in `dtype`, or as they are when it is None."""
    return [a if dtype is None else a.astype(dtype) for a in arrays]


def check_poses(x: Array, fmt: JointFormat) -> None:
    """DataError unless x is (N, T, V, 3), poses of the joint format `fmt`."""
    if x.ndim != 4 or x.shape[2:] != (fmt.num_joints, 3):
        raise DataError(
            f"input of shape {x.shape}; expected (N, T, {fmt.num_joints}, 3), poses in joint "
            f"format {fmt.name}"
        )


def check_channels(x: Array, field: str, channels: int) -> None:
    """DataError unless x (..., C) has the `channels` that config.model.`field` starts with."""
    if x.shape[-1] != channels:
        raise DataError(
            f"config.model.{field} starts with {channels}; the network's input has {x.shape[-1]} "
            "channels"
        )


class Linear(nn.Module):
    """Matrix on the last axis: also every 1x1 convolution."""

    features: int
    dtype: DTypeName = None
    use_bias: bool = True

    @nn.compact
    def __call__(self, x: Array) -> Array:
        kernel = self.param("kernel", XAVIER, (x.shape[-1], self.features))
        x, kernel = cast(self.dtype, x, kernel)
        y = product(x, kernel)
        if not self.use_bias:
            return y
        return y + cast(self.dtype, self.param("bias", ZEROS, (self.features,)))[0]


def linear(features: int, dtype: DTypeName, name: str, use_bias: bool = True) -> Linear:
    """A named `Linear`."""
    return Linear(features, dtype, use_bias, name=name)


def l2_normalise(x: Array, axis: int) -> Array:
    """x divided by its length along `axis`, lengths below 1e-12 counting as 1e-12."""
    return x * lax.rsqrt(jnp.maximum(jnp.square(x).sum(axis, keepdims=True), 1e-24))


@jax.checkpoint  # its gradient is cheaper to compute from x than from what would be kept
def mish(x: Array) -> Array:
    """x tanh(softplus(x)), with one exponential, of a number below 0: no over- or underflow."""
    e = jnp.exp(-jnp.abs(x))
    positive = x > 0
    above = jnp.where(positive, 1 + 2 * e, e * (e + 2))
    below = above + jnp.where(positive, 2 * e * e, 2)
    return x * (above / below)


def maximum(x: Array, axis: int) -> Array:
    """x.max(axis), whose gradient goes to the first place that holds the maximum.

    Found by its index, not by comparing x with its maximum: where the compiler computes x
    twice and rounds it in two ways nothing would be equal, and the gradient lost or 0 / 0.
    """
    index = jnp.argmax(x, axis=axis, keepdims=True)
    places = lax.broadcasted_iota(index.dtype, x.shape, axis)
    return jnp.where(places == index, x, 0).sum(axis)


class BatchNorm(nn.Module):
    """Batch normalisation over all axes but the last, as PyTorch's.

    eps 1e-5; running averages move by 0.1 and hold the unbiased variance; the batch is
    normalised by its biased variance, computed in at least float32.
    With `mask` (N, T), padded frames of x (N, T, ..., C) do not count. In training x may be what
    goes into a linear layer and `after` the layer's kernel and bias: both layers in one.
    """

    dtype: DTypeName = None
    scale_init: Initial = NEAR_ONE

    @nn.compact
    def __call__(
        self,
        x: Array,
        mask: Array | None = None,
        train: bool = False,
        after: Mapping[str, Array] | None = None,
    ) -> Array:
        features = (after["kernel"] if after else x).shape[-1:]
        scale = self.param("scale", self.scale_init, features)
        bias = self.param("bias", ZEROS, features)
        running_mean = self.variable("batch_stats", "mean", ZEROS, None, features)
        running_var = self.variable("batch_stats", "var", ONES, None, features)
        out_dtype = self.dtype or x.dtype
        if not train:
            mean, var = running_mean.value, running_var.value
            x = at_least_float32(x)
            return ((x - mean) * (lax.rsqrt(var + EPS) * scale) + bias).astype(out_dtype)
        if after:
            y, mean, var, count = normalise_product(x, **after, scale=scale, offset=bias)
        else:
            y, mean, var, count = normalise(x, scale, bias, mask)
        if not self.is_initializing():
            unbiased = var * count / jnp.maximum(count - 1, 1)
            running_mean.value += 0.1 * (mean - running_mean.value)
            running_var.value += 0.1 * (unbiased - running_var.value)
        return y.astype(out_dtype)


def of_each_joint(norm: BatchNorm, x: Array, mask: Array | None, train: bool) -> Array:
    """Batch norm of each joint's each channel; feature v C + c."""
    n, t, v, c = x.shape
    return norm(x.reshape(n, t, v * c), mask, train).reshape(n, t, v, c)


def linear_bn(
    x: Array,
    features: int,
    dtype: DTypeName,
    name: str,
    mask: Array | None = None,
    train: bool = False,
) -> Array:
    """The linear layer `name`, then the batch norm `<name>_bn`; x (N, ..., C)."""
    layer = linear(features, dtype, name)
    norm = BatchNorm(dtype, name=f"{name}_bn")
    if train and mask is None and dtype is None and not layer.is_initializing():
        return norm(x, train=True, after=layer.variables["params"])
    return norm(layer(x), mask, train)


class Conv(nn.Module):
    """Convolution of x (..., H, W, C) over H and W, padded with half a kernel of zeros each side.

    H and W may be any two axes, such as frames and joints; the caller zeroes padded frames.

    Attributes:
      features: output channels.
      size: the kernel's odd sides: (h, w), (h,) for h x 1 or () for 1 x 1.
      strides: H becomes (H - 1) // strides[0] + 1, W alike.
    """

    features: int
    size: tuple[int, ...]
    strides: tuple[int, int] = (1, 1)
    use_bias: bool = False
    dtype: DTypeName = None

    @nn.compact
    def __call__(self, x: Array) -> Array:
        shape = (*self.size, x.shape[-1], self.features)
        kernel = self.param("kernel", XAVIER, shape)
        x, kernel = promote_dtype(x, kernel, dtype=self.dtype)
        sides = (*self.size, 1, 1)[:2]
        y = conv(x.reshape(-1, *x.shape[-3:]), kernel.reshape(*sides, *shape[-2:]), self.strides)
        y = y.reshape(*x.shape[:-3], *y.shape[1:])
        if not self.use_bias:
            return y
        return y + cast(self.dtype, self.param("bias", ZEROS, (self.features,)))[0]
