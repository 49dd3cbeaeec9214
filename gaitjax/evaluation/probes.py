"""What a network may look at: poses with something taken out, and features without a network.

A probe takes poses (N, T, V, 3) (x, y in pixels, confidence; missed joints at the origin) and gives
poses of the same shape. `probes` names those of a test set; `gaitjax.evaluation.probing` runs them.
A plain feature makes one row of numbers of one sequence (T, V, 3).
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import NamedTuple

import numpy as np

from gaitjax.data import familiar, imputation
from gaitjax.skeleton import JointFormat, bones

Probe = Callable[[np.ndarray], np.ndarray]

PARTS = {  # of the body: words that are in the names of its joints; the first that fits
    "arms": ("elbow", "wrist", "hand", "pinky", "index", "thumb"),
    "legs": ("knee", "ankle", "foot", "toe", "heel"),
    "trunk": ("shoulder", "hip", "neck", "spine"),
    "head": ("nose", "eye", "ear", "mouth", "face", "head"),
}
LONG = 90  # percentile over the frames at which a limb is as long as the camera shows it


def frozen(poses: np.ndarray) -> np.ndarray:
    """The middle frame, again and again."""
    middle = poses.shape[1] // 2
    return np.repeat(poses[:, middle : middle + 1], poses.shape[1], axis=1)


def shuffled(poses: np.ndarray, seed: int = 0) -> np.ndarray:
    """The frames in another order, drawn from the seed."""
    return poses[:, np.random.default_rng(seed).permutation(poses.shape[1])]


def reversed_time(poses: np.ndarray) -> np.ndarray:
    """The last frame first."""
    return poses[:, ::-1]


def sides_exchanged(poses: np.ndarray, fmt: JointFormat) -> np.ndarray:
    """Left joints under the names of the right ones; nothing is mirrored."""
    return poses[:, :, list(fmt.swap)]


def of_height(poses: np.ndarray, height: float) -> np.ndarray:
    """Each sequence made `height` pixels high (the median over its frames), in its place."""
    looks = [familiar.look(sequence) for sequence in poses]
    found = [look["height"] for look in looks]
    scale = np.array([height / value if value > 0 else 1.0 for value in found])
    middle = np.nan_to_num(np.array([[look["x"], look["y"]] for look in looks]))
    xy = (poses[..., :2] - middle[:, None, None]) * scale[:, None, None, None]
    return _with(poses, xy + middle[:, None, None])


def without(poses: np.ndarray, joints: Iterable[int]) -> np.ndarray:
    """These joints missed in every frame."""
    poses = poses.copy()
    poses[:, :, list(joints)] = 0
    return poses


def of_proportions(poses: np.ndarray, fmt: JointFormat, shares: np.ndarray) -> np.ndarray:
    """Each sequence with every bone as long, beside the others, as `shares` say.

    A bone is scaled by one number in all frames, and what hangs on it moves along: the body keeps
    its place, its size and the directions of its bones.

    Args:
      shares: (V + 1,) of the sum of all lengths, see `proportions`.
    """
    return np.stack([_reshaped(sequence, fmt, shares) for sequence in poses])


def proportions(poses: np.ndarray, fmt: JointFormat) -> np.ndarray:
    """Lengths of the bones (`gaitjax.skeleton.bones`) of a sequence (T, V, 3), (V + 1,).

    As shares of their sum; as long as in the longest tenth of the frames; 0 for a bone with an end
    that is never seen.
    """
    lengths = _lengths(_bones(poses, fmt)[0])
    return lengths / max(lengths.sum(), 1e-9)


def limb_ratios(poses: np.ndarray, fmt: JointFormat) -> np.ndarray:
    """A plain feature: lengths of the limbs in the image as shares of their sum.

    Limbs are the edges of the format between joints that are not of the head; each as long as in
    the longest tenth of the frames in which both ends are seen.
    """
    head = set(parts(fmt)["head"])
    starts, ends = np.array([edge for edge in fmt.edges if not head & set(edge)]).T
    xy = _seen(poses)
    with np.errstate(invalid="ignore"):
        lengths = np.linalg.norm(xy[:, starts] - xy[:, ends], axis=-1)
    known = ~np.isnan(lengths).all(axis=0)
    result = np.zeros(len(starts))
    result[known] = np.nanpercentile(lengths[:, known], LONG, axis=0)
    return result / max(result.sum(), 1e-9)


def mean_pose(poses: np.ndarray, fmt: JointFormat) -> np.ndarray:
    """A plain feature: mean places of the joints, from the middle of the hips, in body heights."""
    xy = _seen(poses)
    hips = bones.middles(fmt)[1]
    offsets = xy - xy[:, hips].mean(axis=1, keepdims=True)
    known = ~np.isnan(offsets).all(axis=(0, 2))
    result = np.zeros(offsets.shape[1:])
    result[known] = np.nanmean(offsets[:, known], axis=0)
    height = familiar.look(poses)["height"]
    return (result / height if height > 0 else result).ravel()


FEATURES: dict[str, Callable[[np.ndarray, JointFormat], np.ndarray]] = {
    "limb ratios alone": limb_ratios,
    "mean pose alone": mean_pose,
}


def parts(fmt: JointFormat) -> dict[str, list[int]]:
    """The joints of each part of the body that the format has, by their names."""
    found: dict[str, list[int]] = {}
    for index, joint in enumerate(fmt.joints):
        part = next(part for part, words in PARTS.items() if any(w in joint for w in words))
        found.setdefault(part, []).append(index)
    return found


class Usual(NamedTuple):
    """What is usual among sequences: height in pixels, and `proportions`."""

    height: float
    shares: np.ndarray


def usual(sequences: Iterable[np.ndarray], fmt: JointFormat) -> Usual:
    """The mean of sequences (T, V, 3)."""
    told = [(familiar.look(p)["height"], proportions(p, fmt)) for p in sequences]
    heights, shares = (np.array(values) for values in zip(*told, strict=True))
    heights = heights[~np.isnan(heights)]
    return Usual(float(heights.mean()) if len(heights) else 1.0, shares.mean(axis=0))


def probes(fmt: JointFormat, known: Usual) -> dict[str, Probe]:
    """Every probe of poses in `fmt`, by name; `known` of the camera that filmed them."""
    return {
        "frozen": frozen,
        "shuffled": shuffled,
        "reversed": reversed_time,
        "one height": partial(of_height, height=known.height),
        "one set of limbs": partial(of_proportions, fmt=fmt, shares=known.shares),
        **{f"without {part}": partial(without, joints=j) for part, j in parts(fmt).items()},
        "sides exchanged": partial(sides_exchanged, fmt=fmt),
    }


def _seen(poses: np.ndarray) -> np.ndarray:
    """(T, V, 2), NaN where a joint is missed."""
    xy = poses[..., :2].astype(np.float64)
    return np.where((xy != 0).any(axis=-1, keepdims=True), xy, np.nan)


def _with(poses: np.ndarray, xy: np.ndarray) -> np.ndarray:
    """`poses` with other positions; missed joints stay missed."""
    seen = (poses[..., :2] != 0).any(axis=-1, keepdims=True)
    return np.concatenate([np.where(seen, xy, poses[..., :2]), poses[..., 2:]], axis=-1).astype(
        poses.dtype
    )


def _bones(poses: np.ndarray, fmt: JointFormat) -> tuple[np.ndarray, np.ndarray]:
    """Bones (T, V + 1, 2), NaN where an end is never seen, and the pelvis (T, 1, 2)."""
    xy = _seen(imputation.interpolate(poses))
    middles = [xy[:, pair].mean(axis=1, keepdims=True) for pair in bones.middles(fmt)]
    points = np.concatenate([xy, *middles], axis=1)
    return points[:, :-1] - points[:, bones.starts(fmt)], middles[1]


def _lengths(vectors: np.ndarray) -> np.ndarray:
    return np.nan_to_num(np.percentile(np.linalg.norm(vectors, axis=-1), LONG, axis=0))


def _reshaped(poses: np.ndarray, fmt: JointFormat, shares: np.ndarray) -> np.ndarray:
    """One sequence of `of_proportions`."""
    vectors, pelvis = _bones(poses, fmt)
    lengths = _lengths(vectors)
    known = (lengths > 0) & (shares > 0)
    wanted = shares * lengths[known].sum() / max(shares[known].sum(), 1e-9)
    scale = np.where(known, wanted / np.where(known, lengths, 1), 1)
    moved = bones.chains(fmt) @ (np.nan_to_num(vectors) * scale[:, None])
    return _with(poses, np.nan_to_num(pelvis) + moved)
