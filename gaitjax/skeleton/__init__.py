"""Joint formats: records of joint names, their graphs, conversions, and telling them apart."""

from gaitjax.skeleton.conversion import Conversion, convert
from gaitjax.skeleton.formats import (
    ALPHAPOSE,
    COCO,
    FORMATS,
    KINECT,
    LIMBS,
    JointFormat,
    joint_format,
    side,
)
from gaitjax.skeleton.graph import MAX_HOP, adjacency, hop_distance
from gaitjax.skeleton.telling import is_body, stated, tell, with_joints

__all__ = [
    "ALPHAPOSE", "COCO", "FORMATS", "KINECT", "LIMBS", "MAX_HOP", "Conversion", "JointFormat",
    "adjacency", "convert", "hop_distance", "is_body", "joint_format", "side", "stated", "tell",
    "with_joints",
]  # fmt: skip
