"""How much a walk tells: its length, the joints seen, and whether somebody walks in it."""

from typing import NamedTuple

import numpy as np

from gaitjax.data import doubts
from gaitjax.skeleton import JointFormat

ENOUGH = 50  # frames, two steps: longer walks weigh no more
USELESS = (  # doubts about walks that nobody is told by
    "one single frame",
    f"fewer than {doubts.SHORT} frames",
    "every joint of every frame missing",
    f"fewer than {doubts.FEW} joints in most frames",
    "every frame the same",
    "somebody who does not walk",
)
_ENDS = ("nose", "left_wrist", "right_wrist", "left_ankle", "right_ankle")
_OUT = 0.5  # share of the frames: an end of the body missing in more is cut off


class Quality(NamedTuple):
    """What is known of a walk before anybody is recognised in it.

    Attributes:
      frames: T.
      missing: share of the joints that were not seen, of those that the format has from the file.
      weight: 0 to 1, see `of`.
      doubts: what is doubtful, in words.
    """

    frames: int
    missing: float
    weight: float
    doubts: tuple[str, ...]


def of(poses: np.ndarray, fmt: JointFormat) -> Quality:
    """The quality of poses (T, V, 3): x, y, confidence; missing joints are (0, 0, 0).

    The weight is the share of joints seen, times the share of `ENOUGH` frames, halved for each
    end of the body (head, a hand, a foot) that is cut off; 0 for what is `USELESS`.
    """
    seen = np.asarray(poses[..., :2].any(axis=-1))
    found = doubts.of(poses, fmt)
    cut = [
        name
        for name in _ENDS
        if name in fmt.joints and len(seen) and not _in_sight(seen[:, fmt.joints.index(name)])
    ]
    weight = float(seen.mean()) * min(1.0, len(poses) / ENOUGH) * 0.5 ** len(cut)
    if any(doubt in USELESS for doubt in found):
        weight = 0.0
    found += [f"cut off: {name.replace('_', ' ')}" for name in cut]
    return Quality(len(poses), 1 - float(seen.mean()), weight, tuple(found))


def useless(quality: Quality) -> list[str]:
    """The doubts that make the weight 0."""
    return [doubt for doubt in quality.doubts if doubt in USELESS]


def _in_sight(seen: np.ndarray) -> bool:
    return bool(seen.mean() >= 1 - _OUT)


def told(quality: Quality) -> str:
    """One line for a terminal.

    >>> told(Quality(40, 0.02, 0.784, ("no confidence",)))
    '40 frames, 2 % of the joints missing, weight 0.78 (no confidence)'
    """
    doubted = f" ({'; '.join(quality.doubts)})" if quality.doubts else ""
    return (
        f"{quality.frames} frames, {100 * quality.missing:.0f} % of the joints missing, "
        f"weight {quality.weight:.2f}{doubted}"
    )
