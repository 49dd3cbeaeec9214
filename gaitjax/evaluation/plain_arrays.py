"""Scores of embeddings without a data set around them: arrays in, numbers out.

Every function takes probes, `embeddings` (N, D, P) or (N, D) with N labels, and a gallery
of the same form; without a gallery each probe is looked for among all the others. For the
published protocols, intervals and figures use `gaitjax.evaluation.evaluate`.
"""

from collections.abc import Sequence

import numpy as np

from gaitjax.errors import DataError
from gaitjax.evaluation import distances
from gaitjax.evaluation.ranking import rank_matches
from gaitjax.evaluation.task import Task, checked_embeddings
from gaitjax.evaluation.verification import verification

RANKS = (1, 5, 10)


def rank1(
    embeddings: np.ndarray,
    labels: Sequence,
    gallery_embeddings: np.ndarray | None = None,
    gallery_labels: Sequence | None = None,
    metric: str = "euc",
) -> float:
    """Percentage of probes whose nearest gallery embedding is of their identity.

    Args:
      embeddings: probes, (N, D, P) or (N, D).
      labels: N identities.
      gallery_embeddings, gallery_labels: M gallery entries; without them each probe is
        looked for among all the others.
      metric: "euc" or "cos".

    Raises:
      DataError: an empty gallery, numbers of labels that differ, non-finite embeddings.

    >>> rank1(np.array([[0.0], [1.0], [5.0], [7.0]]), ["ann", "ann", "bob", "bob"])
    100.0
    >>> rank1(np.array([[0.0], [6.0]]), [1, 2], np.array([[1.0], [2.0]]), [1, 2])
    100.0
    """
    x, labels, probes, gallery, groups = _sides(
        embeddings, labels, gallery_embeddings, gallery_labels
    )
    first = rank_matches(x, labels, probes, gallery, metric, groups=groups).first
    return float(100 * np.mean(first == 1))


def retrieval_scores(
    embeddings: np.ndarray,
    labels: Sequence,
    gallery_embeddings: np.ndarray | None = None,
    gallery_labels: Sequence | None = None,
    metric: str = "euc",
) -> dict[str, float]:
    """Rank-1, Rank-5, Rank-10, mAP and mINP in percent; arguments as `rank1`.

    A probe that has no match in the gallery counts 0 in each of them.

    >>> x = np.array([[0.0], [1.0], [3.0], [9.0]])
    >>> round(retrieval_scores(x, ["ann", "bob", "ann", "bob"])["mAP"], 1)
    45.8
    """
    x, labels, probes, gallery, groups = _sides(
        embeddings, labels, gallery_embeddings, gallery_labels
    )
    ranking = rank_matches(x, labels, probes, gallery, metric, groups=groups, all_matches=True)
    first = ranking.first
    scores = {f"Rank-{k}": np.mean((first > 0) & (first <= k)) for k in RANKS}
    scores["mAP"] = np.mean(ranking.average_precision())
    scores["mINP"] = np.mean(ranking.inverse_penalty())
    return {name: float(100 * value) for name, value in scores.items()}


def verification_rates(
    embeddings: np.ndarray,
    labels: Sequence,
    gallery_embeddings: np.ndarray | None = None,
    gallery_labels: Sequence | None = None,
    metric: str = "euc",
) -> dict:
    """How well one distance threshold tells pairs of one person from all others.

    Arguments as `rank1`. Returns the dict of `gaitjax.evaluation.verification`: the equal
    error rate `eer` in percent, its `threshold`, `roc`, histograms of the distances.

    Raises:
      DataError: as `rank1`; or no pair of one person, or none of two.

    >>> rates = verification_rates(np.array([[0.0], [1.0], [8.0], [9.0]]), [*"aabb"])
    >>> rates["eer"], rates["same_pairs"], rates["different_pairs"]
    (0.0, 4, 8)
    """
    x, labels, probes, gallery, groups = _sides(
        embeddings, labels, gallery_embeddings, gallery_labels
    )
    names = np.asarray(labels, str)
    task = Task(x, names, names, names, metric=metric)
    rates = verification(task, probes, gallery, groups, limit=len(probes))
    if rates is None:
        raise DataError("verification needs pairs of the same person and pairs of different ones")
    return rates


def nearest(
    embeddings: np.ndarray, gallery_embeddings: np.ndarray, k: int = 1, metric: str = "euc"
) -> tuple[np.ndarray, np.ndarray]:
    """The k nearest gallery entries of each probe: positions (N, k) and distances (N, k).

    Among equal distances the smaller position comes first.

    >>> positions, distance = nearest(np.array([[0.0], [6.0]]), np.array([[1.0], [2.0], [9.0]]))
    >>> positions[:, 0].tolist(), distance[:, 0].tolist()
    ([0, 2], [1.0, 3.0])
    """
    x = checked_embeddings(embeddings)
    y = checked_embeddings(gallery_embeddings, "gallery_embeddings")
    both, (probes, gallery) = _joined(x, y)
    distance, positions = distances.nearest(both, probes, gallery, k, metric)
    return positions, distance


def _joined(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
    if x.shape[1:] != y.shape[1:]:
        raise DataError(
            f"probes of shape {x.shape[1:]}, gallery of shape {y.shape[1:]}: embeddings of "
            "one network are needed"
        )
    if not len(y):
        raise DataError("empty gallery")
    return np.concatenate([x, y]), (np.arange(len(x)), len(x) + np.arange(len(y)))


def _sides(embeddings, labels, gallery_embeddings, gallery_labels) -> tuple:
    """(all embeddings, all labels, probe rows, gallery rows, groups that are not compared)."""
    x, labels = checked_embeddings(embeddings), np.asarray(labels)
    if gallery_embeddings is None:
        both, groups = x, np.arange(len(x))
        probes = gallery = groups
    else:
        y = checked_embeddings(gallery_embeddings, "gallery_embeddings")
        both, (probes, gallery) = _joined(x, y)
        labels, groups = np.concatenate([labels, np.asarray(gallery_labels)]), None
    if len(labels) != len(both):
        raise DataError(f"{len(labels)} labels for {len(both)} embeddings")
    return both, labels, probes, gallery, groups
