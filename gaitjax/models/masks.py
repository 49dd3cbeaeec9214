"""Masks (N, T) of the frames of sequences that are real; the others are padding."""

import jax.numpy as jnp
from jax import Array

from gaitjax.errors import DataError


def zero_padding(x: Array, mask: Array | None) -> Array:
    """x (N, T, ...) with the frames outside mask (N, T) set to zero; None: none is padding."""
    if mask is None:
        return x
    return jnp.where(mask.reshape(mask.shape + (1,) * (x.ndim - 2)), x, 0)


def no_mask(mask: Array | None) -> None:
    """DataError if a mask is given, for networks that only see whole windows."""
    if mask is not None:
        raise DataError("this network takes windows of one length: pass no mask")
