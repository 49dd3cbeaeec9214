"""Distances of the same and of different people: histograms, ROC, equal error rate."""

import numpy as np

from gaitjax.evaluation import open_set
from gaitjax.evaluation.distances import row_blocks
from gaitjax.evaluation.task import Task, codes

BINS = 2**18  # resolution of rates and threshold: distances may fill a small part of the range
DRAWN_BINS = 60
ROC_POINTS = 200


def verification(
    task: Task,
    probes: np.ndarray,
    gallery: np.ndarray,
    groups: np.ndarray | None = None,
    *,
    drop_group: bool = False,
    limit: int = 1000,
) -> dict | None:
    """How well one threshold separates pairs of the same person from all others.

    Args:
      probes, gallery: rows of the embeddings; beyond `limit` probes, evenly spaced ones.
      groups: (N,); pairs of equal group are left out, all of them if `drop_group`, else
        those of one identity.

    Returns:
      dict: `edges` (61) and densities `same`, `different` (60) of the distances; pair
      counts `same_pairs`, `different_pairs`; `eer` in percent and its `threshold`; `d_prime`
      (see `open_set.d_prime`) and `d_prime_interval` over identities; `roc` with `false_accepts`
      and `true_accepts` in percent. None if either kind is missing.
    """
    if len(probes) > limit:
        probes = probes[np.linspace(0, len(probes) - 1, limit).round().astype(int)]
    label = codes(task.labels)
    group = codes(groups) if groups is not None else None
    top = 2.0 if task.metric == "cos" else 2 * _largest(task.embeddings, probes, gallery)
    top = max(top, 1e-6)
    histogram = np.zeros((2, BINS), np.int64)
    identities, of_probe = np.unique(label[probes], return_inverse=True)
    moments = np.zeros((len(identities), 2, 3))
    blocks = row_blocks(
        task.embeddings, probes, gallery, task.metric, task.half, lambda d, size, start: (d,)
    )
    for rows, (distances,) in blocks:
        bins = np.minimum(distances[:, : len(gallery)] * (BINS / top), BINS - 1).astype(np.int32)
        bins = np.maximum(bins, 0)
        same = label[probes[rows]][:, None] == label[gallery][None]
        keep = np.ones_like(same)
        if group is not None:
            equal = group[probes[rows]][:, None] == group[gallery][None]
            keep = ~equal if drop_group else ~(equal & same)
        for kind, wanted in enumerate((~same & keep, same & keep)):
            histogram[kind] += np.bincount(bins[wanted], minlength=BINS)
            d = np.where(wanted, distances[:, : len(gallery)], 0).astype(np.float64)
            sums = wanted.sum(axis=1), d.sum(axis=1), (d * d).sum(axis=1)
            np.add.at(moments[:, kind], of_probe[rows], np.stack(sums, axis=1))
    if not histogram.sum(axis=1).all():
        return None
    return _rates(histogram, np.linspace(0, top, BINS + 1)) | dict(
        d_prime=open_set.d_prime(moments.sum(axis=0)),
        d_prime_interval=open_set.d_prime_interval(moments, task.samples),
    )


def _largest(embeddings, probes, gallery):
    """Largest mean-over-parts norm: no Euclidean distance exceeds twice it."""
    rows = np.union1d(probes, gallery)
    chunks = np.array_split(rows, -(-len(rows) // 4096))
    return max(float(np.sqrt((embeddings[c] ** 2).sum(axis=1)).mean(axis=1).max()) for c in chunks)


def _rates(histogram, edges):
    pairs = histogram.sum(axis=1)
    accepts = np.concatenate([np.zeros((2, 1)), np.cumsum(histogram, axis=1)], axis=1)
    false, true = accepts / pairs[:, None]  # accepted below each edge
    crossing = int(np.argmin(np.abs(false - (1 - true))))
    occupied = np.flatnonzero(histogram.sum(axis=0))
    drawn = np.linspace(edges[occupied[0]], edges[occupied[-1] + 1], DRAWN_BINS + 1)
    centres = (edges[:-1] + edges[1:]) / 2
    density = [np.histogram(centres, drawn, weights=h, density=True)[0].tolist() for h in histogram]
    wanted = np.logspace(-5, 0, ROC_POINTS)
    at = np.unique(np.searchsorted(false, wanted, side="right") - 1)
    return dict(
        edges=drawn.tolist(),
        different=density[0],
        same=density[1],
        same_pairs=int(pairs[1]),
        different_pairs=int(pairs[0]),
        eer=float(50 * (false[crossing] + 1 - true[crossing])),
        threshold=float(edges[crossing]),
        roc=dict(false_accepts=(100 * false[at]).tolist(), true_accepts=(100 * true[at]).tolist()),
    )
