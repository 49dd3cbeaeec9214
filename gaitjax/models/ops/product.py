"""Products, and which results a step with `train.remat` keeps."""

import math

import jax
import jax.numpy as jnp
from jax import Array
from jax.ad_checkpoint import checkpoint_name

from gaitjax.models.ops.platforms import by_platform, plain_alone

TILE = 64  # a GPU computes a product in tiles of so many rows and columns,
TILES = 128  # of which about so many at once
ROWS = 512  # of a part, at least
_KEPT = "product"


def product(x: Array, matrix: Array) -> Array:
    """x (..., K) @ matrix (K, C), as one product of two matrices.

    With more axes the CPU's compiler transposes whole activations for the matrix's gradient.
    """
    return (plain if plain_alone() else _chosen)(x, matrix)


def plain(x: Array, matrix: Array) -> Array:
    rows = x.reshape(-1, x.shape[-1])
    return (rows @ matrix).reshape(*x.shape[:-1], matrix.shape[-1])


_chosen = jax.custom_vjp(plain)


def _forward(x: Array, matrix: Array) -> tuple[Array, tuple[Array, Array]]:
    return plain(x, matrix), (x, matrix)


def gradients(inputs: tuple[Array, Array], g: Array) -> tuple[Array, Array]:
    """For x and matrix, given that for the product."""
    x, matrix = inputs
    rows, g_rows = (a.reshape(-1, a.shape[-1]) for a in (x, g))
    return plain(g, matrix.T), by_platform(of_matrix, rows, g_rows, cuda=of_matrix_in_parts)


_chosen.defvjp(_forward, gradients)


def of_matrix(rows: Array, g: Array) -> Array:
    """The gradient of `plain` for its matrix: rows (R, K)^T @ g (R, C).

    Of a stack of them the CPU's compiler turns the left side round in memory: the narrower one.
    """
    if rows.shape[1] > g.shape[1]:
        return (g.T @ rows).T
    return rows.T @ g


def of_matrix_in_parts(rows: Array, g: Array) -> Array:
    """The same, the sum of products of parts of the rows.

    A hundred thousand rows and a small result are otherwise work for few of a GPU's many cores:
    cuBLAS shares out the rows of one product, but not those of a stack of them.
    """
    tiles = math.prod(-(-side // TILE) for side in (rows.shape[1], g.shape[1]))
    wanted = max(1, min(TILES // tiles, len(rows) // ROWS))
    count = math.gcd(len(rows), 1 << wanted.bit_length() - 1)
    parts = (a.reshape(count, -1, a.shape[1]) for a in (rows, g))
    sum_type = jnp.promote_types(rows.dtype, jnp.float32)
    return (
        jnp.einsum("prk,prc->pkc", *parts, preferred_element_type=sum_type)
        .sum(axis=0)
        .astype(rows.dtype)
    )


def kept(x: Array) -> Array:
    """x, marked to be kept by `keep_products` where its own primitive does not tell."""
    return checkpoint_name(x, _KEPT)


def keep_products(primitive, *_, **options) -> bool:
    """Policy of `jax.checkpoint`: keeps the results of products and convolutions, few of all."""
    named = primitive.name == "name" and options.get("name") == _KEPT
    return named or primitive.name in ("conv_general_dilated", "dot_general")
