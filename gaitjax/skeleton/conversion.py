"""Poses of one joint format as those of another: joint by joint, by name."""

from typing import NamedTuple

import numpy as np

from gaitjax.errors import DataError
from gaitjax.skeleton.formats import JointFormat

# Joints that are the middle of others. OpenPose's neck was learnt from just this point;
# Human3.6M's spine lies half way between neck and mid_hip.
DERIVED = {
    "neck": ("left_shoulder", "right_shoulder"),
    "mid_hip": ("left_hip", "right_hip"),
    "spine": ("left_shoulder", "right_shoulder", "left_hip", "right_hip"),
}


class Conversion(NamedTuple):
    """How joints are made of others; call it with poses (..., V, 3).

    Attributes:
      have, want: the formats.
      sources: for each wanted joint, the given joints that it is the mean of: one, mostly;
        none, if it cannot be known and stays (0, 0, 0).
    """

    have: JointFormat
    want: JointFormat
    sources: tuple[tuple[int, ...], ...]

    @property
    def missing(self) -> tuple[str, ...]:
        """Names of the wanted joints that cannot be known."""
        return tuple(j for j, s in zip(self.want.joints, self.sources, strict=True) if not s)

    def __call__(self, poses: np.ndarray) -> np.ndarray:
        """`poses` (..., V of `have`, 3) as (..., V of `want`, 3), of the same type.

        A derived joint has the lowest confidence of those it is made of, and is missing,
        (0, 0, 0), if one of them is.
        """
        if self.have.joints == self.want.joints:
            return poses
        out = poses[..., [s[0] if s else 0 for s in self.sources], :]
        for joint, source in enumerate(self.sources):
            if not source:
                out[..., joint, :] = 0
            elif len(source) > 1:
                parts = poses[..., list(source), :]
                seen = parts[..., :2].any(axis=-1).all(axis=-1, keepdims=True)
                out[..., joint, :2] = np.where(seen, parts[..., :2].mean(axis=-2), 0)
                out[..., joint, 2:] = np.where(seen, parts[..., 2:].min(axis=-2), 0)
        return out


def convert(have: JointFormat, want: JointFormat, partial: bool = False) -> Conversion:
    """What makes poses of format `want` out of those of format `have`.

    Args:
      partial: leave joints that cannot be known missing, instead of refusing.

    Raises:
      DataError: joints of `want` are neither in `have` nor derived from it; none at all are,
        if `partial`.
    """

    def source(joint: str) -> tuple[int, ...]:
        names = (joint,) if joint in have.joints else DERIVED.get(joint, ())
        known = all(name in have.joints for name in names)
        return tuple(map(have.joints.index, names)) if known else ()

    conversion = Conversion(have, want, tuple(map(source, want.joints)))
    missing = conversion.missing
    if missing and not (partial and len(missing) < want.num_joints):
        raise DataError(
            f"poses of joint format {have.name} ({have.num_joints} joints) cannot be made into "
            f"{want.name} ({want.num_joints}): it lacks {_listed(missing)}"
        )
    return conversion


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
