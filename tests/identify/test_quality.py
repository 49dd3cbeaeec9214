"""Quality of walks made by hand."""

import numpy as np
import pytest

from gaitjax.identify import quality
from gaitjax.skeleton import COCO
from tests.helpers.people import walk


def test_a_whole_walk_weighs_1_and_a_short_one_less():
    assert quality.of(walk(), COCO).weight == 1 and quality.of(walk(), COCO).doubts == ()
    assert quality.of(walk()[:25], COCO).weight == pytest.approx(0.5)


def test_missing_and_cut():
    poses = walk()
    poses[::2, 5] = 0  # half of the frames of one joint of 17
    assert quality.of(poses, COCO).missing == pytest.approx(0.5 / 17)
    poses = walk()
    poses[:, [15, 16]] = 0
    found = quality.of(poses, COCO)
    assert found.weight == pytest.approx(15 / 17 / 4)
    assert found.doubts == ("cut off: left ankle", "cut off: right ankle")


@pytest.mark.parametrize(
    "poses, doubt",
    [
        (walk()[:9], "fewer than 10 frames"),
        (walk()[:1], "one single frame"),
        (np.zeros((50, 17, 3)), "every joint of every frame missing"),
        (np.repeat(walk()[:1], 50, axis=0), "every frame the same"),
    ],
)
def test_useless(poses, doubt):
    found = quality.of(poses, COCO)
    assert found.weight == 0 and doubt in found.doubts and doubt in quality.told(found)


def test_standing_is_useless():
    rng = np.random.default_rng(0)
    poses = np.repeat(walk()[:1], 50, axis=0)
    poses[..., :2] += rng.normal(0, 0.3, poses[..., :2].shape)
    assert quality.of(poses, COCO).doubts == ("somebody who does not walk",)
