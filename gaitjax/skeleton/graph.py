"""The graph of a joint format: distances between joints, and what graph networks convolve with."""

import numpy as np

from gaitjax.skeleton.formats import JointFormat

MAX_HOP = 3


def hop_distance(fmt: JointFormat) -> np.ndarray:
    """Shortest path lengths in edges, (V, V) int; pairs further than MAX_HOP get MAX_HOP + 1."""
    v = fmt.num_joints
    adjacent = np.eye(v, dtype=bool)
    for i, j in fmt.edges:
        adjacent[i, j] = adjacent[j, i] = True
    hops = np.full((v, v), MAX_HOP + 1)
    for hop in range(MAX_HOP, -1, -1):
        reach = np.linalg.matrix_power(adjacent.astype(int), hop) > 0
        hops[reach] = hop
    return hops


def adjacency(fmt: JointFormat) -> np.ndarray:
    """Hop-partitioned adjacency A, (MAX_HOP + 1, V, V) float32 (section 5.1).

    The binary matrix of all pairs within MAX_HOP is normalised so that each column
    sums to 1; A[h] holds its entries at distance h.
    """
    hops = hop_distance(fmt)
    within = (hops <= MAX_HOP).astype(np.float64)
    normalised = within / within.sum(axis=0, keepdims=True)
    return np.stack([np.where(hops == h, normalised, 0.0) for h in range(MAX_HOP + 1)]).astype(
        np.float32
    )
