"""Products, and which results a step with `train.remat` keeps."""

from jax import Array
from jax.ad_checkpoint import checkpoint_name

_KEPT = "product"


def product(x: Array, matrix: Array) -> Array:
    """x (..., K) @ matrix (K, C), as one product of two matrices.

    With more axes the CPU's compiler transposes whole activations for the matrix's gradient.
    """
    rows = x.reshape(-1, x.shape[-1])
    return (rows @ matrix).reshape(*x.shape[:-1], matrix.shape[-1])


def kept(x: Array) -> Array:
    """x, marked to be kept by `keep_products` where its own primitive does not tell."""
    return checkpoint_name(x, _KEPT)


def keep_products(primitive, *_, **options) -> bool:
    """Policy of `jax.checkpoint`: keeps the results of products and convolutions, few of all."""
    named = primitive.name == "name" and options.get("name") == _KEPT
    return named or primitive.name in ("conv_general_dilated", "dot_general")
