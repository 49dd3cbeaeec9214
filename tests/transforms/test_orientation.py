"""The human-oriented transform against recorded values, and what it makes poses independent of."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gaitjax.models.streams import gpgait_descriptors
from gaitjax.skeleton import COCO
from gaitjax.transforms import orientation

GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "gpgait" / "transforms.npz")
EYES = ("left_eye", "right_eye")
TO_COCO = [0, 15, 14, 17, 16, 5, 2, 6, 3, 7, 4, 11, 8, 12, 9, 13, 10]  # of 18 joints


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def golden(case: str) -> tuple[jax.Array, np.ndarray]:
    return jnp.asarray(GOLDEN[f"{case}/in"], jnp.float64), GOLDEN[f"{case}/out"]


@pytest.mark.parametrize("case", ["clean", "missing", "edge", "upside_down", "tilted"])
def test_upright_as_recorded(case):
    poses, expected = golden(f"Affine_{case}")
    found = orientation.upright(poses, COCO, compat=True)
    np.testing.assert_allclose(found, expected, atol=1e-11)


@pytest.mark.parametrize(
    ("case", "centre"),
    [("neck", orientation.SHOULDERS), ("head", EYES), ("hip", orientation.HIPS)],
)
def test_rescaled_as_recorded(case, centre):
    poses, expected = golden(f"RescaleCenter_{case}")
    found = orientation.rescaled(poses, COCO, compat=True, centre=centre)
    np.testing.assert_allclose(found, expected, atol=1e-11)


@pytest.mark.parametrize("case", ["coco", "coco_missing", "edge"])
def test_descriptors_as_recorded(case):
    poses, expected = golden(f"HOD_{case}")
    first = 1 if case == "edge" else 0  # frame 0 is all zero: only the whole chain knows it as such
    found = gpgait_descriptors(poses, COCO, leave_out=False)[first:]
    np.testing.assert_allclose(found, expected[first:, :, :5], atol=1e-11)


@pytest.mark.parametrize("turn", [True, False])
@pytest.mark.parametrize("case", ["clean", "missing", "edge", "tilted", "from_18_joints"])
def test_whole_chain_as_recorded(case, turn):
    poses, expected = golden(f"pipeline_{'with' if turn else 'without'}_Affine/{case}")
    if poses.shape[1] == 18:
        poses = poses[:, jnp.array(TO_COCO)]
    oriented = orientation.oriented(poses, COCO, turn, compat=True)
    # Frame 3 of "edge" lacks both shoulders, so that missed joints are at the origin after all.
    found = gpgait_descriptors(oriented, COCO, leave_out=case != "edge")
    expected = expected[..., 0].transpose(1, 2, 0)[..., :5]
    # Joints on one line: the recorded arccos has half the digits there.
    np.testing.assert_allclose(found, expected, atol=1e-7 if case == "edge" else 1e-11)


def turned(poses, degrees: float):
    """The poses turned in the image about a point far away."""
    a = np.deg2rad(degrees)
    rotation = jnp.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
    return poses.at[..., :2].set(poses[..., :2] @ rotation.T)


def test_place_size_and_tilt_do_not_matter():
    poses, _ = golden("Affine_clean")
    same = turned(poses, 20).at[..., :2].multiply(1.7).at[..., :2].add(jnp.array([300.0, -50.0]))
    expected = orientation.oriented(poses, COCO)
    np.testing.assert_allclose(orientation.oriented(same, COCO), expected, atol=1e-9)
    # The reference's rotation shortens a tilted body, so there the tilt matters.
    compat = [orientation.oriented(p, COCO, compat=True) for p in (poses, same)]
    assert float(jnp.abs(compat[0] - compat[1])[..., :2].max()) > 1


def test_missed_joints_are_left_out():
    poses, _ = golden("Affine_clean")
    poses = poses.at[..., :2].add(500)
    gone = poses.at[:, 9].set(0)
    expected = orientation.oriented(poses, COCO).at[:, 9].set(0)
    found = orientation.oriented(gone, COCO)
    np.testing.assert_allclose(found, expected, atol=1e-9)
    kept = orientation.oriented(gone, COCO, compat=True)  # the joint at (0, 0) makes the body small
    assert float(jnp.abs(kept - expected)[:, 0, 1].min()) > 20
    streams = gpgait_descriptors(found, COCO)
    assert not np.asarray(streams)[:, 9].any() and not np.asarray(streams)[:, 7, 4].any()


def test_frames_without_a_person_are_zeros_with_finite_gradients():
    poses = jnp.zeros((2, 17, 3)).at[1, :, 0].set(jnp.arange(17.0))

    def total(poses):
        for compat in (True, False):
            oriented = orientation.oriented(poses, COCO, compat=compat)
            yield gpgait_descriptors(oriented, COCO).sum()

    value, grad = jax.value_and_grad(lambda p: sum(total(p)))(poses)
    assert float(value) == 0 and np.isfinite(grad).all()
