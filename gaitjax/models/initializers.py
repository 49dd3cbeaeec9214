"""Initial values: what the layers declare (specification 6.1), and `init` of a whole network.

Flax's own `model.init` compiles a random generator for each of the hundreds of leaves, which
takes minutes. So the leaves whose layers declare one of those below are slices of one
vector of draws; what a network declares otherwise is drawn as it says, by a generator that is
quicker to compile.
"""

import dataclasses
import functools
import itertools
import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
from flax import linen as nn
from flax.traverse_util import flatten_dict, unflatten_dict
from jax import Array
from jax.ad_checkpoint import checkpoint_name

Shape = tuple[int, ...]


@dataclasses.dataclass(frozen=True)
class Initial:
    """Flax initialiser, offset + spread(shape) * draw, in float32.

    A draw is U(-1, 1), or N(0, 1) if `normal`; without `spread` there is none, and no key needed.
    """

    name: str
    offset: float
    spread: Callable[[Shape], float] | None = None
    normal: bool = False

    def __call__(self, key: Array, shape: Shape) -> Array:
        draw = None if self.spread is None else _draws(key, shape, self.normal)
        return checkpoint_name(self.value(shape, draw), self.label(shape))

    def value(self, shape: Shape, draw: Array | None) -> Array:
        if self.spread is None or draw is None:
            return jnp.full(shape, self.offset, jnp.float32)
        return self.offset + self.spread(shape) * draw

    def label(self, shape: Shape) -> str:
        """What a leaf so initialised is called in a trace, by which `init` finds it."""
        return f"{self.name} {shape}"


def _draws(key: Array, shape: Shape, normal: bool) -> Array:
    if normal:
        return jax.random.normal(key, shape, jnp.float32)
    return jax.random.uniform(key, shape, jnp.float32, -1, 1)


def _xavier(shape: Shape) -> float:
    """Bound for a kernel (..., in, out); leading axes are its taps."""
    return math.sqrt(6 / (math.prod(shape[:-2]) * (shape[-2] + shape[-1])))


def _part_xavier(shape: Shape) -> float:
    """Bound for part matrices (parts, in, out), on the fans the reference takes them to have."""
    parts, inputs, outputs = shape
    return math.sqrt(6 / (outputs * (inputs + parts)))


def _each_xavier(shape: Shape) -> float:
    """Bound for several matrices (..., in, out) in one array."""
    return math.sqrt(6 / (shape[-2] + shape[-1]))


XAVIER = Initial("xavier", 0, _xavier)
EACH_XAVIER = Initial("each_xavier", 0, _each_xavier)
PART_XAVIER = Initial("part_xavier", 0, _part_xavier)
NEAR_ONE = Initial("near_one", 1, lambda shape: 0.02, normal=True)
ZEROS = Initial("zeros", 0)
ONES = Initial("ones", 1)
TINY = Initial("tiny", 1e-6)
_OURS = (XAVIER, EACH_XAVIER, PART_XAVIER, NEAR_ONE, ZEROS, ONES, TINY)


def shapes(model: nn.Module, x: Array | jax.ShapeDtypeStruct) -> dict:
    """Shapes and dtypes of what `init` gives; nothing is computed."""
    return {"params": {}, "batch_stats": {}} | unflatten_dict(_leaves(model, x)[0])


def init(model: nn.Module, key: Array, x: Array) -> dict:
    """Initial {"params", "batch_stats"} of `model` for inputs shaped like `x` (not computed on)."""
    leaves, rules = _leaves(model, x)
    flat = {path: leaf.shape for path, leaf in leaves.items()}

    @jax.jit
    def draw(key: Array) -> dict:
        values = {}
        if None in rules.values():
            quick = jnp.tile(jax.random.key_data(jax.random.fold_in(key, 2)), 2)
            values = flatten_dict(model.init(jax.random.wrap_key_data(quick, impl="unsafe_rbg"), x))
        for normal in (False, True):
            drawn = {
                path: (flat[path], rule)
                for path, rule in rules.items()
                if rule and rule.spread and rule.normal == normal
            }
            ends = list(itertools.accumulate((math.prod(s) for s, _ in drawn.values()), initial=0))
            vector = _draws(jax.random.fold_in(key, normal), (ends[-1],), normal)
            for path, start, end in zip(drawn, ends, ends[1:], strict=False):
                shape, rule = drawn[path]
                values[path] = rule.value(shape, vector[start:end].reshape(shape))
        constant = {path: rule for path, rule in rules.items() if rule and not rule.spread}
        return values | {path: rule.value(flat[path], None) for path, rule in constant.items()}

    return {"params": {}, "batch_stats": {}} | unflatten_dict(draw(key))


def _leaves(model: nn.Module, x: Array | jax.ShapeDtypeStruct) -> tuple[dict, dict]:
    """Of each leaf the shape and dtype, and how it is drawn: by one of ours, or None."""
    try:
        hash(model)
    except TypeError:  # a field of an own network that is no plain value
        return _trace(model, x.shape, x.dtype, jax.config.read("jax_enable_x64"))
    return _known(model, x.shape, x.dtype, jax.config.read("jax_enable_x64"))


def _trace(model: nn.Module, shape: Shape, dtype: jnp.dtype, x64: bool) -> tuple[dict, dict]:
    key = jax.eval_shape(lambda: jax.random.key(0))
    x = jax.ShapeDtypeStruct(shape, dtype)
    trace, given = jax.make_jaxpr(model.init, return_shape=True)(key, x)
    flat = flatten_dict(given)
    labels = {id(e.outvars[0]): e.params["name"] for e in trace.eqns if e.primitive.name == "name"}
    rules: dict[tuple, Initial | None] = {}
    for (path, leaf), made in zip(flat.items(), trace.jaxpr.outvars, strict=True):
        label = labels.get(id(made))
        rules[path] = next((rule for rule in _OURS if rule.label(leaf.shape) == label), None)
    return flat, rules


# Asked for several times in every run, and tracing a network takes a second or two.
_known = functools.lru_cache(maxsize=8)(_trace)
