"""Typical bodies of a data set: how people look to its cameras, and how sure its estimator is.

An estimator is less sure of joints behind the body, and a network learns to rely on that. Where
poses come without confidences, those of the typical body that is most like theirs stand in.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.cluster.vq import kmeans2

COUNT = 8  # bodies: people from the front, from the side, from behind
DIGITS = 3  # that are kept: thousandths of the body's height


def outline(poses: np.ndarray) -> np.ndarray:
    """The mean body (V, 2) of a sequence (T, V, 3), about its middle, in heights.

    Joints that are never seen lie in the middle; of a sequence in which nothing is seen, all do.
    """
    seen = (poses[..., :2] != 0).any(axis=-1)
    frames = seen.sum(axis=1) > 1
    seen, xy = seen[frames, :, None], poses[frames, :, :2].astype(np.float64)
    if not len(xy):
        return np.zeros((poses.shape[1], 2))
    low, high = np.where(seen, xy, np.inf).min(axis=1), np.where(seen, xy, -np.inf).max(axis=1)
    height = max(float(np.median((high - low)[:, 1])), 1e-9)
    offset = np.where(seen, xy - (low + high)[:, None] / 2, 0)
    return offset.sum(axis=0) / np.maximum(seen.sum(axis=0), 1) / height


def sureness(poses: np.ndarray) -> np.ndarray:
    """The mean confidence (V,) of each joint where there is one; NaN where it never is."""
    sure = (poses[..., :2] != 0).any(axis=-1) & (poses[..., 2] != 0)
    count = sure.sum(axis=0)
    total = np.where(sure, poses[..., 2], 0).sum(axis=0, dtype=np.float64)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def bodies(outlines: np.ndarray, sure: np.ndarray) -> list[list[list[float]]]:
    """At most `COUNT` bodies (V, 3), x, y and confidence, as JSON.

    Args:
      outlines: (S, V, 2) of `outline`. sure: (S, V) of `sureness`.
    """
    points = outlines.reshape(len(outlines), -1)
    distinct = len(np.unique(points, axis=0))
    _, group = kmeans2(points, min(COUNT, distinct), minit="++", seed=0)
    usual = _mean_of_known(sure, np.zeros(sure.shape[1]))
    found = []
    for number in np.unique(group):
        members = group == number
        confidence = _mean_of_known(sure[members], usual)
        body = np.concatenate([outlines[members].mean(axis=0), confidence[:, None]], axis=1)
        found.append(body.round(DIGITS).tolist())
    return found


def confidence(poses: np.ndarray, known: Sequence) -> np.ndarray | None:
    """The confidences (V,) of the body of `known` (see `bodies`) that is most like a sequence's.

    Returns:
      None where the known bodies have other joints.
    """
    array = np.asarray(known, np.float64)
    if array.ndim != 3 or array.shape[1:] != (poses.shape[1], 3):
        return None
    apart = ((array[..., :2] - outline(poses)) ** 2).sum(axis=(1, 2))
    return array[apart.argmin(), :, 2]


def are_bodies(value: Any) -> bool:
    """Whether a value is what `bodies` gives; an empty list is."""
    return isinstance(value, list) and all(
        isinstance(body, list)
        and len(body) == len(value[0])
        and all(isinstance(joint, list) and len(joint) == 3 for joint in body)
        and all(isinstance(number, int | float) for joint in body for number in joint)
        for body in value
    )


def _mean_of_known(values: np.ndarray, otherwise: np.ndarray) -> np.ndarray:
    """Column means over what is no NaN; `otherwise` in columns without any."""
    known = ~np.isnan(values)
    mean = np.where(known, values, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return np.where(known.any(axis=0), mean, otherwise)
