"""SkeletonGait++ (Fan et al. 2024): skeleton maps and silhouettes, fused early (section 5.7).

Parameters: `silhouette_layer0`, `map_layer0`, `silhouette_layer1_<i>`, `map_layer1_<i>`,
`fusion`, then as SkeletonGait from `layer2_<i>` on.
"""

from typing import ClassVar

import jax.numpy as jnp
from flax import linen as nn
from jax import Array

from gaitjax.models.layers import BatchNorm, DTypeName, compute_dtype, linear
from gaitjax.models.parts import PartHead
from gaitjax.models.skeletongait import (
    BasicBlock,
    Stem,
    check_maps,
    conv3x3,
    over_time,
    p3d_layers,
    p3d_sees,
    strips,
)

REDUCTION = 32  # of the fused channels, in the network that weighs the two inputs


class Fusion(nn.Module):
    """Sum of two feature maps with learned weights for each pixel and channel."""

    dtype: DTypeName = None

    @nn.compact
    def __call__(self, silhouette: Array, maps: Array, mask: Array | None, train: bool) -> Array:
        both = jnp.concatenate([silhouette, maps], axis=-1)
        inner = both.shape[-1] // REDUCTION
        y = linear(inner, self.dtype, "reduce", use_bias=False)(both)
        y = nn.relu(BatchNorm(self.dtype, name="reduce_bn")(y, mask, train))
        y = conv3x3(inner, self.dtype, "conv")(y)
        y = nn.relu(BatchNorm(self.dtype, name="conv_bn")(y, mask, train))
        y = linear(both.shape[-1], self.dtype, "expand", use_bias=False)(y)
        # A softmax over two scores is a sigmoid of their difference.
        first, second = jnp.split(y, 2, axis=-1)
        weight = nn.sigmoid(first - second)
        return weight * silhouette + (1 - weight) * maps


class SkeletonGaitPP(nn.Module):
    """Input (N, T, H, W, 3) in [0, 1]: maps of limbs and joints, then silhouette; any T.

    Outputs as `gaitjax.models.parts.PartHead`.

    Attributes:
      layers: blocks of layers 1 to 4.
      channels: channels of layers 1 to 4.
      classes: training identities, the width of the logits.
      dtype: compute type, float32 or bfloat16.
    """

    inputs: ClassVar = ("maps", "silhouettes")
    any_length: ClassVar = True

    layers: tuple[int, ...] = (1, 4, 4, 1)
    channels: tuple[int, ...] = (64, 128, 256, 512)
    classes: int = 3000
    dtype: str = "float32"

    def setup(self) -> None:
        dtype, blocks = compute_dtype(self.dtype), range(self.layers[0])
        self.map_layer0 = Stem(self.channels[0], dtype)
        self.map_layer1 = [BasicBlock(dtype) for _ in blocks]
        self.silhouette_layer0 = Stem(self.channels[0], dtype)
        self.silhouette_layer1 = [BasicBlock(dtype) for _ in blocks]
        self.fusion = Fusion(dtype)
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
        check_maps(x, 3)
        maps, silhouette = x[..., :2], x[..., 2:]
        for layer in (self.map_layer0, *self.map_layer1):
            maps = layer(maps, mask, train)
        for layer in (self.silhouette_layer0, *self.silhouette_layer1):
            silhouette = layer(silhouette, mask, train)
        x = self.fusion(silhouette, maps, mask, train)
        for layer in (*self.layer2, *self.layer3, *self.layer4):
            x = layer(x, mask, train)
        return over_time(x, own)

    join = staticmethod(jnp.maximum)  # what `piece` gives of two pieces together

    def finish(self, pool: Array, train: bool = False) -> dict[str, Array]:
        """The outputs from what `piece` gave of all pieces."""
        return self.head(strips(pool), train)
