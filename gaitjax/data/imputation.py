"""Filling in the joints that a pose estimator missed and wrote as zeros."""

import numpy as np

_NEIGHBOURS = 4
_BLOCK = 2**22  # numbers held at once while comparing frames


def frame_mean(poses: np.ndarray) -> np.ndarray:
    """Give each joint with x = 0 the mean position of its frame (section 4.1, NormalizeEmpty).

    Joints are filled in order, so the mean takes in the zeros of those still missing and
    the values of those just filled; y is not tested; confidence becomes 0.

    Args:
      poses: (T, V, 3) x, y in pixels, confidence.

    Returns:
      (T, V, 3) float64.
    """
    filled = poses.astype(np.float64)
    missing = filled[..., 0] == 0
    for joint in np.flatnonzero(missing.any(axis=0)):
        frames = np.flatnonzero(missing[:, joint])
        filled[frames, joint, :2] = filled[frames, :, :2].mean(axis=1)
        filled[frames, joint, 2] = 0.0
    return filled


def interpolate(poses: np.ndarray) -> np.ndarray:
    """Put each missed joint (0, 0) on the line between its last and its next sighting.

    Its confidence likewise. Before the first and after the last sighting it stays as it is
    seen; a joint never seen stays (0, 0).

    Args:
      poses: (T, V, 3) x, y in pixels, confidence.

    Returns:
      (T, V, 3) float64.
    """
    filled = poses.astype(np.float64)
    missing = (filled[..., :2] == 0).all(axis=-1)
    for joint in np.flatnonzero(missing.any(axis=0) & ~missing.all(axis=0)):
        lost, seen = np.flatnonzero(missing[:, joint]), np.flatnonzero(~missing[:, joint])
        for channel in range(3):
            filled[lost, joint, channel] = np.interp(lost, seen, filled[seen, joint, channel])
    return filled


def knn(poses: np.ndarray) -> np.ndarray:
    """Fill zero coordinates from the 4 most similar frames of the sequence (section 11, step 3).

    x and y count as missing independently. Frames are compared on the coordinates both
    have: squared differences scaled up to all 2V. The neighbours are the nearest frames
    that have the coordinate, weighted by 1 / distance; where no frame can be compared, the
    mean over time is taken. This is scikit-learn's `KNNImputer(4, weights="distance")`
    fitted on the sequence. A sequence with a coordinate missing in every frame is
    returned as it is. Confidence is untouched.

    Args:
      poses: (T, V, 3) x, y in pixels, confidence.

    Returns:
      (T, V, 3) float64.
    """
    filled = poses.astype(np.float64)
    frames, joints = filled.shape[:2]
    table = filled[..., :2].reshape(frames, 2 * joints)
    present = table != 0
    if present.all() or not present.any(axis=0).all():
        return filled
    receivers = np.flatnonzero(~present.all(axis=1))
    distance = _distances(table, present, receivers)
    result = table.copy()
    for column in np.flatnonzero(~present.all(axis=0)):
        donors = np.flatnonzero(present[:, column])
        rows = np.flatnonzero(~present[receivers, column])
        to_donors = distance[np.ix_(rows, donors)]
        count = min(_NEIGHBOURS, len(donors))
        nearest = np.argpartition(to_donors, count - 1, axis=1)[:, :count]
        weights = _weights(np.take_along_axis(to_donors, nearest, axis=1))
        values = table[donors, column]
        total = weights.sum(axis=1)
        with np.errstate(invalid="ignore"):
            mean = (weights * values[nearest]).sum(axis=1) / total
        result[receivers[rows], column] = np.where(total > 0, mean, values.mean())
    filled[..., :2] = result.reshape(frames, joints, 2)
    return filled


def _distances(table: np.ndarray, present: np.ndarray, receivers: np.ndarray) -> np.ndarray:
    """Distances (receivers, T) on shared coordinates; infinite where none is shared."""
    columns = table.shape[1]
    shared = present[receivers].astype(np.float64) @ present.T
    squares = np.empty(shared.shape)
    # Differences, not the expanded square: frames alike to a pixel differ by little.
    block = max(1, _BLOCK // table.size)
    for start in range(0, len(receivers), block):
        rows = receivers[start : start + block]
        difference = table[rows, None] - table
        difference *= present[rows, None] & present
        squares[start : start + block] = np.einsum("rtc,rtc->rt", difference, difference)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(shared > 0, np.sqrt(squares * columns / shared), np.inf)


def _weights(distance: np.ndarray) -> np.ndarray:
    """1 / distance; where a row has zero distances, only those count."""
    with np.errstate(divide="ignore"):
        weights = 1.0 / distance
    exact = np.isinf(weights)
    return np.where(exact.any(axis=1, keepdims=True), exact, weights)
