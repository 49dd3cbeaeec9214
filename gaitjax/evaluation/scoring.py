"""From ranks to numbers: means over cells, cumulative match curves, chance levels.

A protocol asks many questions "who is this probe, given that gallery?" and averages the
answers in cells (one pair of views, one probe view, or everything) and then over cells.
"""

from typing import NamedTuple

import numpy as np

from gaitjax.errors import DataError
from gaitjax.evaluation.ranking import Ranking

TOP = 50  # ranks of a cumulative match curve


class Questions(NamedTuple):
    """Questions asked of a gallery and their answers.

    Attributes:
      probes: (n,) row of each probe in the embeddings.
      cell: (n,) int, the cell each counts in.
      counted: (cells,) bool, the cells that enter the headline.
      ranking: answers.
    """

    probes: np.ndarray
    cell: np.ndarray
    counted: np.ndarray
    ranking: Ranking

    def hits(self, rank: int) -> np.ndarray:
        """(n,) bool: a match is among the first `rank`."""
        first = self.ranking.first
        return (first > 0) & (first <= rank)

    def where(self, keep: np.ndarray) -> "Questions":
        """The questions for which `keep` is true."""
        return Questions(
            self.probes[keep],
            self.cell[keep],
            self.counted,
            Ranking(*(field[keep] for field in self.ranking)),
        )

    @property
    def matched(self) -> np.ndarray:
        return self.ranking.matches > 0


def answerable(questions: Questions) -> Questions:
    """`questions`; DataError if not a single probe has a match."""
    if not questions.matched.any():
        raise DataError(
            "no probe identity appears in the gallery; check labels, types and the probe set"
        )
    return questions


class Score(NamedTuple):
    """One headline number: its value in percent and what the bootstrap needs.

    `points` (n,) in 0..1 are the probes' contributions to it.
    """

    name: str
    value: float
    points: np.ndarray
    questions: Questions
    chance: float | None


def cell_means(points: np.ndarray, questions: Questions) -> np.ndarray:
    """(cells,) mean of `points` in percent; NaN in cells without a question."""
    cells = len(questions.counted)
    total = np.bincount(questions.cell, weights=points, minlength=cells)
    number = np.bincount(questions.cell, minlength=cells)
    with np.errstate(invalid="ignore"):
        return total * 100 / np.where(number, number, np.nan)


def mean_of_counted(cells: np.ndarray, counted: np.ndarray) -> float:
    """Mean over the counted cells that have a value; NaN if none has."""
    values = cells[counted]
    values = values[~np.isnan(values)]
    return float(np.mean(values)) if len(values) else float("nan")


def mean(points: np.ndarray, questions: Questions) -> float:
    """Mean over the counted cells of the cells' means, in percent."""
    return mean_of_counted(cell_means(points, questions), questions.counted)


def cmc(questions: Questions, top: int = TOP) -> list[float]:
    """Rank-1 to Rank-`top` in percent, fewer if the gallery is smaller."""
    top = min(top, int(questions.ranking.compared.max(initial=1)))
    return [mean(questions.hits(rank), questions) for rank in range(1, top + 1)]


def chance_cmc(questions: Questions, top: int = TOP) -> list[float]:
    """The curve that a random ordering of each probe's gallery is expected to give."""
    matches, compared = questions.ranking.matches, questions.ranking.compared
    top = min(top, int(compared.max(initial=1)))
    miss = np.ones(len(matches))
    curve = []
    for drawn in range(top):
        left = np.maximum(compared - drawn, 1)
        miss = miss * np.maximum(compared - drawn - matches, 0) / left
        curve.append(mean(np.where(matches > 0, 1 - miss, 0.0), questions))
    return curve


def chance_map(questions: Questions) -> float:
    """mAP, in percent, that a random ordering of each probe's gallery is expected to give."""
    matches, compared = questions.ranking.matches, np.maximum(questions.ranking.compared, 1)
    harmonic = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, compared.max(initial=1) + 1))])
    h = harmonic[compared]
    expected = (h + (matches - 1) / np.maximum(compared - 1, 1) * (compared - h)) / compared
    return mean(np.where(matches > 0, expected, 0.0), questions)


def counts(questions: Questions, labels: np.ndarray, gallery_size: int) -> dict:
    """How much the numbers rest on, and what a mean hides.

    `unmatched` questions have no row of the probe's identity to find; `ties` were decided by
    gallery order because another identity was exactly as near.
    """
    counted = questions.where(questions.counted[questions.cell])
    return dict(
        probes=len(np.unique(questions.probes)),
        gallery=gallery_size,
        identities=len(np.unique(labels[questions.probes])),
        questions=len(counted.probes),
        comparisons=int(counted.ranking.compared.sum()),
        unmatched=int((~counted.matched).sum()),
        ties=int(counted.ranking.tied.sum()),
    )


def hardest(questions: Questions, labels: np.ndarray, limit: int) -> list[dict]:
    """Most confidently wrong answers, one per identity: rows, distances, rank, `excess`.

    `excess` is the distance to the true match over that to the stranger taken for it.
    """
    r = questions.ranking
    wrong = np.flatnonzero(questions.counted[questions.cell] & questions.matched & (r.first > 1))
    excess = r.match_distance[wrong] / np.maximum(r.other_distance[wrong], 1e-12)
    order = np.argsort(-excess, kind="stable")
    _, best = np.unique(labels[questions.probes[wrong[order]]], return_index=True)
    return [
        dict(
            probe=int(questions.probes[i]),
            match=int(r.match[i]),
            false_match=int(r.other[i]),
            match_distance=float(r.match_distance[i]),
            false_distance=float(r.other_distance[i]),
            rank=int(r.first[i]),
            excess=float(e),
        )
        for i, e in zip(wrong[order][np.sort(best)], excess[order][np.sort(best)], strict=True)
    ][:limit]
