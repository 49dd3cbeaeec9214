"""Open-set identification: who is it, if it is anybody of the gallery at all?

Two searches are made for each probe: one with its identity in the gallery (mated), and one with it
taken out, as if a stranger had come (non-mated). A threshold accepts the nearest entry if it is
nearer than that. FPIR is the share of non-mated searches that accept somebody, FNIR that of mated
ones that do not accept the right one first (ISO/IEC 19795-1; Grother et al., NIST FRVT part 2).
"""

from typing import Any, NamedTuple

import numpy as np

from gaitjax.evaluation.scoring import Questions

FPIR = (0.001, 0.01, 0.1)  # reported
CURVE = np.logspace(-3, 0, 61)  # of the DET curve
WORK = 10**8  # searches drawn anew, at most: seconds


class Searches(NamedTuple):
    """The outcome of searches.

    Attributes:
      labels: (n,) the identity looked for.
      found: (n,) distance at which the right one was found first; infinite if another was nearer;
        NaN where the gallery does not hold it.
      stranger: (n,) distance of the nearest entry when the right one is not in the gallery.
    """

    labels: np.ndarray
    found: np.ndarray
    stranger: np.ndarray


def searches(questions: Questions, labels: np.ndarray) -> Searches:
    """The searches that counted questions stand for; `labels` (N,) of all embeddings."""
    counted = questions.where(questions.counted[questions.cell])
    r = counted.ranking
    found = np.where(r.first == 1, r.match_distance, np.inf)
    found = np.where(r.matches > 0, found, np.nan)
    return Searches(labels[counted.probes], found, r.other_distance)


def threshold_at(stranger: np.ndarray, fpir: float, weights: np.ndarray | None = None) -> float:
    """The largest threshold below which at most the share `fpir` of `stranger` (n,) lies.

    Args:
      weights: (n,) of the searches; default: all alike.

    >>> threshold_at(np.array([4.0, 1.0, 3.0, 2.0]), 0.5)
    3.0
    """
    order = np.argsort(stranger, kind="stable")
    weights = np.ones(len(stranger)) if weights is None else weights
    return float(_thresholds(stranger[order], weights[order], np.array([fpir]))[0])


def rates(made: Searches, samples: int = 1000, seed: int = 0, level: float = 0.95) -> dict | None:
    """FNIR at `FPIR`, and the DET curve, with intervals over identities.

    Args:
      samples: bootstrap samples: identities are drawn with replacement, and thresholds found anew.

    Returns:
      dict: `mated`, `nonmated` counts; `at`: for each of FPIR, in percent, `fpir`, `fnir`,
      `threshold`, and the intervals `fnir_interval`, `threshold_interval`; `curve` with `fpir`,
      `fnir`, `low`, `high` in percent. None without a mated search. Intervals are None of fewer
      than two identities.

    >>> made = Searches(np.array(["ann", "bob"]), np.array([1.0, 3.0]), np.array([2.0, 4.0]))
    >>> rates(made)["at"][0]["fnir"], rates(made)["at"][0]["threshold"]  # below 2: ann alone
    (50.0, 2.0)
    """
    mated = ~np.isnan(made.found)
    if not mated.any():
        return None
    order, found_order = np.argsort(made.stranger, kind="stable"), np.argsort(made.found[mated])
    stranger, found = made.stranger[order], made.found[mated][found_order]
    wanted = np.concatenate([FPIR, CURVE])

    def measure(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        thresholds = _thresholds(stranger, weights[order], wanted)
        accepted = np.concatenate([[0.0], np.cumsum(weights[mated][found_order])])
        below = accepted[np.searchsorted(found, thresholds, side="left")]
        with np.errstate(invalid="ignore", divide="ignore"):  # nobody drawn has a match
            return thresholds, 1 - below / accepted[-1]

    thresholds, fnir = measure(np.ones(len(order)))
    drawn = _drawn(made.labels, min(samples, WORK // len(order) + 1), seed)
    bounds = None
    if drawn is not None:
        tail = 50 * (1 - level)
        with np.errstate(invalid="ignore"):  # infinite thresholds
            both = np.array([measure(weights) for weights in drawn])
            bounds = np.nanpercentile(both, [tail, 100 - tail], axis=0, method="nearest")
    rows = []
    for i, fpir in enumerate(FPIR):
        row: dict[str, Any] = dict(
            fpir=100 * fpir, fnir=float(100 * fnir[i]), threshold=float(thresholds[i])
        )
        row["threshold_interval"] = None if bounds is None else bounds[:, 0, i]
        row["fnir_interval"] = None if bounds is None else 100 * bounds[:, 1, i]
        rows.append(row)
    curve = dict(fpir=100 * CURVE, fnir=100 * fnir[len(FPIR) :], low=None, high=None)
    if bounds is not None:
        curve["low"], curve["high"] = 100 * bounds[:, 1, len(FPIR) :]
    return dict(mated=int(mated.sum()), nonmated=len(order), at=rows, curve=curve)


def _thresholds(stranger: np.ndarray, weights: np.ndarray, fpir: np.ndarray) -> np.ndarray:
    """Those of each rate; `stranger` ascending. Beyond the last they are infinite."""
    share = np.cumsum(weights) / weights.sum()
    at = np.searchsorted(share, fpir + 1e-9, side="right")
    return np.append(stranger, np.inf)[at]


def _drawn(labels: np.ndarray, samples: int, seed: int):
    """Weights (n,) of the searches in each sample; None with fewer than two identities."""
    names, identity = np.unique(labels, return_inverse=True)
    if len(names) < 2 or samples < 1:
        return None
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=samples)
    return (weights[identity].astype(float) for weights in drawn)


def d_prime(moments: np.ndarray) -> float:
    """How far two kinds of distances lie apart, in their standard deviations.

    |mean_1 - mean_2| / sqrt((variance_1 + variance_2) / 2).

    Args:
      moments: (2, 3) number, sum, and sum of squares of the distances of each kind.
    """
    number, total, squares = np.moveaxis(moments, -1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = total / number
        variance = np.maximum(squares / number - mean**2, 0)
        return float(np.abs(mean[0] - mean[1]) / np.sqrt(variance.mean()))


def d_prime_interval(
    moments: np.ndarray, samples: int = 1000, seed: int = 0, level: float = 0.95
) -> list[float] | None:
    """Interval of `d_prime` over identities; `moments` (identities, 2, 3) of each one's probes."""
    drawn = _drawn(np.arange(len(moments)), samples, seed)
    if drawn is None:
        return None
    values = [d_prime(np.tensordot(weights, moments, axes=1)) for weights in drawn]
    tail = 50 * (1 - level)
    return np.nanpercentile(values, [tail, 100 - tail]).tolist()
