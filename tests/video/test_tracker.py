"""Who is who: people who cross, hide, leave, and come twice; they walk as ours do."""

import numpy as np
import pytest

from gaitjax.data import walkers
from gaitjax.video import tracker
from gaitjax.video.landmarks import Pose
from gaitjax.video.region import Region

FPS, SIZE = 25.0, (640, 480)
WALK = walkers.identity(0, 3, 24)[0][2].astype(np.float64)  # seen from the side
SHAPE = WALK[..., :2] - WALK[:, 11:13, :2].mean(axis=1, keepdims=True)  # about the hips
HEIGHT = float(np.ptp(SHAPE[0, :, 1]))


def walk(x, y, speed, frames=60, size=150.0):
    """(frames, 17, 3) of somebody `size` pixels tall, whose hips go `speed` pixels a frame."""
    number = np.arange(frames)
    shape = SHAPE[number % len(SHAPE)] * size / HEIGHT * [np.sign(speed), 1]
    hips = np.stack([x + speed * number, np.full(frames, y)], axis=1)
    return np.concatenate([shape + hips[:, None], np.full((frames, 17, 1), 0.9)], axis=2)


def pose(joints, score=0.9):
    hips = joints[[11, 12], :2].mean(axis=0)
    return Pose(joints, score, Region(float(hips[0]), float(hips[1]), 200.0))


def followed(frames):
    """Names seen in each frame: {name: x of its first joint}, after each step."""
    people, result = tracker.People(), []
    for poses in frames:
        people = tracker.step(people, poses, FPS, SIZE)
        seen = {p.name: p for p in people.all if p.name and not p.unseen}
        result.append({name: p.pose.joints for name, p in seen.items()})
    return result


def names_of(result, joints):
    """The name of who is where `joints` are in each frame, "" where nobody is."""
    return [
        next((name for name, held in seen.items() if np.abs(held - own).max() < 3), "")
        for seen, own in zip(result, joints, strict=True)
    ]


def test_two_people_who_pass_each_other_keep_their_names():
    left, right = walk(100, 200, 6), walk(500, 230, -6)
    result = followed(
        [
            [pose(a), pose(b)][:: 1 if t % 2 else -1]
            for t, (a, b) in enumerate(zip(left, right, strict=True))
        ]
    )
    assert set(names_of(result, left)[3:]) == {names_of(result, left)[3]}
    assert set(names_of(result, right)[3:]) == {names_of(result, right)[3]}
    assert names_of(result, left)[3] != names_of(result, right)[3]


def test_who_is_hidden_while_crossing_comes_back_under_the_same_name():
    """The one behind is not found for a second, and its place gives the one in front once more."""
    front, behind = walk(100, 200, 6), walk(440, 200, -6)
    hidden = np.flatnonzero(np.abs(front[:, 11, 0] - behind[:, 11, 0]) < 75)
    assert 10 < len(hidden) and hidden[-1] < 40
    found = behind.copy()
    found[hidden] = front[hidden] + [2.0, 1.0, 0.0]
    result = followed([[pose(a), pose(b)] for a, b in zip(front, found, strict=True)])
    assert set(names_of(result, front)[3:]) == {names_of(result, front)[3]}
    back = names_of(result, behind)
    assert back[hidden[0] - 1] == back[hidden[-1] + 2] == back[-1] != ""
    assert all(len(result[i]) == 1 for i in hidden)


@pytest.mark.parametrize("seconds, same", [(1.0, True), (3.0, False)])
def test_hiding(seconds, same):
    """Behind a pillar for one second: the same; for three: somebody new."""
    frames = int(seconds * FPS)
    joints = np.concatenate([walk(60, 200, 3), walk(60 + 3 * 60, 200, 3)])
    seen = [[pose(j)] if not 20 <= t < 20 + frames else [] for t, j in enumerate(joints)]
    result = followed(seen)
    assert names_of(result, joints)[19] == "1"
    assert names_of(result, joints)[-1] == ("1" if same else "2")


def test_who_leaves_is_forgotten_at_once():
    """Who comes in where somebody has left is another."""
    leaving = walk(560, 200, 8, frames=12)
    coming = walk(620, 200, -8, frames=20)
    result = followed([[pose(j)] for j in leaving] + [[]] * 3 + [[pose(j)] for j in coming])
    assert list(result[11]) == ["1"] and list(result[-1]) == ["2"]


def test_one_person_found_twice_is_one():
    joints = walk(200, 200, 5, frames=10)
    swapped = joints[:, list(tracker.COCO.swap)]
    twice = [
        [pose(j, 0.8), pose(k + [1.0, 1.0, 0.0], 0.9)] for j, k in zip(joints, swapped, strict=True)
    ]
    assert [list(seen) for seen in followed(twice)][3:] == [["1"]] * 7


def test_left_and_right_exchanged_for_a_while():
    """Seen from the front, and taken for seen from behind in a third of the frames, is mended."""
    front = walkers.identity(0, 1, 24)[0][0].astype(np.float64)
    wide = (front[..., :2] - front[0, 0, :2]) * [4, 2] + 200  # with the arms spread, say
    joints = np.concatenate([wide, front[..., 2:]], axis=2)
    mistaken = joints.copy()
    mistaken[5::3] = joints[5::3][:, list(tracker.COCO.swap)]
    result = followed([[pose(j)] for j in mistaken])[2:]
    assert [list(seen) for seen in result] == [["1"]] * 25
    np.testing.assert_array_equal([seen["1"] for seen in result], joints[2:])


def test_left_and_right_exchanged_for_long():
    """What is said for more than half a second is believed."""
    front = walkers.identity(0, 1, 24)[0][0][:8].astype(np.float64)
    wide = (front[..., :2] - front[0, 0, :2]) * [4, 2] + 200
    joints = np.concatenate([wide, front[..., 2:]], axis=2)[[0, 1, 2, 3, 4, 5, 6, 7] * 5]
    said = joints.copy()
    said[10:] = joints[10:][:, list(tracker.COCO.swap)]
    result = [seen["1"] for seen in followed([[pose(j)] for j in said])[2:]]
    np.testing.assert_array_equal(result[:20], joints[2:22])
    np.testing.assert_array_equal(result[21:], said[23:])


def test_three_frames_make_a_person():
    joints = walk(200, 200, 5, frames=6)
    frames = [[pose(joints[0])], [], [pose(joints[2])], [pose(joints[3])], [pose(joints[4])]]
    assert [list(seen) for seen in followed(frames)] == [[], [], [], [], ["1"]]


def test_a_jump_is_somebody_else():
    joints = np.concatenate([walk(100, 200, 2, frames=10), walk(400, 200, 2, frames=10)])
    assert list(followed([[pose(j)] for j in joints])[-1]) == ["2"]


def test_frames_at_which_nobody_looked():
    """Every third frame is looked at; who goes on as before is the same, and is named in time."""
    joints = walk(60, 200, 6, frames=40)
    people = tracker.People()
    for j in joints[::3]:
        people = tracker.step(tracker.passed(people, 2), [pose(j)], FPS, SIZE)
    (person,) = people.all
    assert person.name == "1" and person.seen == 14
    np.testing.assert_allclose(person.velocity, [6, 0], atol=0.5)


def test_a_slow_camera():
    """Ten frames a second, somebody quick: a sixth of the height a frame."""
    joints = walk(30, 200, 25, frames=20)
    assert names_of(followed([[pose(j)] for j in joints]), joints)[2:] == ["1"] * 18
