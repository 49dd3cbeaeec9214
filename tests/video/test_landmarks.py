"""Joints of one person, by name and in pixels of the image."""

import numpy as np

from gaitjax.skeleton import COCO
from gaitjax.skeleton.formats import BLAZEPOSE
from gaitjax.video import landmarks
from gaitjax.video.region import Region, matrix

IMAGE = np.zeros((240, 320, 3), np.uint8)
PLACE = Region(150, 110, 128, 0.3)


def network(points, visibility=3.0, score=0.9):
    """Gives BlazePose's 39 `points` (39, 2) of the image as the network has them."""
    to = matrix(PLACE, 256)
    numbers = np.zeros((39, 5), np.float32)
    numbers[:, :2] = points @ to[:, :2].T + to[:, 2]
    numbers[:, 3] = visibility
    return lambda pixels: (numbers.ravel(), np.array([score], np.float32))


def points():
    """Each joint where its number in its format is: (100 + i, 50 + 2 i)."""
    return np.stack([100 + np.arange(39.0), 50 + 2 * np.arange(39.0)], axis=1)


def test_joints_are_known_by_name():
    pose = landmarks.estimate(network(points()), IMAGE, PLACE)
    for joint, (x, y, confidence) in zip(COCO.joints, pose.joints, strict=True):
        number = BLAZEPOSE.joints.index(joint)
        np.testing.assert_allclose([x, y], [100 + number, 50 + 2 * number], atol=1e-4)
        np.testing.assert_allclose(confidence, 1 / (1 + np.exp(-3)), rtol=1e-6)
    assert round(pose.score, 6) == 0.9


def test_the_next_square_is_about_the_circle():
    """Points 33 and 34: the middle of the hips, and the circle's top."""
    where = points()
    where[33], where[34] = (140, 120), (140, 80)
    pose = landmarks.estimate(network(where), IMAGE, PLACE)
    np.testing.assert_allclose(pose.region, (140, 120, 100, 0), atol=1e-4)


def test_joints_outside_of_the_image_are_missing():
    where = points()
    where[15] = -1, 100  # the left wrist
    where[28] = 100, 239.5  # the right ankle, below the last row
    joints = landmarks.estimate(network(where), IMAGE, PLACE).joints
    gone = {joint for joint, row in zip(COCO.joints, joints, strict=True) if not row.any()}
    assert gone == {"left_wrist", "right_ankle"}


def test_a_joint_surely_hidden_is_no_overflow():
    with np.errstate(over="raise"):
        pose = landmarks.estimate(network(points(), visibility=-1000), IMAGE, PLACE)
    assert (pose.joints[:, 2] < 1e-9).all() and (pose.joints[:, 2] > 0).all()
