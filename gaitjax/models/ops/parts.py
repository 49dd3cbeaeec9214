"""A few images at a time on a CPU, so that what is made of them stays in its cache."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, lax

MAPPED = 2**24  # bytes of images at once
SUMMED = 3 * 2**19


def mapped(of: Callable[[Array], Array], images: Array) -> Array:
    """of(images (N, ...)) (N, ...), computed in parts."""
    if _all_at_once(images) or (count := _count(images, MAPPED)) == 1:
        return of(images)
    size = -(-len(images) // count)
    return lax.map(lambda image: of(image[None])[0], images, batch_size=size)


def summed(of: Callable[..., Any], x: Array, g: Array) -> Any:
    """of(x (N, ...), g (N, ...)), arrays that are sums over the images, computed in equal parts."""
    if _all_at_once(x) or (needed := _count(x, SUMMED)) == 1:
        return of(x, g)
    count = next(count for count in range(needed, len(x) + 1) if len(x) % count == 0)
    both = [a.reshape(count, -1, *a.shape[1:]) for a in (x, g)]

    def add(total: Any, images: list[Array]) -> tuple[Any, None]:
        return jax.tree.map(jnp.add, total, of(*images)), None

    def zeros(sums: Array) -> Array:
        return jnp.zeros(sums.shape, jnp.promote_types(sums.dtype, jnp.float32))

    of_part = jax.eval_shape(lambda both: of(*(a[0] for a in both)), both)
    total, _ = lax.scan(add, jax.tree.map(zeros, of_part), both)
    return jax.tree.map(lambda sums: sums.astype(x.dtype), total)


def _count(images: Array, most: int) -> int:
    """In how many parts images (N, ...) hold at most so many bytes, or are one image."""
    return max(1, min(len(images), -(-images.size * images.dtype.itemsize // most)))


def _all_at_once(images: Array) -> bool:
    """Whether no loop can have them.

    It would gather what several devices share out, and needs their number, which an exported
    program does not know.
    """
    return jax.device_count() > 1 or not isinstance(images.shape[0], int)
