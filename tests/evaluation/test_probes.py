"""Probes of poses and plain features, to the number."""

import numpy as np
import pytest

from gaitjax.data import familiar
from gaitjax.evaluation import probes
from gaitjax.skeleton import COCO, FORMATS

JOINT = {name: index for index, name in enumerate(COCO.joints)}

# A body whose limbs are 20 or 40 long: half of its joints, x to the left.
HALF = {
    "eye": (3, 7), "ear": (6, 9), "shoulder": (10, 30), "elbow": (10, 50), "wrist": (10, 70),
    "hip": (10, 70), "knee": (10, 110), "ankle": (10, 150),
}  # fmt: skip


def body(frames: int = 4) -> np.ndarray:
    """(frames, 17, 3), moving one pixel to the right in each."""
    poses = np.ones((frames, 17, 3), np.float32)
    poses[:, JOINT["nose"], :2] = (0, 10)
    for name, (x, y) in HALF.items():
        poses[:, JOINT[f"left_{name}"], :2] = (x, y)
        poses[:, JOINT[f"right_{name}"], :2] = (-x, y)
    poses[..., 0] += 100 + np.arange(frames)[:, None]
    return poses


@pytest.fixture
def numbered() -> np.ndarray:
    return np.arange(1.0, 1 + 2 * 5 * 17 * 3, dtype=np.float32).reshape(2, 5, 17, 3)


def test_frames_are_frozen_shuffled_and_reversed(numbered):
    assert (probes.frozen(numbered) == numbered[:, [2] * 5]).all()
    assert (probes.reversed_time(numbered) == numbered[:, [4, 3, 2, 1, 0]]).all()
    order = [2, 4, 3, 0, 1]
    assert (probes.shuffled(numbered) == numbered[:, order]).all()
    assert not (probes.shuffled(numbered, seed=1) == numbered[:, order]).all()


def test_sides_are_exchanged_and_parts_missed(numbered):
    exchanged = probes.sides_exchanged(numbered, COCO)
    assert (exchanged[..., JOINT["left_knee"], :] == numbered[..., JOINT["right_knee"], :]).all()
    assert (exchanged[..., JOINT["nose"], :] == numbered[..., JOINT["nose"], :]).all()
    known = probes.Usual(1.0, np.ones(18) / 18)
    legless = probes.probes(COCO, known)["without legs"](numbered)
    legs = [13, 14, 15, 16]
    assert (legless[:, :, legs] == 0).all()
    assert (np.delete(legless, legs, axis=2) == np.delete(numbered, legs, axis=2)).all()


@pytest.mark.parametrize("fmt", FORMATS.values(), ids=lambda fmt: fmt.name)
def test_every_joint_has_one_part_and_hangs_on_the_pelvis(fmt):
    parts = probes.parts(fmt)
    assert sorted(sum(parts.values(), [])) == list(range(fmt.num_joints))
    assert set(parts) == {"head", "arms", "legs", "trunk"}
    poses = np.random.default_rng(0).uniform(50, 150, (1, 3, fmt.num_joints, 3))
    own = probes.proportions(poses[0], fmt)
    np.testing.assert_allclose(probes.of_proportions(poses, fmt, own), poses, rtol=1e-12)


def test_bodies_of_one_height_stay_where_they_are():
    poses = body()[None]
    found = probes.of_height(poses, 286.0)  # from 7 to 150: twice as high
    look, before = familiar.look(found[0]), familiar.look(poses[0])
    assert look["height"] == 286 and (look["x"], look["y"]) == (before["x"], before["y"])
    missed = poses.copy()
    missed[:, 0, 3] = 0
    assert (probes.of_height(missed, 286.0)[:, 0, 3] == 0).all()


def test_one_set_of_limbs_leaves_directions_size_and_place():
    poses = body()
    shares = probes.proportions(poses, COCO)
    longer = shares.copy()
    knees = [JOINT["left_knee"], JOINT["right_knee"]]
    longer[knees] *= 2
    found = probes.of_proportions(poses[None], COCO, longer)[0]
    np.testing.assert_allclose(probes.proportions(found, COCO), longer / longer.sum(), rtol=1e-5)
    thigh = found[:, JOINT["left_knee"], :2] - found[:, JOINT["left_hip"], :2]
    shank = found[:, JOINT["left_ankle"], :2] - found[:, JOINT["left_knee"], :2]
    np.testing.assert_allclose(thigh, 2 * shank, rtol=1e-5)
    assert (thigh[:, 0] == 0).all()
    hips = [JOINT["left_hip"], JOINT["right_hip"]]
    np.testing.assert_allclose(found[:, hips, :2].mean(axis=1), poses[:, hips, :2].mean(axis=1))


def test_plain_features():
    """20 across shoulders and hips, 40 down each side, arms of 2 x 20, legs of 2 x 40: 360."""
    lengths = np.array([20, 20, 20, 20, 20, 40, 40, 20, 40, 40, 40, 40])
    ratios = probes.limb_ratios(body(), COCO)
    np.testing.assert_allclose(ratios, lengths / 360, rtol=1e-6)
    missed = body()
    missed[1, JOINT["left_wrist"]] = 0  # in one frame: as long as in the others
    np.testing.assert_allclose(probes.limb_ratios(missed, COCO), ratios, rtol=1e-6)

    mean = probes.mean_pose(body(), COCO).reshape(17, 2)
    np.testing.assert_allclose(mean[JOINT["nose"]], (0, (10 - 70) / 143), atol=1e-6)
    np.testing.assert_allclose(mean[JOINT["left_ankle"]], (10 / 143, 80 / 143), atol=1e-6)
