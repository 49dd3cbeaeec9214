"""How sure one can be of a mean: bootstrap intervals over identities.

Identities, not probes, are drawn with replacement, because the probes of one person are
right or wrong together. The gallery and all ranks stay as they are, so the interval speaks
of the people who were tested, not of how a larger gallery would do.
"""

import numpy as np


def interval(
    points: np.ndarray,
    labels: np.ndarray,
    cell: np.ndarray,
    counted: np.ndarray,
    samples: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> list[float] | None:
    """Percentile interval of the mean over cells of the mean of `points`, in percent.

    Args:
      points: (n,) contribution of each question, 0..1.
      labels: (n,) identity of each.
      cell: (n,) int, cell of each.
      counted: (cells,) bool, the cells that enter the mean.

    Returns:
      [low, high], or None with fewer than two identities.

    >>> interval(np.ones(4), np.array(list("aabb")), np.zeros(4, int), np.array([True]))
    [100.0, 100.0]
    """
    keep = counted[cell]
    points, labels, cell = points[keep], labels[keep], cell[keep]
    names, identity = np.unique(labels, return_inverse=True)
    if len(names) < 2 or samples < 1:
        return None
    cells = np.unique(cell, return_inverse=True)[1]
    shape = (len(names), cells.max() + 1)
    flat = identity * shape[1] + cells
    total = np.bincount(flat, weights=points, minlength=shape[0] * shape[1]).reshape(shape)
    number = np.bincount(flat, minlength=shape[0] * shape[1]).reshape(shape).astype(float)
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=samples)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = (drawn @ total) / (drawn @ number)  # NaN: no identity of that cell was drawn
    values = 100 * np.nanmean(means, axis=1)
    tail = 50 * (1 - level)
    return [float(v) for v in np.percentile(values, [tail, 100 - tail])]
