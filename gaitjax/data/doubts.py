"""What is doubtful about a sequence: too short, empty, standing, cut off.

Nothing here is refused, and everything is said: once, with counts, by preparation, evaluation and
`gaitjax.load(...).embed` alike.
"""

from collections import Counter
from collections.abc import Iterable

import numpy as np

from gaitjax.skeleton import JointFormat

SHORT = 10  # frames: fewer hold no step
HUGE = 20_000.0  # pixels
FEW = 3  # joints: fewer are no body
# Of the legs' length: by how much an ankle of somebody who stands moves about the hips (standard
# deviation over time, in x or y). Our walkers' move by 0.15 or more, from any side; the error
# of a pose estimator, 0.01 of the body's height, is 0.03.
STANDING = 0.05


def of(poses: np.ndarray, fmt: JointFormat | None = None) -> list[str]:
    """What is doubtful about one sequence, in words without numbers of its own.

    Args:
      poses: (T, V, 3) x, y in pixels, confidence; missing joints are (0, 0, 0).
      fmt: their joint format; without it nothing is said about how the person moves.
    """
    poses = np.asarray(poses)
    frames = len(poses)
    xy = poses[..., :2]
    seen = xy.any(axis=-1)
    blank = not seen.any()
    joints = seen.sum(axis=-1)
    found = {
        "one single frame": frames == 1,
        f"fewer than {SHORT} frames": frames < SHORT,
        "every joint of every frame missing": blank,
        f"fewer than {FEW} joints in most frames": not blank and bool((joints < FEW).mean() > 0.5),
        "every frame the same": frames > 1 and bool((poses == poses[:1]).all()),
        "more than half of the joints missing": bool((~seen).mean() > 0.5),
        "huge coordinates": bool((np.abs(xy) > HUGE).any()),
        "no confidence": not blank and not poses[..., 2].any(),
        "confidence below 0 or above 2": bool(((poses[..., 2] < 0) | (poses[..., 2] > 2)).any()),
    }
    found["somebody who does not walk"] = (
        fmt is not None
        and frames >= SHORT
        and not found["every frame the same"]
        and _stands(xy, np.asarray(seen), fmt)
    )
    return [what for what, doubtful in found.items() if doubtful]


def of_images(images: np.ndarray) -> list[str]:
    """What is doubtful about maps or silhouettes (T, ...) uint8."""
    frames = len(images)
    blank = ~images.reshape(frames, -1).any(axis=1)
    found = {
        "one single frame": frames == 1,
        f"fewer than {SHORT} frames": frames < SHORT,
        "every frame the same": frames > 1 and bool((images == images[:1]).all()),
        "more than half of the frames blank": bool(blank.mean() > 0.5),
    }
    return [what for what, doubtful in found.items() if doubtful]


def _stands(xy: np.ndarray, seen: np.ndarray, fmt: JointFormat) -> bool:
    """Whether neither ankle moves about the hips; False where they are hardly seen."""
    hips, ankles = (
        [fmt.joints.index(f"{side}_{joint}") for side in ("left", "right")]
        for joint in ("hip", "ankle")
    )
    whole = seen[:, hips + ankles].all(axis=1)
    if whole.sum() < SHORT:
        return False
    xy = xy[whole].astype(np.float64)
    legs = xy[:, ankles] - xy[:, hips].mean(axis=1, keepdims=True)
    length = np.linalg.norm(legs.mean(axis=0), axis=-1).mean()
    return bool(legs.std(axis=0).max() < STANDING * length)


def told(doubts: Iterable[list[str]]) -> str:
    """One line with counts about the doubts of each sequence, "" if there are none."""
    doubts = list(doubts)
    counts = Counter(what for found in doubts for what in found)
    parts = [f"{what} ({count})" for what, count in sorted(counts.items())]
    return f"doubtful among {len(doubts)} sequences: {'; '.join(parts)}" if parts else ""
