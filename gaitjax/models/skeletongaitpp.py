"""SkeletonGait++ (Fan et al. 2024): skeleton maps and silhouettes, fused early (section 5.7).

Parameters: `silhouette_layer0`, `map_layer0`, `silhouette_layer1_<i>`, `map_layer1_<i>`,
`fusion`, then as SkeletonGait from `layer2_<i>` on.
"""

from typing import ClassVar

import jax.numpy as jnp
from flax import linen as nn
from jax import Array

from gaitjax.models.layers import BatchNorm, DTypeName, compute_dtype, linear
from gaitjax.models.skeletongait import (
    BasicBlock,
    PartHead,
    Stem,
    check_maps,
    conv3x3,
    p3d_layers,
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

    Outputs as `gaitjax.models.skeletongait.PartHead`.

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

    @nn.compact
    def __call__(
        self, x: Array, mask: Array | None = None, train: bool = False
    ) -> dict[str, Array]:
        """embed_1, embed_2 and logits; mask (N, T) marks the real frames of padded sequences."""
        check_maps(x, 3)
        dtype = compute_dtype(self.dtype)

        def low_level(name: str, y: Array) -> Array:
            y = Stem(self.channels[0], dtype, name=f"{name}_layer0")(y, mask, train)
            for i in range(self.layers[0]):
                y = BasicBlock(dtype, name=f"{name}_layer1_{i}")(y, mask, train)
            return y

        maps, silhouette = low_level("map", x[..., :2]), low_level("silhouette", x[..., 2:])
        x = Fusion(dtype, name="fusion")(silhouette, maps, mask, train)
        x = p3d_layers(x, self.layers, self.channels, mask, train, dtype)
        return PartHead(self.classes, name="head")(x, mask, train)
