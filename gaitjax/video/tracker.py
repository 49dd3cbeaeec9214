"""Who is who from frame to frame: by motion and place alone, no matter what people look like.

Everybody goes on as before until seen again. Poses are given to people by the assignment with the
least sum of distances between where somebody should be and the pose, in body heights; of two people
to whom the same pose was given, as when one walks behind the other, it is the nearer one's, and the
other is hidden. Who is hidden is kept for `MEMORY` seconds, or until the way leads out of sight.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from gaitjax.data.readers.pose_tracks import distances
from gaitjax.skeleton import COCO
from gaitjax.video.landmarks import Pose

REACH = 0.25  # body heights between where somebody should be and where somebody is
REACH_MORE = 0.5  # for each second out of sight
FARTHEST = 0.75
SAME = 0.1  # body heights between two poses of one person
SAME_PLACE = 0.6  # intersection over union of the boxes of one person
COVERED = 0.5  # of the smaller box: nobody new begins on somebody
MEMORY = 2.0  # seconds
MISTAKEN = 0.5  # seconds that somebody is taken to face as before, whatever the poses say
PROBATION = 3  # frames in a row that somebody new must be seen
_STEADY = 0.25  # share of a new velocity in the smoothed one
_TRUNK = [i for i, joint in enumerate(COCO.joints) if joint.endswith(("shoulder", "hip"))]


class Person(NamedTuple):
    """Somebody who is followed.

    Attributes:
      name: "1", "2", ... in the order of appearance; "" during probation.
      pose: when last seen.
      velocity: (2,) pixels a frame.
      seen: number of frames.
      unseen: number of frames since.
      mistaken: number of poses in a row whose left and right were exchanged.
    """

    name: str
    pose: Pose
    velocity: np.ndarray
    seen: int = 1
    unseen: int = 0
    mistaken: int = 0

    @property
    def moved(self) -> np.ndarray:
        """(2,) pixels from the last pose to where the person should be in the next frame."""
        return self.velocity * (self.unseen + 1)


class People(NamedTuple):
    """Everybody, and how many have been named."""

    all: tuple[Person, ...] = ()
    named: int = 0


def step(people: People, poses: Sequence[Pose], fps: float, size: tuple[int, int]) -> People:
    """Everybody after one more frame.

    Args:
      poses: what was found in it, in any order, maybe somebody twice.
      fps: frames a second.
      size: width and height of the image.
    """
    given = _assigned(people.all, poses, fps)
    taken = [poses[j] for j in given.values()]
    followed = [
        _again(person, poses[given[i]], fps)
        if i in given
        else person._replace(unseen=person.unseen + 1)
        for i, person in enumerate(people.all)
    ]
    followed = [person for person in followed if _stays(person, fps, size)]
    for pose in sorted(poses, key=lambda pose: -pose.score):
        if not any(same(pose, other) for other in taken) and _begins(pose, taken):
            taken.append(pose)
            followed.append(Person("", pose, np.zeros(2)))
    named, result = people.named, []
    for person in followed:
        if not person.name and person.seen >= PROBATION:
            named += 1
            person = person._replace(name=str(named))
        result.append(person)
    return People(tuple(result), named)


def passed(people: People, frames: int) -> People:
    """Everybody after frames that nobody looked at, as a camera has while one is worked on."""
    return people._replace(all=tuple(p._replace(unseen=p.unseen + frames) for p in people.all))


def expected(person: Person) -> np.ndarray:
    """(17, 3) joints of somebody where they should be in the next frame."""
    known = person.pose.joints[:, 2:] > 0
    return np.where(known, person.pose.joints + [*person.moved, 0.0], person.pose.joints)


def same(a: Pose, b: Pose) -> bool:
    """Whether two poses of a frame are of one person, left and right maybe exchanged."""
    shared, _, either = _areas(a, b)
    near = _apart(a.joints[None], b.joints[None]).item() < SAME
    return bool(near or shared > SAME_PLACE * either)


def _begins(pose: Pose, seen: Sequence[Pose]) -> bool:
    """Whether a pose may be of somebody new: not half inside of somebody's box, or around it."""
    areas = (_areas(pose, other) for other in seen)
    return not any(shared > COVERED * smaller for shared, smaller, _ in areas)


def _areas(a: Pose, b: Pose) -> tuple[float, float, float]:
    """Of boxes about the joints of two poses: what they share, the smaller one, and their union."""
    first, second = _box(a.joints), _box(b.joints)
    both = np.minimum(first[1], second[1]) - np.maximum(first[0], second[0])
    shared = float(np.clip(both, 0, None).prod())
    sizes = [float(np.ptp(box, axis=0).prod()) for box in (first, second)]
    return shared, min(sizes), sum(sizes) - shared


def _box(joints: np.ndarray) -> np.ndarray:
    """(2, 2): left and top, right and bottom."""
    known = joints[joints[:, 2] > 0, :2]
    return np.stack([known.min(axis=0), known.max(axis=0)]) if len(known) else np.zeros((2, 2))


def _assigned(people: Sequence[Person], poses: Sequence[Pose], fps: float) -> dict[int, int]:
    """Index of a person -> index of the person's pose."""
    if not people or not poses:
        return {}
    places = np.stack([expected(person) for person in people])
    distance = _apart(places, np.stack([pose.joints for pose in poses]))
    unseen = np.array([person.unseen / fps for person in people])
    reach = np.minimum(REACH + REACH_MORE * unseen, FARTHEST)[:, None]
    # Out of reach costs more than all that is within it, so that as many as can be are given.
    cost = np.where(distance < reach, distance, 1e3)
    pairs = zip(*linear_sum_assignment(cost), strict=True)
    near = sorted((distance[i, j], i, j) for i, j in pairs if distance[i, j] < reach[i, 0])
    given: dict[int, int] = {}
    for _, i, j in near:
        if not any(same(poses[j], poses[k]) for k in given.values()):
            given[int(i)] = int(j)
    return given


def _apart(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(A, B) distances of poses in heights, with left and right as they are nearer.

    Where no face is seen, front and back are sometimes mistaken for a few frames.
    """
    return np.minimum(distances(a, b), distances(a, b[:, list(COCO.swap)]))


def _again(person: Person, pose: Pose, fps: float) -> Person:
    """The person, seen once more: facing as before, unless the pose says otherwise for long."""
    place, turned = expected(person)[None], pose.joints[list(COCO.swap)]
    kept, other = (distances(place, j[None]).item() for j in (pose.joints, turned))
    surely = not person.unseen and kept > SAME and other < kept / 2
    mistaken = surely and person.mistaken < MISTAKEN * fps
    pose = pose._replace(joints=turned) if mistaken else pose
    both = (person.pose.joints[_TRUNK, 2] > 0) & (pose.joints[_TRUNK, 2] > 0)
    velocity = person.velocity
    if both.any():
        way = (pose.joints - person.pose.joints)[_TRUNK][both, :2].mean(axis=0)
        share = max(_STEADY, 1 / person.seen)
        velocity = velocity + share * (way / (person.unseen + 1) - velocity)
    return person._replace(
        pose=pose,
        velocity=velocity,
        seen=person.seen + 1,
        unseen=0,
        mistaken=person.mistaken + 1 if mistaken else 0,
    )


def _stays(person: Person, fps: float, size: tuple[int, int]) -> bool:
    if not person.unseen:
        return True
    place = np.array(person.pose.region[:2]) + person.velocity * person.unseen
    inside = ((place >= 0) & (place < size)).all()
    return bool(person.name and inside and person.unseen <= MEMORY * fps)
