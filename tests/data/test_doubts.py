"""What is said of sequences that are too short, empty, standing or damaged."""

import numpy as np
import pytest

from gaitjax.data import doubts, walkers
from gaitjax.skeleton import COCO, FORMATS, convert

WALKS = walkers.identity(0, 3, 40)[0]  # from four sides
WALK = WALKS[2]


def standing(error: float) -> np.ndarray:
    """The first frame for 40 frames, found with an error in shares of the body's height."""
    poses = np.repeat(WALK[:1], 40, axis=0).astype(np.float64)
    noise = np.random.default_rng(0).normal(0, error * np.ptp(WALK[0, :, 1]), (40, 17, 2))
    poses[..., :2] += noise
    return poses


def only(joints: list[int]) -> np.ndarray:
    poses = np.zeros_like(WALK)
    poses[:, joints] = WALK[:, joints]
    return poses


CASES = {
    "one frame": (WALK[:1], ["one single frame", "fewer than 10 frames"]),
    "nine frames": (WALK[:9], ["fewer than 10 frames"]),
    "all zero": (
        np.zeros_like(WALK),
        ["every joint of every frame missing", "every frame the same",
         "more than half of the joints missing"],
    ),
    "one joint": (
        only([3]), ["fewer than 3 joints in most frames", "more than half of the joints missing"]
    ),
    "standing": (standing(0.005), ["somebody who does not walk"]),
    "standing, badly found": (standing(0.01), ["somebody who does not walk"]),
    "a picture": (standing(0.0), ["every frame the same"]),
    "no confidence": (WALK * [1, 1, 0], ["no confidence"]),
    "percent": (WALK * [1, 1, 100], ["confidence below 0 or above 2"]),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_doubts(name):
    poses, expected = CASES[name]
    assert doubts.of(poses, COCO) == expected


@pytest.mark.parametrize("view", range(4))
def test_walkers_are_not_doubted(view):
    assert doubts.of(WALKS[view], COCO) == []


@pytest.mark.parametrize("name", FORMATS)
def test_standing_in_every_format(name):
    to = convert(COCO, FORMATS[name], partial=True)
    walks = "somebody who does not walk"
    assert walks in doubts.of(to(standing(0.005)), FORMATS[name])
    assert walks not in doubts.of(to(WALK), FORMATS[name])


def test_counts_are_told_once():
    found = [doubts.of(p, COCO) for p in (WALK[:1], WALK[:5], WALK)]
    assert doubts.told(found) == (
        "doubtful among 3 sequences: fewer than 10 frames (2); one single frame (1)"
    )
    assert doubts.told([[], []]) == ""


def test_images():
    blank = np.zeros((12, 4, 4), np.uint8)
    assert doubts.of_images(blank) == ["every frame the same", "more than half of the frames blank"]
