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
from gaitjax.models.initializers import ONES, XAVIER, ZEROS
from gaitjax.models.layers import (
    BatchNorm,
    DTypeName,
    TemporalConv,
    cast,
    linear,
    linear_bn,
    product_bn,
)
from gaitjax.models.ops import product
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


def mix_joints(x: Array, matrix: Array) -> Array:
    """sum_v matrix (V, W) x (N, V, T, C): (N, W, T, C)."""
    n, v, t, c = x.shape
    return jnp.einsum("vw,nvx->nwx", matrix, x.reshape(n, v, -1)).reshape(n, -1, t, c)


class GraphConv(nn.Module):
    """Normalised sum_k A_k (x W_k + b_k) over the hop distances k.

    x (N, V, T, C), graph A (HOPS, V, V). Joints are mixed where there are fewer channels.
    """

    features: int
    dtype: DTypeName = None

    @nn.compact
    def __call__(self, x: Array, graph: Array, norm: BatchNorm, train: bool) -> Array:
        c = x.shape[-1]
        kernel = self.param("kernel", XAVIER, (c, HOPS * self.features))
        bias = self.param("bias", ZEROS, (HOPS * self.features,))
        if c < self.features:
            x, graph = cast(
                self.dtype, jnp.pad(x, [(0, 0)] * 3 + [(0, 1)], constant_values=1), graph
            )
            x = jnp.concatenate([mix_joints(x, a) for a in graph], axis=-1)
            kernel = jnp.concatenate([kernel, bias[None]]).reshape(c + 1, HOPS, self.features)
            kernel = jnp.swapaxes(kernel, 0, 1).reshape(-1, self.features)
            return product_bn(x, kernel, jnp.zeros_like(bias[: self.features]), norm, train=train)
        offset = jnp.einsum("kd,kvw->wd", bias.reshape(HOPS, -1), graph)[:, None]
        x, kernel, offset, graph = cast(self.dtype, x, kernel, offset, graph)
        hops = [product(x, w) for w in jnp.split(kernel, HOPS, axis=1)]
        y = mix_joints(jnp.concatenate(hops, axis=1), graph.reshape(-1, graph.shape[-1]))
        return norm(y + offset, train=train)


class Spatial(nn.Module):
    """Graph convolution of a block, inside a bottleneck unless it is the first block."""

    block: Block
    dtype: DTypeName = None

    @nn.compact
    def __call__(self, x: Array, graph: Array, train: bool) -> Array:
        block = self.block
        conv = GraphConv(block.inner or block.channels, self.dtype, name="conv")
        bn = BatchNorm(self.dtype, name="bn")
        if not block.inner:
            return nn.relu(conv(x, graph, bn, train))
        residual = x
        if block.project:
            residual = linear_bn(x, block.channels, self.dtype, "residual", train=train)
        x = nn.relu(linear_bn(x, block.inner, self.dtype, "down", train=train))
        x = nn.relu(conv(x, graph, bn, train))
        return nn.relu(linear_bn(x, block.channels, self.dtype, "up", train=train) + residual)


class Temporal(nn.Module):
    """9-frame convolution of a block, inside a bottleneck unless it is the first block."""

    block: Block
    dtype: DTypeName = None

    @nn.compact
    def __call__(self, x: Array, train: bool) -> Array:
        block = self.block
        conv = TemporalConv(
            block.inner or block.channels, 9, block.stride, dtype=self.dtype, time=2, name="conv"
        )
        bn = BatchNorm(self.dtype, name="bn")
        if not block.inner:
            return nn.relu(bn(conv(x), train=train))
        residual = x
        if block.stride > 1:
            strided = x[:, :, :: block.stride]
            residual = linear_bn(strided, block.channels, self.dtype, "residual", train=train)
        x = nn.relu(linear_bn(x, block.inner, self.dtype, "down", train=train))
        x = nn.relu(bn(conv(x), train=train))
        return nn.relu(linear_bn(x, block.channels, self.dtype, "up", train=train) + residual)


class GraphBlock(nn.Module):
    """Spatial then temporal convolution, with a learned weight for each edge of the graph."""

    block: Block
    fmt: JointFormat
    dtype: DTypeName = None

    @nn.compact
    def __call__(self, x: Array, train: bool) -> Array:
        a = adjacency(self.fmt)
        edge = self.param("edge", ONES, a.shape)
        graph = jnp.asarray(a[:HOPS]) * edge[:HOPS]
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
            y = jnp.swapaxes(
                y, 1, 2
            )  # (N, V, T, C): time next to the channels it is convolved with
            for i, block in enumerate(branch_blocks):
                y = GraphBlock(block, self.fmt, self.dtype, name=f"branch_{m}_block_{i}")(y, train)
            outputs.append(y)
        y = jnp.concatenate(outputs, axis=-1)
        for i, block in enumerate(main_blocks):
            y = GraphBlock(block, self.fmt, self.dtype, name=f"main_{i}")(y, train)
        y = y.astype(jnp.promote_types(y.dtype, jnp.float32)).mean(axis=(1, 2))
        return linear(self.embedding_dim, None, "fc")(y)
