"""ResGCN: residual graph convolution network over poses (specification 5.1, 5.2).

Song et al., "Stronger, Faster and More Explainable: A Graph Convolutional Baseline for
Skeleton-Based Action Recognition" (2020), with the strides of the released GaitGraph models.
Parameters: `branch_<stream>_bn`, `branch_<stream>_block_<i>` and `main_<i>`, each block with
`edge`, `spatial` and `temporal`; then `fc`.
"""

from typing import NamedTuple

import jax.numpy as jnp
from flax import linen as nn
from jax import Array

from gaitjax.errors import DataError
from gaitjax.models.initial import initial
from gaitjax.models.layers import BatchNorm, DTypeName, TemporalConv, cast, linear
from gaitjax.skeleton import MAX_HOP, JointFormat, adjacency

HOPS = MAX_HOP  # distances 0, 1, 2: the last slice of `edge` is kept for checkpoints, unused


class Block(NamedTuple):
    """One graph block: a spatial, then a temporal convolution.

    Attributes:
      channels: output channels.
      inner: channels inside the two bottlenecks; 0: no bottlenecks and no residuals.
      project: the spatial residual is a 1x1 convolution, since the channels change.
      stride: temporal stride; above 1 the temporal residual is a strided 1x1 convolution.
    """

    channels: int
    inner: int
    project: bool
    stride: int


def plan(
    branch: tuple[int, ...], main: tuple[int, ...], reduction: int, streams: int
) -> tuple[list[Block], list[Block]]:
    """Blocks of every input branch and of the main stream, from channels (in, ..., out).

    The first main block, and each later one that changes the channels, halves time.
    """
    if branch[-1] != main[0]:
        raise DataError(
            f"model.branch ends with {branch[-1]}, but model.main starts with {main[0]}"
        )
    first = Block(branch[1], inner=0, project=False, stride=1)
    branch_blocks = [first] + [
        Block(out, out // reduction, project=inp != out, stride=1)
        for inp, out in zip(branch[1:-1], branch[2:], strict=True)
    ]
    inputs = (streams * main[0],) + main[1:-1]
    main_blocks = [
        Block(out, out // reduction, project=inp != out, stride=2 if i == 0 or inp != out else 1)
        for i, (inp, out) in enumerate(zip(inputs, main[1:], strict=True))
    ]
    return branch_blocks, main_blocks


class GraphConv(nn.Module):
    """sum_k A_k (x W_k + b_k) over the hop distances k; x (N, T, V, C), graph (HOPS, V, V).

    Channel and joint mixing are merged into one (V C, V C') matrix: more products than
    one after the other, but a single dense one without intermediate arrays.
    """

    features: int
    dtype: DTypeName = None

    @nn.compact
    def __call__(self, x: Array, graph: Array) -> Array:
        n, t, v, c = x.shape
        kernel = self.param("kernel", initial("kernel"), (c, HOPS * self.features))
        bias = self.param("bias", initial("bias"), (HOPS * self.features,))
        kernel, bias = kernel.reshape(c, HOPS, -1), bias.reshape(HOPS, -1)
        matrix = jnp.einsum("ckd,kvw->vcwd", kernel, graph).reshape(v * c, v * self.features)
        offset = jnp.einsum("kd,kvw->wd", bias, graph)
        x, matrix, offset = cast(self.dtype, x, matrix, offset)
        return (x.reshape(n, t, v * c) @ matrix).reshape(n, t, v, self.features) + offset


class Spatial(nn.Module):
    """Graph convolution of a block, inside a bottleneck unless it is the first block."""

    block: Block
    dtype: DTypeName = None

    @nn.compact
    def __call__(self, x: Array, graph: Array, train: bool) -> Array:
        block = self.block
        if not block.inner:
            y = GraphConv(block.channels, self.dtype, name="conv")(x, graph)
            return nn.relu(BatchNorm(self.dtype, name="bn")(y, train=train))
        residual = x
        if block.project:
            residual = linear(block.channels, self.dtype, "residual")(x)
            residual = BatchNorm(self.dtype, name="residual_bn")(residual, train=train)
        x = linear(block.inner, self.dtype, "down")(x)
        x = nn.relu(BatchNorm(self.dtype, name="down_bn")(x, train=train))
        x = GraphConv(block.inner, self.dtype, name="conv")(x, graph)
        x = nn.relu(BatchNorm(self.dtype, name="bn")(x, train=train))
        x = linear(block.channels, self.dtype, "up")(x)
        x = BatchNorm(self.dtype, name="up_bn")(x, train=train)
        return nn.relu(x + residual)


class Temporal(nn.Module):
    """9-frame convolution of a block, inside a bottleneck unless it is the first block."""

    block: Block
    dtype: DTypeName = None

    @nn.compact
    def __call__(self, x: Array, train: bool) -> Array:
        block = self.block
        if not block.inner:
            y = TemporalConv(block.channels, 9, dtype=self.dtype, name="conv")(x)
            return nn.relu(BatchNorm(self.dtype, name="bn")(y, train=train))
        residual = x
        if block.stride > 1:
            residual = linear(block.channels, self.dtype, "residual")(x[:, :: block.stride])
            residual = BatchNorm(self.dtype, name="residual_bn")(residual, train=train)
        x = linear(block.inner, self.dtype, "down")(x)
        x = nn.relu(BatchNorm(self.dtype, name="down_bn")(x, train=train))
        x = TemporalConv(block.inner, 9, block.stride, dtype=self.dtype, name="conv")(x)
        x = nn.relu(BatchNorm(self.dtype, name="bn")(x, train=train))
        x = linear(block.channels, self.dtype, "up")(x)
        x = BatchNorm(self.dtype, name="up_bn")(x, train=train)
        return nn.relu(x + residual)


class GraphBlock(nn.Module):
    """Spatial then temporal convolution, with a learned weight for each edge of the graph."""

    block: Block
    fmt: JointFormat
    dtype: DTypeName = None

    @nn.compact
    def __call__(self, x: Array, train: bool) -> Array:
        a = adjacency(self.fmt)
        edge = self.param("edge", initial("edge"), a.shape)
        graph = a[:HOPS] * edge[:HOPS]
        x = Spatial(self.block, self.dtype, name="spatial")(x, graph, train)
        return Temporal(self.block, self.dtype, name="temporal")(x, train)


class ResGCN(nn.Module):
    """x (N, T, V, M, C) of M streams to embeddings (N, D), not normalised, float32."""

    fmt: JointFormat
    branch: tuple[int, ...]
    main: tuple[int, ...]
    reduction: int
    embedding_dim: int
    dtype: DTypeName = None

    @nn.compact
    def __call__(self, x: Array, train: bool) -> Array:
        streams = x.shape[-2]
        branch_blocks, main_blocks = plan(self.branch, self.main, self.reduction, streams)
        outputs = []
        for m in range(streams):
            y = BatchNorm(self.dtype, name=f"branch_{m}_bn")(x[..., m, :], train=train)
            for i, block in enumerate(branch_blocks):
                y = GraphBlock(block, self.fmt, self.dtype, name=f"branch_{m}_block_{i}")(y, train)
            outputs.append(y)
        y = jnp.concatenate(outputs, axis=-1)
        for i, block in enumerate(main_blocks):
            y = GraphBlock(block, self.fmt, self.dtype, name=f"main_{i}")(y, train)
        y = y.astype(jnp.promote_types(y.dtype, jnp.float32)).mean(axis=(1, 2))
        return linear(self.embedding_dim, None, "fc")(y)
