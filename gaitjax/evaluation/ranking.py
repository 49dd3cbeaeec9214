"""Where the matches of every probe stand in the gallery, without the full distance matrix.

The rank of a gallery row is one plus the number of rows nearer to the probe. Equal
distances are ordered by gallery position, the smaller first, as a stable sort would.
A match is a row of the probe's identity. Rows of the probe's identity *and* group (its
camera, its view, or the probe itself) can be left out.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from gaitjax.evaluation.distances import row_blocks


class Ranking(NamedTuple):
    """One entry per probe; rows point into the embeddings.

    Attributes:
      ranks: (n, R) int32 ranks of the matches, ascending, 0 after the last; R = 1 and only
        the best rank unless all were asked for.
      matches: (n,) int64 number of matches.
      compared: (n,) int64 number of gallery rows compared with.
      tied: (n,) bool, the nearest match is exactly as far as some other identity's row,
        so that gallery order decides which comes first.
      match, other: (n,) int64 rows of the nearest match (-1: none) and the nearest row of
        another identity (-1: none).
      match_distance, other_distance: (n,) float32, infinite where there is none.
    """

    ranks: np.ndarray
    matches: np.ndarray
    compared: np.ndarray
    tied: np.ndarray
    match: np.ndarray
    other: np.ndarray
    match_distance: np.ndarray
    other_distance: np.ndarray

    @property
    def first(self) -> np.ndarray:
        """(n,) rank of the nearest match, 0 where there is none."""
        return self.ranks[:, 0]

    def average_precision(self) -> np.ndarray:
        """(n,) mean over the matches of the precision at each; 0 where there is none."""
        found = np.arange(1, self.ranks.shape[1] + 1)
        precision = np.where(self.ranks > 0, found / np.maximum(self.ranks, 1), 0.0)
        return precision.sum(axis=1) / np.maximum(self.matches, 1)

    def inverse_penalty(self) -> np.ndarray:
        """(n,) matches over the rank of the last one (INP); 0 where there is none."""
        return self.matches / np.maximum(self.ranks.max(axis=1), 1)


def rank_matches(
    embeddings: np.ndarray,
    labels: np.ndarray,
    probes: np.ndarray,
    gallery: np.ndarray,
    metric: str,
    *,
    groups: np.ndarray | None = None,
    all_matches: bool = False,
    half: bool = False,
) -> Ranking:
    """Ranks every probe's matches among the gallery.

    Args:
      embeddings: (N, D, P) float32.
      labels: (N,) identities.
      probes, gallery: rows of `embeddings`.
      groups: (N,) or None: rows of the probe's identity and group are not compared.
      all_matches: the rank of every match (for mAP and mINP), not of the nearest alone.
    """
    label = np.unique(labels, return_inverse=True)[1].astype(np.int32)
    group = np.zeros(len(labels), np.int32)
    if groups is not None:
        group = np.unique(groups, return_inverse=True)[1].astype(np.int32)
    members, positions = _positions(label, gallery)

    def compute(distances, size, start):
        n, m = distances.shape
        rows = np.pad(probes[start : start + n], (0, max(0, start + n - len(probes))), mode="edge")
        targets = positions[label[rows]]
        if groups is not None:
            own = group[gallery[targets]] == group[rows][:, None]
            targets = np.where(own, -1, targets)
        columns = np.pad(gallery, (0, m - size), mode="edge")
        return _rank_block(distances, label[rows], label[columns], targets, all_matches)

    if len(gallery) and len(probes):
        blocks = row_blocks(embeddings, probes, gallery, metric, half, compute)
        ranks, match, other, match_distance, other_distance = (
            np.concatenate(parts) for parts in zip(*(result for _, result in blocks), strict=True)
        )
    else:
        ranks = np.zeros((len(probes), 1), np.int32)
        match = other = np.zeros(len(probes), np.int64)
        match_distance = other_distance = np.full(len(probes), np.inf, np.float32)

    left_out = np.zeros(len(probes), np.int64)
    if groups is not None:
        pairs = label.astype(np.int64) * (group.max(initial=0) + 1) + group
        found, counts = np.unique(pairs[gallery], return_counts=True)
        left_out = _lookup(found, counts, pairs[probes])
    return Ranking(
        ranks=ranks,
        matches=members[label[probes]] - left_out,
        compared=len(gallery) - left_out,
        tied=(match_distance == other_distance) & np.isfinite(match_distance),
        match=_rows(gallery, match, match_distance),
        other=_rows(gallery, other, other_distance),
        match_distance=match_distance,
        other_distance=other_distance,
    )


def _positions(label, gallery):
    """Per identity, how many gallery rows it has and their positions, padded with -1."""
    classes = label.max(initial=0) + 1
    members = np.bincount(label[gallery], minlength=classes)
    width = 1 << max(0, int(members.max(initial=1)) - 1).bit_length()
    order = np.argsort(label[gallery], kind="stable")
    sorted_labels = label[gallery][order]
    starts = np.cumsum(members) - members
    positions = np.full((classes, width), -1, np.int32)
    positions[sorted_labels, np.arange(len(order)) - starts[sorted_labels]] = order
    return members, positions


def _lookup(keys, values, wanted):
    """values[i] where keys[i] == wanted, else 0; keys ascending."""
    if not len(keys):
        return np.zeros(len(wanted), np.int64)
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[at] == wanted, values[at], 0)


def _rows(gallery, positions, distances):
    if not len(gallery):
        return np.full(len(positions), -1, np.int64)
    return np.where(np.isfinite(distances), gallery[positions], -1)


@partial(jax.jit, static_argnames="all_matches")
def _rank_block(distances, label_x, label_y, targets, all_matches):
    """`targets` (n, R): columns of each row's matches, ascending, -1 for none."""
    at = jnp.take_along_axis(distances, jnp.maximum(targets, 0), axis=1)
    at = jnp.where(targets >= 0, at, jnp.inf)
    best = jnp.argmin(at, axis=1, keepdims=True)
    match = jnp.take_along_axis(targets, best, axis=1)
    match_distance = jnp.take_along_axis(at, best, axis=1)

    to_other = jnp.where(label_x[:, None] == label_y[None], jnp.inf, distances)
    other_distance = jnp.min(to_other, axis=1, keepdims=True)
    # Twice as fast as argmin on a CPU; float32 holds columns up to 2^24 exactly.
    index = jnp.arange(distances.shape[1], dtype=jnp.float32)
    other = jnp.min(jnp.where(to_other == other_distance, index, jnp.inf), axis=1)

    if not all_matches:
        at, targets = match_distance, match

    def others_before(_, target):
        distance, position = target[0][:, None], target[1][:, None]
        nearer = (to_other < distance) | ((to_other == distance) & (index < position))
        return None, jnp.sum(nearer, axis=1, dtype=jnp.int32)

    _, before = jax.lax.scan(others_before, None, (at.T, targets.T))
    # Among themselves the matches stand in the order of how many others precede them.
    before = jnp.sort(jnp.where(jnp.isfinite(at), before.T, jnp.iinfo(jnp.int32).max), axis=1)
    place = jnp.arange(1, before.shape[1] + 1)
    ranks = jnp.where(before < jnp.iinfo(jnp.int32).max, before + place, 0)
    return ranks, match[:, 0], other.astype(jnp.int32), match_distance[:, 0], other_distance[:, 0]
