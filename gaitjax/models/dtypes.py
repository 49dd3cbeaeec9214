"""Types that networks compute in."""

import jax.numpy as jnp
from jax import Array

DTYPES = ("float32", "bfloat16")  # of config.model.dtype


def at_least_float32(x: Array) -> Array:
    return x.astype(jnp.promote_types(x.dtype, jnp.float32))
