"""From distances of walks to distances of names: the nearest walk counts, or the mean of all."""

import numpy as np

from gaitjax.evaluation.distances import distance_matrix

MATCH = ("nearest", "mean")


def to_names(
    probes: np.ndarray,
    walks: np.ndarray,
    names: np.ndarray,
    weights: np.ndarray,
    metric: str,
    match: str,
) -> tuple[list[str], np.ndarray]:
    """The names, sorted, and the distances (n, names) of probes (n, D, P) to each.

    Args:
      walks: (N, D, P) embeddings of the enrolled walks.
      names: (N,) whose they are.
      weights: (N,) qualities, 0 to 1, that "mean" weighs by.
      match: "nearest": the distance to the nearest walk of a name, good or bad (docs/identify.md
        has what leaving bad ones out does). "mean": to the mean of its walks, weighted (each part
        scaled to length one first, where cosines count).
    """
    known = sorted(set(names.tolist()))
    if match == "mean":
        middles = np.stack([middle(walks[names == n], weights[names == n], metric) for n in known])
        return known, distance_matrix(probes, middles, metric)
    found = distance_matrix(probes, walks, metric)
    return known, np.stack([found[:, names == name].min(axis=1) for name in known], axis=1)


def middle(walks: np.ndarray, weights: np.ndarray, metric: str) -> np.ndarray:
    """The weighted mean (D, P) of walks (N, D, P)."""
    if metric == "cos":
        walks = walks / np.maximum(np.linalg.norm(walks, axis=1, keepdims=True), 1e-12)
    weights = weights if weights.sum() > 0 else np.ones(len(weights))
    return np.average(walks, axis=0, weights=weights)


def of_strangers(
    walks: np.ndarray, names: np.ndarray, weights: np.ndarray, metric: str, match: str
) -> np.ndarray:
    """(N,) distance of each enrolled walk to the nearest other name: all of its own left out."""
    known, found = to_names(walks, walks, names, weights, metric, match)
    found[names[:, None] == np.array(known)[None]] = np.inf
    return found.min(axis=1)


def of_own(
    walks: np.ndarray, names: np.ndarray, weights: np.ndarray, metric: str, match: str
) -> np.ndarray:
    """(N,) distance of each enrolled walk to its own name without it; NaN: the only one."""
    result = np.full(len(walks), np.nan)
    for i, name in enumerate(names):
        others = (names == name) & (np.arange(len(names)) != i)
        if others.any():
            rest = walks[others], names[others], weights[others]
            result[i] = to_names(walks[i : i + 1], *rest, metric, match)[1][0, 0]
    return result
