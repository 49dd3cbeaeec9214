"""Attention among the few joints of each frame."""

import jax
import jax.numpy as jnp
from jax import Array

from gaitjax.models.dtypes import at_least_float32
from gaitjax.models.ops.platforms import by_platform


def attention(queries: Array, keys: Array, values: Array) -> Array:
    """softmax(queries keys^T) values of each frame and head; weights in at least float32.

    Args:
      queries, keys: (N, T, V, heads, C); the queries are scaled already.
      values: (N, T, V, heads, D).
    Returns:
      (N, T, V, heads, D) in the type of `values`.
    """
    return by_platform(products, queries, keys, values, cuda=sums)


def products(queries: Array, keys: Array, values: Array) -> Array:
    """Two products of matrices for each frame and head."""
    queries, keys, values = (jnp.swapaxes(a, 2, 3) for a in (queries, keys, values))
    scores = at_least_float32(queries @ jnp.swapaxes(keys, -1, -2))
    weights = jax.nn.softmax(scores).astype(values.dtype)
    return jnp.swapaxes(weights @ values, 2, 3)


def sums(queries: Array, keys: Array, values: Array) -> Array:
    """The same, multiplied and summed, heads and channels last as they come.

    A GPU's products are of tiles that 17 joints and a few channels hardly fill: 122,880 of
    17 x 17 take longer than reading and writing them from memory.
    """
    queries, keys = at_least_float32(queries), at_least_float32(keys)
    scores = (queries[:, :, :, None] * keys[:, :, None]).sum(axis=-1)  # (N, T, V, V, heads)
    weights = jax.nn.softmax(scores, axis=3)[..., None]
    return (weights * at_least_float32(values)[:, :, None]).sum(axis=3).astype(values.dtype)
