"""One sequence of poses as networks take it: checked, with the right joints, imputed."""

from pathlib import Path

import numpy as np

from gaitjax.data import imputation
from gaitjax.errors import DataError
from gaitjax.skeleton import JointFormat, convert, with_joints

IMPUTE = {
    "none": lambda poses: poses,
    "frame_mean": imputation.frame_mean,
    "interpolate": imputation.interpolate,
    "knn": imputation.knn,
}


def check_conversion(have: JointFormat, want: JointFormat) -> None:
    """DataError unless poses in format `have` can be given in format `want`."""
    try:
        convert(have, want)
    except DataError as error:
        raise DataError(f"data.joints, model.joints: {error}") from None


def for_network(
    poses: np.ndarray, name: str | Path, have: JointFormat, want: JointFormat, impute: str
) -> np.ndarray:
    """One sequence as networks take it: checked, in the joints of `want`, imputed.

    Args:
      poses: (T, V, 3) x, y in pixels, confidence, in joint format `have`.
      name: what errors call the sequence.
      impute: a key of `IMPUTE`.

    Returns:
      (T, V of `want`, 3) float32, contiguous.

    Raises:
      DataError: as `checked`; joints of `want` that `have` lacks.
    """
    poses = convert(have, want)(checked(poses, name, have))
    return np.ascontiguousarray(IMPUTE[impute](poses), np.float32)


def checked(poses: np.ndarray, name: str | Path, have: JointFormat) -> np.ndarray:
    """`poses` as float32; DataError unless it is (T, V, 3), T > 0, finite, V those of `have`."""
    count = have.num_joints
    if poses.ndim != 3 or poses.shape[2] != 3:
        raise DataError(
            f"{name}: shape {poses.shape}; expected (frames, {count}, 3): x, y, confidence"
        )
    if poses.shape[1] != count:
        fitting = " or ".join(fmt.name for fmt in with_joints(poses.shape[1]))
        raise DataError(
            f"{name}: {poses.shape[1]} joints; format {have.name} (data.joints) has {count}. Set "
            f"data.joints to the format of the files: {fitting or 'none has as many joints'}"
        )
    if not len(poses):
        raise DataError(f"{name}: no frames in it; remove the folder or write the sequence again")
    with np.errstate(over="ignore"):
        poses = poses.astype(np.float32)
    if not np.isfinite(poses).all():
        frame, joint, channel = np.argwhere(~np.isfinite(poses))[0]
        raise DataError(
            f"{name}: {poses[frame, joint, channel]} at frame {frame}, joint {joint}, channel "
            f"{channel}; write missed joints as (0, 0, 0)"
        )
    return poses
