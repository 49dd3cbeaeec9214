"""Initial values of every parameter, by the name of its leaf (specification 6.1).

Xavier-uniform matrices, zero biases, batch-norm scales near one. `init` draws a whole
network at once: Flax's own `model.init` gives the same distributions, but compiles a
random generator for each of the hundreds of leaves, which takes minutes.
"""

import itertools
import math
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import linen as nn
from flax.traverse_util import flatten_dict, unflatten_dict
from jax import Array

Shape = tuple[int, ...]


def _xavier(shape: Shape) -> float:
    """Bound for a kernel (..., in, out); leading axes are its taps."""
    return math.sqrt(6 / (math.prod(shape[:-2]) * (shape[-2] + shape[-1])))


def _part_xavier(shape: Shape) -> float:
    """Bound for part matrices (parts, in, out), on the fans the reference takes them to have."""
    parts, inputs, outputs = shape
    return math.sqrt(6 / (outputs * (inputs + parts)))


def _nothing(shape: Shape) -> float:
    return 0.0


class Initial(NamedTuple):
    """offset + spread(shape) * draw, where a draw is U(-1, 1), or N(0, 1) if `normal`."""

    offset: float
    spread: Callable[[Shape], float] = _nothing
    normal: bool = False


INITIAL = {
    "kernel": Initial(0, _xavier),
    "bias": Initial(0),
    "scale": Initial(1, lambda shape: 0.02, normal=True),
    "edge": Initial(1),
    "fc": Initial(0, _part_xavier),
    "classifier": Initial(0, _part_xavier),
    "mean": Initial(0),
    "var": Initial(1),
}


def initial(leaf: str) -> Callable[..., Array]:
    """Flax initialiser, (key, shape) to float32, of the parameters called `leaf`."""
    offset, spread, normal = INITIAL[leaf]

    def draw(key: Array, shape: Shape, dtype=jnp.float32) -> Array:
        if spread is _nothing:
            return jnp.full(shape, offset, dtype)
        random = jax.random.normal if normal else _symmetric
        return offset + spread(shape) * random(key, shape, dtype)

    return draw


def _symmetric(key: Array, shape: Shape, dtype=jnp.float32) -> Array:
    return jax.random.uniform(key, shape, dtype, -1, 1)


def init(model: nn.Module, key: Array, x: Array) -> dict:
    """Initial {"params", "batch_stats"} of `model` for inputs shaped like `x` (not computed on).

    Every leaf is a slice of one vector of uniform or one of normal draws.
    """
    shapes = flatten_dict(jax.eval_shape(model.init, key, x))
    rules = {path: INITIAL[path[-1]] for path in shapes}
    drawn = {
        normal: [p for p, r in rules.items() if r.spread is not _nothing and r.normal == normal]
        for normal in (False, True)
    }

    @jax.jit
    def draw(key: Array) -> dict:
        values = {p: jnp.full(shapes[p].shape, r.offset, jnp.float32) for p, r in rules.items()}
        for normal, paths in drawn.items():
            sizes = [shapes[p].size for p in paths]
            random = jax.random.normal if normal else _symmetric
            vector = random(jax.random.fold_in(key, normal), (sum(sizes),))
            parts = jnp.split(vector, list(itertools.accumulate(sizes))[:-1])
            for p, part in zip(paths, parts, strict=True):
                shape = shapes[p].shape
                values[p] = rules[p].offset + rules[p].spread(shape) * part.reshape(shape)
        return values

    return unflatten_dict(draw(key))
