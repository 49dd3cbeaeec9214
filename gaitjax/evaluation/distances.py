"""Distances between embeddings, computed in row blocks on the device.

An embedding is (D, P): P parts of D numbers. Two embeddings are as far apart as the mean
over parts of the Euclidean distance (`euc`), or one minus the mean over parts of the cosine
similarity (`cos`). The full matrix is never held: `row_blocks` walks over the probes and
leaves each block's distances to the whole gallery on the device. Source: specification 9.2.
"""

from collections.abc import Callable, Iterator
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from gaitjax.errors import DataError

METRICS = ("euc", "cos")
BLOCK_BYTES = 96 * 2**20  # of distances, per row block
CHUNK = 4096  # rows copied at a time


def prepare(
    embeddings: np.ndarray, rows: np.ndarray, length: int, metric: str, half: bool = False
) -> jax.Array:
    """Chosen rows as (P, length, D) on the device, zeros after the last.

    Args:
      embeddings: (N, D, P) float32.
      rows: (n,) int, n <= length.
      metric: "euc", or "cos", for which every part is scaled to unit length.
      half: round to float16, as the reference does under mixed precision.

    Raises:
      DataError: unknown metric, or squared norms that overflow the compute type.
    """
    if metric not in METRICS:
        raise DataError(f"unknown metric {metric!r}; use one of: {', '.join(METRICS)}")
    _, d, p = embeddings.shape
    dtype = np.float16 if half else np.float32
    out = np.zeros((p, length, d), dtype)
    largest = 0.0
    for start in range(0, len(rows), CHUNK):
        chunk = embeddings[rows[start : start + CHUNK]].astype(np.float32, copy=False)
        norms = np.sqrt(np.einsum("ndp,ndp->np", chunk, chunk))
        largest = max(largest, float(norms.max()))
        if metric == "cos":
            chunk /= np.maximum(norms, 1e-12)[:, None]
        out[:, start : start + len(chunk)] = chunk.transpose(2, 0, 1)
    # |x|^2 + |y|^2 + 2 |x||y| must stay finite; cosines are formed in float32 first.
    limit = np.sqrt(float(np.finfo(dtype if metric == "euc" else np.float32).max)) / 2
    if largest > limit:
        raise DataError(
            f"an embedding part has norm {largest:.3g}, too large for {np.dtype(dtype).name} "
            f"{metric} distances (at most {limit:.3g}): scale the embeddings"
        )
    return jnp.asarray(out)


def padded(n: int) -> int:
    """`n` rounded up to one of eight steps per octave: few shapes to compile, little waste."""
    step = max(16, 2 ** max(0, int(n).bit_length() - 4))
    return -(-n // step) * step


def pairwise(x: jax.Array, y: jax.Array, metric: str) -> jax.Array:
    """(n, m) float32 distances between prepared (P, n, D) and (P, m, D), traceable."""
    product = partial(
        jnp.matmul, precision="highest", preferred_element_type=jnp.float32
    )  # accumulates in float32 even for float16 operands

    def part(total, xy):
        a, b = xy
        ab = product(a, b.T).astype(a.dtype)
        if metric == "cos":
            return total + ab, None
        squares = jnp.sum(a * a, axis=1)[:, None] + jnp.sum(b * b, axis=1)[None] - 2 * ab
        return total + jnp.sqrt(jnp.maximum(squares, 0)), None

    total, _ = jax.lax.scan(part, jnp.zeros((x.shape[1], y.shape[1]), x.dtype), (x, y))
    mean = total / x.shape[0]
    return (mean if metric == "euc" else 1 - mean).astype(jnp.float32)


def row_blocks(
    embeddings: np.ndarray,
    probes: np.ndarray,
    gallery: np.ndarray,
    metric: str,
    half: bool,
    compute: Callable,
) -> Iterator[tuple[slice, tuple]]:
    """Yields (slice of `probes`, results of `compute` on the host) block by block.

    `compute(distances, size, start)` is called with (n', m') distances whose columns from
    `size` on are padding and set to infinity; `start` is the block's first probe. It returns
    a tuple of device arrays with n' rows, of which the real ones are kept.
    """
    y = prepare(embeddings, gallery, padded(len(gallery)), metric, half)
    size = len(gallery)
    rows = max(16, min(2048, BLOCK_BYTES // (4 * y.shape[1])) // 16 * 16)
    rows = min(rows, padded(len(probes)))
    for start in range(0, len(probes), rows):
        chosen = probes[start : start + rows]
        x = prepare(embeddings, chosen, rows, metric, half)
        result = compute(_masked(x, y, size, metric), size, start)
        yield (
            slice(start, start + len(chosen)),
            tuple(np.asarray(r)[: len(chosen)] for r in result),
        )


@partial(jax.jit, static_argnames="metric")
def _masked(x, y, size, metric):
    distance = pairwise(x, y, metric)
    return jnp.where(jnp.arange(distance.shape[1]) < size, distance, jnp.inf)


def distance_matrix(
    x: np.ndarray, y: np.ndarray, metric: str = "euc", half: bool = False
) -> np.ndarray:
    """All distances, (n, m) float32, between embeddings (n, D, P) and (m, D, P), or (n, D).

    For small sets; the protocols never call it.

    >>> x = np.array([[[3.0], [4.0]]])
    >>> distance_matrix(x, 0 * x).tolist(), distance_matrix(x, 2 * x, "cos").tolist()
    ([[5.0]], [[0.0]])
    """
    both = np.concatenate([x, y])
    both = both[..., None] if both.ndim == 2 else both
    probes, gallery = np.arange(len(x)), len(x) + np.arange(len(y))
    blocks = row_blocks(both, probes, gallery, metric, half, lambda d, size, start: (d,))
    return np.concatenate([block for _, (block,) in blocks])[:, : len(y)]


def nearest(
    embeddings: np.ndarray,
    probes: np.ndarray,
    gallery: np.ndarray,
    k: int,
    metric: str = "euc",
    half: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """The k nearest gallery entries of every probe: distances and positions, both (n, k).

    Args:
      embeddings: (N, D, P) float32.
      probes, gallery: rows of `embeddings`, (n,) and (m,) int, m >= k.

    Positions index `gallery`; among equal distances the smaller position comes first.
    """
    if len(gallery) < k:
        raise DataError(f"the {k} nearest were asked of a gallery of {len(gallery)} rows")

    blocks = row_blocks(
        embeddings, probes, gallery, metric, half, lambda d, size, start: _smallest(d, k)
    )
    distances, positions = zip(*(result for _, result in blocks), strict=True)
    return np.concatenate(distances), np.concatenate(positions)


@partial(jax.jit, static_argnames="k")
def _smallest(distances, k):
    # top_k puts the lower index first among equals.
    negative, positions = jax.lax.top_k(-distances, k)
    return -negative, positions
