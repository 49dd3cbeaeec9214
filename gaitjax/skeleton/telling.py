"""Which joint format poses are in, by what limbs can be.

The number of joints alone does not tell: OpenPose writes 25 in two orders. Under the wrong
names limbs reach across the whole body, under the right ones they are short.
"""

import numpy as np

from gaitjax.errors import DataError
from gaitjax.skeleton.formats import FORMATS, JointFormat

CLEARLY = 0.75  # limbs shorter than this share of the usual format's speak for another one
LONGEST = 0.28  # of the body's size: limbs of whole bodies are shorter than that on average
WHOLE = 0.6  # share of the joints that must be seen for a frame to tell anything


def with_joints(count: int) -> list[JointFormat]:
    """The formats of `count` joints, the usual one first; each order of joints once."""
    found: dict[tuple[str, ...], JointFormat] = {}
    for fmt in FORMATS.values():
        if fmt.num_joints == count:
            found.setdefault(fmt.joints, fmt)
    return list(found.values())


def stated(count: int, name: str = "") -> JointFormat:
    """The format called `name`, or the usual one, of poses with `count` joints.

    Raises:
      DataError: `name` has another number, or is unknown; no format has as many.
    """
    if name and name not in FORMATS:
        raise DataError(f"no joint format {name!r}; known: {', '.join(FORMATS)}")
    known = [FORMATS[name]] if name else with_joints(count)
    if not known or known[0].num_joints != count:
        expected = ", ".join(f"{f.name} ({f.num_joints})" for f in known or FORMATS.values())
        raise DataError(f"{count} joints; expected those of {expected}")
    return known[0]


def limb_length(poses: np.ndarray, fmt: JointFormat) -> float:
    """Mean length of the limbs in sizes of the body, the median over the frames.

    Args:
      poses: (T, V, 3); missing joints are (0, 0, 0).

    Returns:
      NaN where no frame shows most of the body.
    """
    seen = poses[..., 2] > 0
    seen, poses = (x[seen.mean(axis=-1) >= WHOLE] for x in (seen, poses))
    xy = np.where(seen[..., None], poses[..., :2], np.nan)
    starts, ends = np.array(fmt.edges).T
    lengths = np.linalg.norm(xy[:, starts] - xy[:, ends], axis=-1)
    usable = ~np.isnan(lengths).all(axis=1)
    if not usable.any():
        return float("nan")
    xy, lengths = xy[usable], lengths[usable]
    size = (np.nanmax(xy, axis=1) - np.nanmin(xy, axis=1)).max(axis=-1)
    return float(np.median(np.nanmean(lengths, axis=1) / np.maximum(size, 1e-9)))


def tell(poses: np.ndarray) -> JointFormat | None:
    """The format of poses (T, V, 3); None where there is none of V joints.

    The usual format of V joints, unless limbs are clearly shorter under another's names.
    """
    known = with_joints(poses.shape[-2])
    if len(known) < 2:
        return known[0] if known else None
    lengths = [limb_length(poses, fmt) for fmt in known]
    best = int(np.argmin(lengths))
    return known[best] if lengths[best] < CLEARLY * lengths[0] else known[0]


def is_body(poses: np.ndarray, fmt: JointFormat) -> bool:
    """False if the limbs of poses (T, V, 3) are longer than a person's under `fmt`'s names."""
    return not limb_length(poses, fmt) > LONGEST  # NaN, nothing seen, may be one
