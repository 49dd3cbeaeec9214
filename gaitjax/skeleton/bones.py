"""A body as bones that hang on the middle of its hips, the same on both sides.

Formats' own parents are the reference's, and in COCO's no tree. V joints have V + 1 bones: bone j
ends at joint j, the last one at the middle of the shoulders.
"""

import numpy as np

from gaitjax.skeleton.formats import JointFormat

SHOULDERS = ("left_shoulder", "right_shoulder")
HIPS = ("left_hip", "right_hip")
FROM_NECK = (*SHOULDERS, "nose", "neck", "head_bottom", "spine")
FROM_PELVIS = (*HIPS, "mid_hip")


def starts(fmt: JointFormat) -> np.ndarray:
    """The point that each bone starts from, (V + 1,): a joint, V for the neck, V + 1 the pelvis."""
    neck, pelvis = fmt.num_joints, fmt.num_joints + 1
    special = dict.fromkeys(FROM_NECK, neck) | dict.fromkeys(FROM_PELVIS, pelvis)
    own = zip(fmt.joints, fmt.parents, strict=True)
    return np.array([*(special.get(joint, parent) for joint, parent in own), pelvis])


def chains(fmt: JointFormat) -> np.ndarray:
    """(V, V + 1) float32: 1 for the bones between the pelvis and each joint."""
    start, pelvis = starts(fmt), fmt.num_joints + 1
    found = np.zeros((fmt.num_joints, pelvis), np.float32)
    for joint in range(fmt.num_joints):
        at = joint
        while at != pelvis:
            found[joint, at] = 1
            at = start[at]
    return found


def mirrored(fmt: JointFormat) -> np.ndarray:
    """(V + 1,) the same bone on the other side."""
    return np.array([*fmt.swap, fmt.num_joints])


def middles(fmt: JointFormat) -> tuple[list[int], list[int]]:
    """The joints that the neck and the pelvis lie between."""
    neck, pelvis = ([fmt.joints.index(name) for name in names] for names in (SHOULDERS, HIPS))
    return neck, pelvis
