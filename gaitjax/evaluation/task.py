"""What every protocol starts from, checked once."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from gaitjax.errors import DataError
from gaitjax.evaluation.distances import CHUNK, METRICS


class Task(NamedTuple):
    """Embedded sequences and how to compare them.

    Attributes:
      embeddings: (N, D, P) float32.
      labels, types, views: (N,) numpy strings.
      metric: "euc" or "cos".
      compat: the reference's number and rounding instead of the exact one.
      half: distances in float16, as the reference under mixed precision.
      samples: bootstrap samples behind each interval; 0 for none.
    """

    embeddings: np.ndarray
    labels: np.ndarray
    types: np.ndarray
    views: np.ndarray
    metric: str = "euc"
    compat: bool = False
    half: bool = False
    samples: int = 1000


def checked_embeddings(embeddings: np.ndarray, what: str = "embeddings") -> np.ndarray:
    """(N, D, P) float32 of finite numbers; (N, D) becomes (N, D, 1). DataError otherwise."""
    embeddings = np.asarray(embeddings)
    if embeddings.ndim == 2:
        embeddings = embeddings[..., None]
    if embeddings.ndim != 3:
        raise DataError(f"{what}: expected (N, D, P) or (N, D), got shape {embeddings.shape}")
    embeddings = embeddings.astype(np.float32, copy=False)
    for start in range(0, len(embeddings), CHUNK):
        good = np.isfinite(embeddings[start : start + CHUNK]).all(axis=(1, 2))
        if not good.all():
            row = start + int(np.argmin(good))
            raise DataError(
                f"{what}: row {row} holds NaN or infinity; look for empty sequences or a "
                "diverged network before evaluating"
            )
    return embeddings


def check_inputs(
    embeddings: np.ndarray,
    labels: Sequence[str],
    types: Sequence[str],
    views: Sequence[str],
    metric: str = "euc",
    **settings,
) -> Task:
    """A `Task` out of what a user passes.

    Raises:
      DataError: not (N, D, P), lengths that differ, an unknown metric, non-finite
        embeddings, or two rows with the same label, type and view.
    """
    if metric not in METRICS:
        raise DataError(f"unknown metric {metric!r}; use one of: {', '.join(METRICS)}")
    embeddings = checked_embeddings(embeddings)
    given = {"labels": labels, "types": types, "views": views}
    strings = {name: np.asarray(values, dtype=str) for name, values in given.items()}
    for name, array in strings.items():
        if array.shape != (len(embeddings),):
            raise DataError(
                f"{name}: expected {len(embeddings)} strings, one per embedding, "
                f"got shape {array.shape}"
            )
    task = Task(
        embeddings, strings["labels"], strings["types"], strings["views"], metric, **settings
    )
    found, counts = np.unique(keys(task), return_counts=True)
    if (counts > 1).any():
        raise DataError(
            f"duplicate sequence keys: {found[counts > 1][0]} appears {counts.max()} times "
            f"({int((counts > 1).sum())} such keys); each (label, type, view) must be one row"
        )
    return task


def keys(task: Task, rows: slice | np.ndarray = slice(None)) -> np.ndarray:
    """The rows' names as label-type-view, the form Gait3D's probe list uses."""
    parts = task.labels[rows], task.types[rows], task.views[rows]
    return np.array(["-".join(key) for key in zip(*parts, strict=True)])


def codes(values: np.ndarray) -> np.ndarray:
    """Strings as consecutive integers, in sorted order."""
    return np.unique(values, return_inverse=True)[1]
