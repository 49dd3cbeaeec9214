"""The people of a video, frame by frame: found, their joints estimated, and followed."""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from gaitjax.video import detector, landmarks, searching, tracker
from gaitjax.video.footage import Footage
from gaitjax.video.landmarks import Pose
from gaitjax.video.model import PoseModel
from gaitjax.video.region import Region, moved

SURE = 0.5  # probability that a pose is a person's
LOOKS = 15  # squares in which newcomers are looked for, a second
MOST_LOOKS = 3  # in one frame: a camera does not wait
_KNOWN = 0.2  # of a square's side: a detection as near as this to somebody is not looked at


class Frame(NamedTuple):
    """One frame of a video and who is in it.

    Attributes:
      number: of the frame, counted from 0.
      seconds: since the first one.
      fps: frames a second; a camera's that came while another was worked on are missing.
      image: (H, W, 3) uint8, blue first.
      people: name, "1", "2", ... in the order of appearance -> (17, 3) joints of COCO.
    """

    number: int
    seconds: float
    fps: float
    image: np.ndarray
    people: dict[str, np.ndarray]


def frames(model: PoseModel, footage: Footage) -> Iterator[Frame]:
    """Every frame of the footage with the people in it."""
    people = tracker.People()
    search = searching.begin(footage.size)
    looks, before = 0.0, -1
    for number, image in footage.frames:
        passed = number - before
        before = number
        people = tracker.passed(people, passed - 1)
        poses = _seen_again(model, image, people)
        looks = min(looks % 1 + passed * LOOKS / footage.fps, MOST_LOOKS)
        known = [pose.joints for pose in poses]
        squares, search = searching.choose(search, image, number, int(looks), known)
        for square in squares:
            poses += _newcomers(model, image, square, poses)
        people = tracker.step(people, poses, footage.fps, footage.size)
        here = {p.name: p.pose.joints for p in people.all if p.name and not p.unseen}
        yield Frame(number, number / footage.fps, footage.fps, image, here)


def _seen_again(model: PoseModel, image: np.ndarray, people: tracker.People) -> list[Pose]:
    """Poses of those who are followed, looked for where they should be."""
    found = []
    for person in people.all:
        region = moved(person.pose.region, person.moved)
        pose = landmarks.estimate(model.landmarks, image, region)
        if pose.score >= SURE:
            found.append(pose)
    return found


def _newcomers(
    model: PoseModel, image: np.ndarray, window: Region, known: list[Pose]
) -> list[Pose]:
    """Poses of the people in a square who are not where one of `known` is."""
    found = []
    for region in detector.detect(model.detector, image, window):
        if any(_near(region, pose.region) for pose in known + found):
            continue
        pose = landmarks.estimate(model.landmarks, image, region)
        if pose.score >= SURE:  # once more, in the square that its joints tell
            pose = landmarks.estimate(model.landmarks, image, pose.region)
        if pose.score >= SURE:
            found.append(pose)
    return found


def _near(a: Region, b: Region) -> bool:
    return math.hypot(a.x - b.x, a.y - b.y) < _KNOWN * min(a.side, b.side)
