"""GaitTR (Zhang et al. 2023): attention over joints and convolution over time (section 5.5).

Parameters: `input_bn`, `block_<i>` with `temporal`, `attention`, `residual`, `shortcut`, `fc`.
"""

from typing import ClassVar

import jax.numpy as jnp
from flax import linen as nn
from jax import Array

from gaitjax.models.dtypes import at_least_float32
from gaitjax.models.layers import (
    BatchNorm,
    Conv,
    DTypeName,
    Linear,
    check_channels,
    check_poses,
    compute_dtype,
    linear,
    linear_bn,
    mish,
    of_each_joint,
)
from gaitjax.models.masks import zero_padding
from gaitjax.models.ops import attention
from gaitjax.models.streams import STEPS, gaittr_streams
from gaitjax.skeleton import joint_format

HEADS = 8
WIDTH = 9  # frames of the temporal convolutions


class JointAttention(nn.Module):
    """Self-attention of 8 heads among the joints of each frame, (N, T, V, C) to (.., C')."""

    features: int
    dtype: DTypeName = None

    @nn.compact
    def __call__(self, x: Array, mask: Array | None, train: bool) -> Array:
        n, t, v, _ = x.shape
        x = of_each_joint(BatchNorm(self.dtype, name="input_bn"), x, mask, train)
        keys = int(0.25 * self.features)
        qkv = linear(2 * keys + self.features, self.dtype, "qkv")(x)
        q, k, values = (
            part.reshape(n, t, v, HEADS, -1) for part in jnp.split(qkv, (keys, 2 * keys), axis=-1)
        )
        x = attention(q * (keys / HEADS) ** -0.5, k, values).reshape(n, t, v, self.features)
        x = mish(linear(self.features, self.dtype, "out")(x))
        return BatchNorm(self.dtype, name="bn")(x, mask, train)


class GaitTRBlock(nn.Module):
    """Temporal convolution, attention over joints and two residuals, to `features` channels."""

    features: int
    dropout: float
    dtype: DTypeName = None

    @nn.compact
    def __call__(self, x: Array, mask: Array | None, train: bool) -> Array:
        change = x.shape[-1] != self.features
        y = nn.Dropout(self.dropout)(x, deterministic=not train)
        y = zero_padding(y, mask)
        y = Conv(x.shape[-1], (WIDTH,), use_bias=True, dtype=self.dtype, name="conv")(y)
        y = x + BatchNorm(self.dtype, name="conv_bn")(mish(y), mask, train)
        residual = y
        if change:
            residual = linear_bn(y, self.features, self.dtype, "residual", mask, train)
        shortcut = x
        if change:
            shortcut = mish(linear(self.features, self.dtype, "shortcut")(x))
            shortcut = BatchNorm(self.dtype, name="shortcut_bn")(shortcut, mask, train)
        attended = JointAttention(self.features, self.dtype, name="attention")(y, mask, train)
        return attended + residual + shortcut


class GaitTR(nn.Module):
    """Input poses (N, T, V, 3) = x, y in pixels, confidence, any T; embeddings (N, D, 1).

    The embeddings are not normalised.

    Attributes:
      joints: joint format, see `gaitjax.skeleton.FORMATS`.
      widths: channels of the streams and of each block.
      embedding_dim: D.
      dropout: probability before each temporal convolution, in training.
      input_centre: centre joint of the streams' offsets; None: the format's `input_centre`.
      dtype: compute type, float32 or bfloat16.
    """

    inputs: ClassVar = ("poses",)
    any_length: ClassVar = True

    joints: str = "coco"
    widths: tuple[int, ...] = (10, 64, 64, 128, 256)
    embedding_dim: int = 128
    dropout: float = 0.1
    input_centre: int | None = None
    dtype: str = "float32"

    def streams(self, poses: Array, mask: Array | None = None) -> Array:
        """What the first layer sees, (N, T, V, 10)."""
        fmt = joint_format(self.joints)
        check_poses(poses, fmt)
        return gaittr_streams(poses, fmt, self.centres["input_centre"], mask)

    @property
    def centres(self) -> dict[str, int]:
        """The joint that `input_centre` means."""
        usual = joint_format(self.joints).input_centre
        return {"input_centre": usual if self.input_centre is None else self.input_centre}

    def setup(self) -> None:
        dtype = compute_dtype(self.dtype)
        self.input_bn = BatchNorm(dtype)
        self.block = [GaitTRBlock(width, self.dropout, dtype) for width in self.widths[1:]]
        self.fc = Linear(self.embedding_dim)

    def __call__(
        self, poses: Array, mask: Array | None = None, train: bool = False
    ) -> dict[str, Array]:
        """{"embed_1": (N, D, 1)}; mask (N, T) marks the real frames of padded sequences."""
        return self.finish(self.piece(poses, mask, mask, train))

    @property
    def sees(self) -> tuple[int, int]:
        """Frames before and after each that its features depend on."""
        before = len(self.widths[1:]) * (WIDTH // 2)
        return before, before + STEPS

    def piece(
        self, poses: Array, mask: Array | None, own: Array | None, train: bool = False
    ) -> tuple[Array, Array | int]:
        """Sum over the frames `own` (N, T) of their features (N, C), and their number."""
        x = self.streams(poses, mask)
        check_channels(x, "widths", self.widths[0])
        x = of_each_joint(self.input_bn, x, mask, train)
        for block in self.block:
            x = block(x, mask, train)
        x = at_least_float32(x).mean(axis=2)
        frames = x.shape[1] if own is None else own.sum(axis=1, keepdims=True)
        return zero_padding(x, own).sum(axis=1), frames

    @staticmethod
    def join(a: tuple[Array, Array], b: tuple[Array, Array]) -> tuple[Array, Array]:
        """What `piece` gives of two pieces together."""
        return a[0] + b[0], a[1] + b[1]

    def finish(self, pool: tuple[Array, Array | int]) -> dict[str, Array]:
        """The embeddings from what `piece` gave of all pieces: of the mean over time."""
        total, frames = pool
        return {"embed_1": self.fc(total / jnp.maximum(frames, 1))[..., None]}
