"""The joints of the one person in a turned square: BlazePose's second network.

It sees the square as 256 x 256 pixels, values 0 to 1, and gives x, y, z, visibility and presence of
39 points (the model card of BlazePose GHUM 3D): the 33 of `skeleton.BLAZEPOSE`, then the middle of
the hips and the top of the circle about the person, from which the next frame's square follows.
"""

from typing import NamedTuple

import numpy as np

from gaitjax.skeleton import COCO, convert
from gaitjax.skeleton.formats import BLAZEPOSE
from gaitjax.video.model import Network
from gaitjax.video.region import Region, around, back, cut

SIZE = 256  # pixels of a side of what the network sees
_POINTS, _NUMBERS = 39, 5
_HIPS, _TOP = 33, 34
_TO_COCO = convert(BLAZEPOSE, COCO)


class Pose(NamedTuple):
    """Somebody in one frame.

    Attributes:
      joints: (17, 3) of COCO: x, y in pixels of the image, confidence; those that would lie
        outside of the image are (0, 0, 0).
      score: probability that it is a person, 0 to 1.
      region: where the person is.
    """

    joints: np.ndarray
    score: float
    region: Region


def estimate(network: Network, image: np.ndarray, region: Region) -> Pose:
    """The person whom a region of an image (H, W, 3) uint8 holds, if any: see `score`."""
    numbers, score = network(cut(image, region, SIZE).astype(np.float32) / 255)
    points = numbers.reshape(_POINTS, _NUMBERS).astype(np.float64)
    xy = back(points[:, :2], region, SIZE)
    visible = 1 / (1 + np.exp(-np.clip(points[:, 3:4], -50, 50)))
    joints = _TO_COCO(np.concatenate([xy, visible], axis=1)[: BLAZEPOSE.num_joints])
    height, width = image.shape[:2]
    last = np.array([width, height]) - 1
    inside = ((joints[:, :2] >= 0) & (joints[:, :2] <= last)).all(axis=1, keepdims=True)
    joints = np.where(inside, joints, 0.0)
    return Pose(joints, float(score[0]), around(xy[_HIPS], xy[_TOP]))
