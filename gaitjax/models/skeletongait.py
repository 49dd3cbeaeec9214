"""SkeletonGait (Fan et al. 2024): pseudo-3-D residual network on skeleton maps (section 5.6).

Parameters: `layer0`, `layer1_<i>`, `layer2_<i>` ... `layer4_<i>`, `head`.
"""

from collections.abc import Sequence
from typing import ClassVar

import jax.numpy as jnp
from flax import linen as nn
from jax import Array

from gaitjax.errors import DataError
from gaitjax.models.dtypes import at_least_float32
from gaitjax.models.layers import (
    BatchNorm,
    Conv,
    DTypeName,
    compute_dtype,
    maximum,
)
from gaitjax.models.masks import zero_padding
from gaitjax.models.parts import PartHead

PARTS = 16
STRIDES = (2, 2, 1)  # of layers 2, 3 and 4, in space


def conv3x3(features: int, dtype: DTypeName, name: str, stride: int = 1) -> Conv:
    """A named 3x3 convolution of each frame, (N, T, H, W, C)."""
    return Conv(features, (3, 3), (stride, stride), dtype=dtype, name=name)


class Stem(nn.Module):
    """3x3 convolution, batch norm, ReLU."""

    features: int
    dtype: DTypeName = None

    @nn.compact
    def __call__(self, x: Array, mask: Array | None, train: bool) -> Array:
        x = conv3x3(self.features, self.dtype, "conv")(x)
        return nn.relu(BatchNorm(self.dtype, name="bn")(x, mask, train))


class BasicBlock(nn.Module):
    """Two 3x3 convolutions of each frame and an identity residual."""

    dtype: DTypeName = None

    @nn.compact
    def __call__(self, x: Array, mask: Array | None, train: bool) -> Array:
        y = conv3x3(x.shape[-1], self.dtype, "conv1")(x)
        y = nn.relu(BatchNorm(self.dtype, name="bn1")(y, mask, train))
        y = conv3x3(x.shape[-1], self.dtype, "conv2")(y)
        return nn.relu(x + BatchNorm(self.dtype, name="bn2")(y, mask, train))


class P3DBlock(nn.Module):
    """3x3 convolution in space, 3 frames in time with a residual, 3x3 in space; and a residual."""

    features: int
    stride: int
    dtype: DTypeName = None

    @nn.compact
    def __call__(self, x: Array, mask: Array | None, train: bool) -> Array:
        y = conv3x3(self.features, self.dtype, "conv1", self.stride)(x)
        y = nn.relu(BatchNorm(self.dtype, name="bn1")(y, mask, train))
        z = zero_padding(y, mask).reshape(*y.shape[:2], -1, self.features)  # pixels: one axis
        z = Conv(self.features, (3,), dtype=self.dtype, name="temporal")(z).reshape(y.shape)
        y = nn.relu(y + BatchNorm(self.dtype, name="temporal_bn")(z, mask, train))
        y = conv3x3(self.features, self.dtype, "conv2")(y)
        y = BatchNorm(self.dtype, name="bn2")(y, mask, train)
        if self.stride > 1 or x.shape[-1] != self.features:
            strides = (self.stride, self.stride)
            x = Conv(self.features, (), strides, dtype=self.dtype, name="shortcut")(x)
            x = BatchNorm(self.dtype, name="shortcut_bn")(x, mask, train)
        return nn.relu(x + y)


def over_time(x: Array, own: Array | None) -> Array:
    """Maximum over the frames `own` (N, T) of x (N, T, H, W, C); in float32."""
    x = at_least_float32(x)
    if own is not None:
        x = jnp.where(own[:, :, None, None, None], x, -jnp.inf)
    return maximum(x, axis=1)


def strips(x: Array) -> Array:
    """Mean plus maximum over each of 16 strips: (N, H, W, C) to (N, 16, C)."""
    n, h, w, c = x.shape
    x = x.reshape(n, PARTS, h // PARTS * w, c)
    return x.mean(axis=2) + maximum(x, axis=2)


def check_maps(x: Array, channels: int) -> None:
    """DataError unless x is (N, T, H, W, channels) with H and W the network can divide."""
    if x.ndim != 5 or x.shape[-1] != channels or x.shape[2] % 64 or x.shape[3] % 4:
        raise DataError(
            f"input of shape {x.shape}; expected (N, T, H, W, {channels}) with H a multiple of "
            "64 and W of 4, such as 64 x 44"
        )


class SkeletonGait(nn.Module):
    """Input maps (N, T, H, W, 2) in [0, 1], limbs and joints; any T; outputs of `PartHead`.

    Maximum over time between the layers and the head.

    Attributes:
      in_channels: channels of the maps.
      layers: blocks of layers 1 to 4.
      channels: channels of layers 1 to 4.
      classes: training identities, the width of the logits.
      dtype: compute type, float32 or bfloat16.
    """

    inputs: ClassVar = ("maps",)
    any_length: ClassVar = True

    in_channels: int = 2
    layers: tuple[int, ...] = (1, 4, 4, 1)
    channels: tuple[int, ...] = (64, 128, 256, 512)
    classes: int = 3000
    dtype: str = "float32"

    def setup(self) -> None:
        dtype = compute_dtype(self.dtype)
        self.layer0 = Stem(self.channels[0], dtype)
        self.layer1 = [BasicBlock(dtype) for _ in range(self.layers[0])]
        self.layer2, self.layer3, self.layer4 = p3d_layers(self.layers, self.channels, dtype)
        self.head = PartHead(self.classes)

    def __call__(
        self, x: Array, mask: Array | None = None, train: bool = False
    ) -> dict[str, Array]:
        """embed_1, embed_2 and logits; mask (N, T) marks the real frames of padded sequences."""
        return self.finish(self.piece(x, mask, mask, train), train)

    @property
    def sees(self) -> tuple[int, int]:
        """Frames before and after each that its features depend on."""
        return p3d_sees(self.layers)

    def piece(self, x: Array, mask: Array | None, own: Array | None, train: bool = False) -> Array:
        """Features (N, H / 4, W / 4, C): their maximum over the frames `own` (N, T)."""
        check_maps(x, self.in_channels)
        for layer in (self.layer0, *self.layer1, *self.layer2, *self.layer3, *self.layer4):
            x = layer(x, mask, train)
        return over_time(x, own)

    join = staticmethod(jnp.maximum)  # what `piece` gives of two pieces together

    def finish(self, pool: Array, train: bool = False) -> dict[str, Array]:
        """The outputs from what `piece` gave of all pieces."""
        return self.head(strips(pool), train)


def p3d_sees(layers: Sequence[int]) -> tuple[int, int]:
    """Frames before and after each that layers 2 to 4 see: one for each block."""
    return sum(layers[1:]), sum(layers[1:])


def p3d_layers(
    layers: Sequence[int], channels: Sequence[int], dtype: DTypeName
) -> list[list[P3DBlock]]:
    """The blocks of layers 2 to 4."""
    return [
        [P3DBlock(features, stride if i == 0 else 1, dtype) for i in range(blocks)]
        for blocks, features, stride in zip(layers[1:], channels[1:], STRIDES, strict=True)
    ]
