"""ResGCN: residual graph convolution network over poses (specification 5.1, 5.2).

Song et al., "Stronger, Faster and More Explainable: A Graph Convolutional Baseline for
Skeleton-Based Action Recognition" (2020), with the strides of the released GaitGraph models.
Parameters: `branch_<stream>_bn`, `branch_<stream>_block_<i>` and `main_<i>`, each block with
`edge`, `spatial` and `temporal`; then `fc`.
"""

from collections.abc import Callable, Mapping
from functools import partial
from operator import itemgetter
from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax import Array

from gaitjax.errors import DataError
from gaitjax.models.dtypes import at_least_float32
from gaitjax.models.initializers import ONES, XAVIER, ZEROS
from gaitjax.models.layers import (
    EXACT,
    BatchNorm,
    Conv,
    DTypeName,
    cast,
    linear,
    linear_bn,
)
from gaitjax.models.ops import product
from gaitjax.skeleton import MAX_HOP, JointFormat, adjacency

STORED = ("params", "batch_stats")
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
    """sum_k A_k (x W_k + b_k) over the hop distances k, x (N, T, V, C), A (HOPS, V, V).

    All of it is one matrix over joints and channels: fewer bytes than a product for each hop,
    and no other order of the axes.
    """

    features: int
    dtype: DTypeName = None

    @nn.compact
    def __call__(self, x: Array, graph: Array) -> Array:
        n, t, v, c = x.shape
        kernel = self.param("kernel", XAVIER, (c, HOPS * self.features))
        bias = self.param("bias", ZEROS, (HOPS * self.features,))
        kernel, bias = kernel.reshape(c, HOPS, -1), bias.reshape(HOPS, -1)
        matrix = jnp.einsum("kvw,ckd->vcwd", graph, kernel, precision=EXACT)
        offset = jnp.einsum("kvw,kd->wd", graph, bias, precision=EXACT)
        x, matrix, offset = cast(self.dtype, x.reshape(n, t, -1), matrix, offset)
        y = product(x, matrix.reshape(v * c, -1)) + offset.ravel()
        return y.reshape(n, t, v, self.features)


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
            return nn.relu(bn(conv(x, graph), train=train))
        residual = x
        if block.project:
            residual = linear_bn(x, block.channels, self.dtype, "residual", train=train)
        x = nn.relu(linear_bn(x, block.inner, self.dtype, "down", train=train))
        x = nn.relu(bn(conv(x, graph), train=train))
        return nn.relu(linear_bn(x, block.channels, self.dtype, "up", train=train) + residual)


class Temporal(nn.Module):
    """9-frame convolution of a block, inside a bottleneck unless it is the first block."""

    block: Block
    dtype: DTypeName = None

    @nn.compact
    def __call__(self, x: Array, train: bool) -> Array:
        block = self.block
        stride = (block.stride, 1)
        conv = Conv(block.inner or block.channels, (9,), stride, True, self.dtype, name="conv")
        bn = BatchNorm(self.dtype, name="bn")
        if not block.inner:
            return nn.relu(bn(conv(x), train=train))
        residual = x
        if block.stride > 1:
            residual = Conv(block.channels, (), stride, True, self.dtype, name="residual")(x)
            residual = BatchNorm(self.dtype, name="residual_bn")(residual, train=train)
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


def _stack(variables: Mapping) -> dict:
    """`branch_<m>_<part>` of all streams m as `branch_<part>`, with a leading axis (M, ...)."""

    def stack(tree: Mapping) -> dict:
        streams: dict[str, list] = {}
        for name in sorted(filter(_of_branch, tree)):
            streams.setdefault(name.split("_", 2)[2], []).append(tree[name])
        rest = {name: tree[name] for name in tree if not _of_branch(name)}
        together = partial(jax.tree.map, lambda *leaves: jnp.stack(leaves))
        return rest | {f"branch_{part}": together(*trees) for part, trees in streams.items()}

    return {kind: stack(tree) for kind, tree in variables.items()}


def _unstack(variables: Mapping) -> dict:
    """The inverse of `_stack`."""

    def unstack(tree: Mapping) -> dict:
        single = {name: tree[name] for name in tree if not _of_branch(name)}
        for name in filter(_of_branch, tree):
            for m in range(len(jax.tree.leaves(tree[name])[0])):
                part = jax.tree.map(itemgetter(m), tree[name])
                single[name.replace("branch", f"branch_{m}")] = part
        return single

    return {kind: unstack(tree) for kind, tree in variables.items()}


def _of_branch(name: str) -> bool:
    return name.startswith("branch")


def _alone(module: type[nn.Module], *_) -> type[nn.Module]:
    return module


def _for_each_stream(module: type[nn.Module], *arguments: int | None) -> type[nn.Module]:
    """`module` on (M, ...) with variables (M, ...): one computation for all streams.

    `arguments`: 0 for each argument that has the axis M, None for each that is shared.
    """
    return nn.vmap(
        module,
        variable_axes={"params": 0, "batch_stats": 0, "intermediates": 0},
        split_rngs={"params": True},
        in_axes=arguments,
    )


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

        def branch(network: nn.Module, y: Array, name: str, each: Callable = _alone) -> Array:
            y = each(BatchNorm, 0, None, None)(self.dtype, name=f"{name}_bn")(y, None, train)
            for i, block in enumerate(branch_blocks):
                module = each(GraphBlock, 0, None)
                y = module(block, self.fmt, self.dtype, name=f"{name}_block_{i}")(y, train)
            return y

        if self.is_initializing():  # as stored, each branch declares its own variables
            branches = [branch(self, x[..., m, :], f"branch_{m}") for m in range(streams)]
        else:
            stacked = nn.map_variables(branch, STORED, _stack, _unstack, mutable=True)
            branches = list(stacked(self, jnp.moveaxis(x, -2, 0), "branch", _for_each_stream))
        y = jnp.concatenate(branches, axis=-1)
        for i, block in enumerate(main_blocks):
            y = GraphBlock(block, self.fmt, self.dtype, name=f"main_{i}")(y, train)
        y = at_least_float32(y).mean(axis=(1, 2))
        return linear(self.embedding_dim, None, "fc")(y)
