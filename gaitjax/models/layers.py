"""Layers shared by the networks. Channels last; poses (N, T, V, C), maps (N, T, H, W, C).

Every layer computes in `dtype` (None: the type of its input and parameters) while
parameters and statistics stay float32. Initial values: `gaitjax.models.initializers`.
"""

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax import Array, lax

from gaitjax.errors import DataError
from gaitjax.models.initializers import NEAR_ONE, ONES, XAVIER, ZEROS, Initial
from gaitjax.models.ops import conv3, product
from gaitjax.skeleton import JointFormat

DTypeName = str | None

EXACT = lax.Precision.HIGHEST  # statistics keep float32 on TPU and TF32 GPUs


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

    def __call__(self, x: Array) -> Array:
        kernel, bias = self.matrix(x.shape[-1])
        x, kernel, bias = cast(self.dtype, x, kernel, bias)
        return product(x, kernel) + bias if self.use_bias else product(x, kernel)

    @nn.compact
    def matrix(self, inputs: int) -> tuple[Array, Array]:
        """Kernel (inputs, features) and bias (features,), zeros if there is none."""
        kernel = self.param("kernel", XAVIER, (inputs, self.features))
        if not self.use_bias:
            return kernel, jnp.zeros(self.features, kernel.dtype)
        return kernel, self.param("bias", ZEROS, (self.features,))


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
    normalised by its biased variance, computed in two passes in at least float32.
    With `mask` (N, T), padded frames of x (N, T, ..., C) do not count.
    """

    dtype: DTypeName = None
    scale_init: Initial = NEAR_ONE

    def __call__(self, x: Array, mask: Array | None = None, train: bool = False) -> Array:
        out_dtype = self.dtype or x.dtype
        x = at_least_float32(x)
        mean, gain, bias = self.coefficients(x.shape[-1], _moments(x, mask) if train else None)
        return ((x - mean) * gain + bias).astype(out_dtype)

    @nn.compact
    def coefficients(
        self, features: int, moments: tuple[Array, Array, Array | int] | None
    ) -> tuple[Array, Array, Array]:
        """(mean, gain, bias), (features,) each, with which (x - mean) * gain + bias normalises x.

        Given the batch's `moments` (mean, biased variance, number of samples), normalises by
        them and moves the running averages; without, normalises by the running averages.
        """
        scale = self.param("scale", self.scale_init, (features,))
        bias = self.param("bias", ZEROS, (features,))
        running_mean = self.variable("batch_stats", "mean", ZEROS, None, (features,))
        running_var = self.variable("batch_stats", "var", ONES, None, (features,))
        if moments is None:
            mean, var = running_mean.value, running_var.value
        else:
            mean, var, count = moments
            if not self.is_initializing():
                unbiased = var * count / jnp.maximum(count - 1, 1)
                running_mean.value += 0.1 * (mean - running_mean.value)
                running_var.value += 0.1 * (unbiased - running_var.value)
        return mean, lax.rsqrt(var + 1e-5) * scale, bias


def at_least_float32(x: Array) -> Array:
    return x.astype(jnp.promote_types(x.dtype, jnp.float32))


def _average(x: Array, count: Array | int) -> Array:
    """Sum over all axes but the last, over count."""
    # Sums within each sequence first: shorter chains of rounding, and faster.
    return x.reshape(x.shape[0], -1, x.shape[-1]).sum(axis=1).sum(axis=0) / count


def _centred(x: Array, mask: Array | None) -> tuple[Array, Array, Array | int]:
    """Mean per channel of x (N, ..., C), x less the mean (padding 0), and number of samples."""
    count = x.size // x.shape[-1]
    if mask is not None:
        count = mask.sum() * (count // mask.size)
    mean = _average(zero_padding(x, mask), count)
    # Second moments do not change with the mean they are taken around: no gradient through it.
    return mean, zero_padding(x - lax.stop_gradient(mean), mask), count


def _moments(x: Array, mask: Array | None) -> tuple[Array, Array, Array | int]:
    """Mean, biased variance and number of samples per channel of x (N, ..., C)."""
    mean, centred, count = _centred(x, mask)
    return mean, _average(jnp.square(centred), count), count


def linear_bn(
    x: Array,
    features: int,
    dtype: DTypeName,
    name: str,
    mask: Array | None = None,
    train: bool = False,
    use_bias: bool = True,
) -> Array:
    """The linear layer `name`, then the batch norm `<name>_bn`; x (N, ..., C)."""
    kernel, bias = linear(features, dtype, name, use_bias).matrix(x.shape[-1])
    return product_bn(x, kernel, bias, BatchNorm(dtype, name=f"{name}_bn"), mask, train)


def product_bn(
    x: Array,
    kernel: Array,
    bias: Array,
    norm: BatchNorm,
    mask: Array | None = None,
    train: bool = False,
) -> Array:
    """norm(x @ kernel + bias, mask, train); x (N, ..., K), kernel (K, C).

    In training an output as wide as the input or wider is never read for its moments: they
    follow from the input's mean and covariance, and a scaled kernel normalises it.
    """
    inputs, features = kernel.shape
    if not train or inputs > features:
        x, kernel, bias = cast(norm.dtype, x, kernel, bias)
        return norm(product(x, kernel) + bias, mask, train)
    mean, centred, count = _centred(at_least_float32(x), mask)
    (centred,) = cast(norm.dtype, centred)
    covariance = _gram(centred.reshape(-1, inputs)) / count
    var = (kernel * jnp.matmul(covariance, kernel, precision=EXACT)).sum(axis=0)
    y_mean = jnp.matmul(mean, kernel, precision=EXACT) + bias
    y_mean, gain, shift = norm.coefficients(features, (y_mean, var, count))
    x, kernel, offset = cast(norm.dtype, x, kernel * gain, (bias - y_mean) * gain + shift)
    return product(x, kernel) + offset


def _gram(x: Array) -> Array:
    """x^T x of x (M, K), in at least float32."""
    kind = jnp.promote_types(x.dtype, jnp.float32)
    fixed = lax.stop_gradient(x)
    half = jnp.matmul(x.T, fixed, precision=EXACT, preferred_element_type=kind)
    # For a symmetric cotangent this is the gradient, with one product instead of two.
    return 2 * half - lax.stop_gradient(half)


class TemporalConv(nn.Module):
    """Convolution over the axis `time` of x, by default (N, T, ..., C); channels are last.

    Odd `width`, zero padding width // 2 each side; the other axes are independent positions.
    T becomes (T - 1) // stride + 1. The caller zeroes padded frames.
    """

    features: int
    width: int
    stride: int = 1
    use_bias: bool = True
    dtype: DTypeName = None
    time: int = 1

    @nn.compact
    def __call__(self, x: Array) -> Array:
        shape = (self.width, x.shape[-1], self.features)
        kernel = self.param("kernel", XAVIER, shape)
        x, kernel = cast(self.dtype, x, kernel)
        if self.width == 3 and self.stride == 1 and self.time == 1:
            y = conv3(x.reshape(*x.shape[:2], -1, x.shape[-1]), kernel[:, None])
            return self._biased(y.reshape(*x.shape[:-1], self.features))
        # Positions join the batch: the one-dimensional convolution has the fastest gradient.
        x = jnp.moveaxis(x, self.time, -2)
        pad = self.width // 2
        y = lax.conv_general_dilated(
            x.reshape(-1, *x.shape[-2:]),
            kernel,
            (self.stride,),
            [(pad, pad)],
            dimension_numbers=("NWC", "WIO", "NWC"),
        )
        return self._biased(jnp.moveaxis(y.reshape(*x.shape[:-2], *y.shape[1:]), -2, self.time))

    def _biased(self, y: Array) -> Array:
        if not self.use_bias:
            return y
        return y + cast(self.dtype, self.param("bias", ZEROS, (self.features,)))[0]
