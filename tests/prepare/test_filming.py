"""Walks filmed by virtual cameras; which walks are straight; frame rates, axes, lost joints."""

from pathlib import Path

import numpy as np
import pytest

from gaitjax.errors import DataError
from gaitjax.prepare import filming
from gaitjax.prepare.sets import cmu_walks
from gaitjax.skeleton import COCO

GOLDEN = Path(__file__).parents[1] / "golden" / "cmu" / "02"
POINTS = cmu_walks.walk(str(GOLDEN / "02.asf"), str(GOLDEN / "02_02.amc"))
JOINT = {name: index for index, name in enumerate(COCO.joints)}


def test_cameras_see_the_walker_from_where_they_are_named():
    points = POINTS
    exact = filming.Studio(exact=True)
    seen = {view: filming.film(points, float(view), exact, None)[0] for view in filming.VIEWS}
    for poses in seen.values():
        assert (poses[..., 2] == 1).all()
        assert (poses[:, JOINT["nose"], 1] < poses[:, JOINT["left_hip"], 1]).all()  # y is down
    left, right = JOINT["left_shoulder"], JOINT["right_shoulder"]
    assert (seen["000"][:, left, 0] > seen["000"][:, right, 0]).all()
    assert (seen["180"][:, left, 0] < seen["180"][:, right, 0]).all()
    height = np.ptp(seen["000"][..., 1], axis=1)
    assert height[-1] > height[0]  # comes nearer
    assert seen["090"][-1, left, 0] < seen["090"][0, left, 0]  # and past, to the left
    assert seen["270"][-1, left, 0] > seen["270"][0, left, 0]
    # A hand-made projection: a camera at (0, 7, 1.5) that looks at (0, 0, 0.95).
    x, y, z = points[5, JOINT["left_knee"]].astype(float)
    ahead = np.array([0, -7, -0.55]) / np.hypot(7, 0.55)
    down = np.array([0, 0.55, -7]) / np.hypot(7, 0.55)
    offset = np.array([x, y - 7, z - 1.5])
    pixel = 500 + 1150 * np.array([-x, offset @ down]) / (offset @ ahead)
    np.testing.assert_allclose(seen["090"][5, JOINT["left_knee"], :2], pixel, rtol=1e-6)


def test_cameras_that_vary_show_bodies_of_many_sizes():
    """Between a quarter and the whole of the usual size, from other distances and heights."""
    studio = filming.Studio(exact=True)
    usual, _ = filming.film(POINTS, 90.0, studio, None)
    vary, sizes = studio._replace(vary=True), []
    for seed in range(40):
        seen, _ = filming.film(POINTS, 90.0, vary, np.random.default_rng(seed))
        sizes.append(np.ptp(seen[6, :, 1]) / np.ptp(usual[6, :, 1]))
    assert 0.2 < min(sizes) < 0.35 and 0.85 < max(sizes) < 1.1
    again, _ = filming.film(POINTS, 90.0, vary, np.random.default_rng(39))
    assert (again == seen).all()


def test_errors_grow_with_speed_and_behind_the_body():
    points = POINTS
    exact = filming.Studio(exact=True)
    still = np.repeat(points[5:6], 400, axis=0)
    swung = still + 0.1 * np.sin(np.arange(400))[:, None, None] * [1, 0, 0]

    def error(points, joint):
        rng = np.random.default_rng(0)
        studio = filming.Studio()
        poses, _ = filming.film(points, 90.0, studio, rng)
        clean, _ = filming.film(points, 90.0, exact, None)
        found = poses[:, JOINT[joint], 2] > 0
        wrong = (poses - clean)[found, JOINT[joint], :2]
        return np.std(wrong, axis=0).mean(), poses[found, JOINT[joint], 2].mean(), found.mean()

    near, far, fast = (
        error(still, "left_shoulder"),
        error(still, "right_shoulder"),
        error(swung, "left_shoulder"),
    )
    assert near[0] < far[0] and near[1] > far[1] and near[2] > far[2]
    assert near[2] > 0.98 and far[2] > 0.9
    assert 0.5 < near[0] < 4 and near[0] * 1.1 < fast[0]


