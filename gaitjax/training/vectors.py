"""Trees of many small arrays as one long vector, for what treats every number alike.

A network has hundreds of parameters of a few hundred numbers each. Updated one by one they are
most of a step's program, and of the time to compile it, for next to none of its work.
"""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import optax
from flax import struct
from jax import Array, lax

SMALL = 2**16  # numbers; to copy larger arrays together costs more than it spares


@struct.dataclass
class Packed:
    """The arrays of a tree, the small ones of each type joined.

    Attributes:
      small: a vector of each type.
      large: the other arrays, in the tree's order.
      like: the tree's structure, and the shape and type of each of its arrays.
    """

    small: dict[str, Any]
    large: list[Array]
    like: Any = struct.field(pytree_node=False)


def pack(tree, like: Any = None) -> Packed:
    """A tree of arrays, of NumPy or of JAX, `Packed`.

    Args:
      like: a `Packed.like` whose types say what is joined; default: the tree's own.
    """
    leaves, structure = jax.tree.flatten(tree)
    like = like or (structure, tuple((leaf.shape, str(leaf.dtype)) for leaf in leaves))
    small: dict[str, list] = {}
    large = []
    for leaf, (_, dtype) in zip(leaves, like[1], strict=True):
        if leaf.size < SMALL:
            small.setdefault(dtype, []).append(leaf.ravel())
        else:
            large.append(leaf)
    return Packed({dtype: _joined(parts) for dtype, parts in small.items()}, large, like)


def _joined(parts: list):
    host = isinstance(parts[0], np.ndarray)
    return np.concatenate(parts) if host else lax.concatenate(parts, 0)


def unpack(packed: Packed):
    """The tree that `pack` was given."""
    structure, shapes = packed.like
    large, leaves, used = iter(packed.large), [], dict.fromkeys(packed.small, 0)
    for shape, dtype in shapes:
        size = int(np.prod(shape))
        if size < SMALL:
            begin, used[dtype] = used[dtype], used[dtype] + size
            leaves.append(packed.small[dtype][begin : begin + size].reshape(shape))
        else:
            leaves.append(next(large))
    return jax.tree.unflatten(structure, leaves)


def together(inner: optax.GradientTransformation) -> optax.GradientTransformation:
    """`inner`, which treats every number alike or sums over all, with parameters and state packed.

    Checkpoints keep the state array by array: `spread` and `gathered` are the way there and back.
    """

    def update(updates, state, params=None):
        given = None if params is None else pack(params)
        updates, state = inner.update(pack(updates), state, given)
        return unpack(updates), state

    return optax.GradientTransformation(lambda params: inner.init(pack(params)), update)


def spread(tree, of: Callable[[Packed], Any] = unpack):
    """A tree with every `Packed` part of it as the tree that it was."""
    return jax.tree.map(lambda node: of(node) if _is(node) else node, tree, is_leaf=_is)


def gathered(tree, like, of: Callable[[Any, Any], Packed] = pack):
    """The inverse of `spread`: packed where and as `like` is."""
    return jax.tree.map(lambda a, b: of(b, a.like) if _is(a) else b, like, tree, is_leaf=_is)


def _is(node) -> bool:
    return isinstance(node, Packed)
