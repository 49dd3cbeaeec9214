"""The people of a video, frame by frame: found, their joints estimated, and followed."""

import itertools
import math
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from gaitjax.video import detector, landmarks, searching, tracker
from gaitjax.video.footage import Footage
from gaitjax.video.landmarks import Pose
from gaitjax.video.model import PoseModel
from gaitjax.video.region import Region, moved

SURE = 0.5  # probability that a pose is a person's
LOOKS = 12  # squares in which newcomers are looked for, a second
MOST_LOOKS = 3  # in one frame: a camera does not wait
_SOON, _SELDOM = 3, 3  # frames out of sight until, and between, attempts that are seldom
_KNOWN = 0.12  # of a square's side: a detection as near as this to somebody is not looked at


class Frame(NamedTuple):
    """One frame of a video and who is in it.

    Attributes:
      number: of the frame, counted from 0.
      seconds: since the first one.
      fps: frames a second; a camera's that came while another was worked on are missing.
      image: (H, W, 3) uint8, blue first.
      people: name, "1", "2", ... in the order of appearance -> (17, 3) joints of COCO.
      came: when the picture came, in seconds of time.time().
    """

    number: int
    seconds: float
    fps: float
    image: np.ndarray
    people: dict[str, np.ndarray]
    came: float


def frames(model: PoseModel, footage: Footage) -> Iterator[Frame]:
    """Every frame of the footage with the people in it, the same however many processors work."""
    people = tracker.People()
    search = searching.begin(footage.size)
    looks, before = 0.0, -1
    with ThreadPoolExecutor(_processors()) as pool:
        for number, image, came in footage.frames:
            passed = number - before
            before = number
            people = tracker.passed(people, passed - 1)
            expected = [p for p in people.all if _is_looked_for(p)]
            known = [tracker.expected(person) for person in expected]
            looks = min(looks % 1 + passed * LOOKS / footage.fps, MOST_LOOKS)
            squares, search = searching.choose(search, image, number, int(looks), known)

            again = [
                pool.submit(landmarks.estimate, model.landmarks, image, _where(p)) for p in expected
            ]
            found = [pool.submit(detector.detect, model.detector, image, s) for s in squares]
            poses = [pose for pose in (f.result() for f in again) if pose.score >= SURE]
            for region in itertools.chain.from_iterable(f.result() for f in found):
                poses += _newcomer(model, image, region, poses)

            people = tracker.step(people, poses, footage.fps, footage.size)
            here = {p.name: p.pose.joints for p in people.all if p.name and not p.unseen}
            yield Frame(number, number / footage.fps, footage.fps, image, here, came)


def _is_looked_for(person: tracker.Person) -> bool:
    """Whether somebody's joints are sought in the next frame: seldom, once long out of sight."""
    return person.unseen < _SOON or person.unseen % _SELDOM == 0


def _where(person: tracker.Person) -> Region:
    return moved(person.pose.region, person.moved)


def _newcomer(model: PoseModel, image: np.ndarray, region: Region, known: list[Pose]) -> list[Pose]:
    """The pose of whom the detector saw there, unless it is one of `known`, or nobody."""
    if any(_near(region, pose.region) for pose in known):
        return []
    pose = landmarks.estimate(model.landmarks, image, region)
    if pose.score >= SURE:  # once more, in the square that its joints tell
        pose = landmarks.estimate(model.landmarks, image, pose.region)
    return [pose] if pose.score >= SURE else []


def _near(a: Region, b: Region) -> bool:
    return math.hypot(a.x - b.x, a.y - b.y) < _KNOWN * min(a.side, b.side)


def _processors() -> int:
    known = hasattr(os, "sched_getaffinity")
    return min(8, len(os.sched_getaffinity(0)) if known else os.cpu_count() or 1)