def test_lost_joints_are_missing_and_the_others_as_they_would_be():
    points = POINTS.copy()
    points[:, JOINT["nose"]] = np.nan
    points[3:6, JOINT["left_knee"]] = np.nan
    studio = filming.Studio()
    whole, _ = filming.film(POINTS, 90.0, studio, np.random.default_rng(1))
    poses, notes = filming.film(points, 90.0, studio, np.random.default_rng(1))
    assert not poses[:, JOINT["nose"]].any() and not poses[3:6, JOINT["left_knee"]].any()
    assert notes["joints not captured"] == len(points) + 3
    others = np.delete(np.arange(17), [JOINT["nose"], JOINT["left_knee"]])
    np.testing.assert_allclose(poses[:, others, :2], whole[:, others, :2], atol=1.0)


@pytest.mark.parametrize("rate", [30.0, 60.0, 100.0, 120.0])
def test_frames_at_thirty_a_second(rate):
    seconds = np.arange(int(2 * rate) + 1) / rate
    moving = np.stack([seconds, -2 * seconds, 0 * seconds], axis=1)
    found = filming.at_fps(moving, rate)
    expected = np.arange(61) / 30
    np.testing.assert_allclose(found[:, 0], expected, atol=1e-12)
    np.testing.assert_allclose(found[:, 1], -2 * expected, atol=1e-12)


def walk(up: int, azimuth: float = 0.0, count: int = 120) -> tuple[np.ndarray, np.ndarray]:
    """Root (T, 3) and left (T, 3) of somebody who walks at 1.2 m/s, 60 frames a second."""
    turn = np.radians(azimuth)
    side, ahead = np.zeros(3), np.zeros(3)
    a, b = (up + 1) % 3, (up + 2) % 3
    ahead[[a, b]] = np.cos(turn), np.sin(turn)
    side[[a, b]] = -np.sin(turn), np.cos(turn)
    sway = 0.03 * np.sin(np.arange(count) / 60 * 2 * np.pi)[:, None]
    root = np.arange(count)[:, None] * 0.02 * ahead + sway * side + np.eye(3)[up]
    return root, np.tile(0.3 * side, (count, 1))


@pytest.mark.parametrize("up", [filming.Y_UP, filming.Z_UP])
def test_walks_are_turned_ahead_whatever_axis_points_up(up):
    for azimuth in (0, 77, 200):
        root, left = walk(up, azimuth)
        points = np.stack([root + left / 2, root - left / 2], axis=1)
        found = filming.along(points, root, up, "x")
        step = np.diff(found[:, 0, 0])
        assert (step > 0).all() and step.sum() == pytest.approx(0.02 * 119, abs=0.01)
        assert (found[:, 0, 1] > found[:, 1, 1]).all()  # left is on the left
        np.testing.assert_allclose(found[..., 2], 1.0)
        assert abs(found[..., 0].max() + found[..., 0].min()) < 0.05
        assert filming.crooked(root, left, up, 60) == ""


def test_what_is_no_straight_walk_ahead_says_why():
    root, left = walk(filming.Z_UP)
    back = np.concatenate([root, root[::-1]])
    assert "metres walked to come" in filming.crooked(back, np.tile(left, (2, 1)), 2, 60)
    bent = root + np.array([0, 1, 0]) * (np.linspace(0, 1, len(root)) ** 2)[:, None]
    assert "beside the line" in filming.crooked(bent, left, 2, 60)
    assert "looks 179 degrees" in filming.crooked(root, -left, 2, 60)
    assert "looks 89 degrees" in filming.crooked(root, left[:, [1, 0, 2]], 2, 60)
    assert filming.crooked(root, left, 2, 180) == "3.6 metres a second"
    assert "metres walked" in filming.crooked(np.repeat(root[:1], 60, axis=0), left, 2, 60)


def test_bodies_of_another_unit_are_refused():
    filming.check_body(POINTS, "x")
    for factor in (1000, 0.01):
        with pytest.raises(DataError, match="x: a body .* metres tall; expected 0.9 to 2.3"):
            filming.check_body(POINTS * factor, "x")
    with pytest.raises(DataError, match="0.00 metres from its start"):
        filming.along(POINTS, POINTS[:, 0] * 0, filming.Z_UP, "x")
