"""Multi-inputs of the networks against recorded ones, and what they do not depend on.

Largest differences measured, on coordinates up to 350: 7e-14 in float64, 2.4e-7 in float32.
"""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gaitjax.models import streams
from gaitjax.skeleton import joint_format

GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "transforms_poses.npz")
CASES = sorted({key.split("/")[0] for key in GOLDEN.files if "MultiInput" in key})


def multi_input(case: str, poses):
    name = next((f for f in ("alphapose", "openpose") if f in case), "coco")
    fmt = joint_format(name)
    if case.startswith("GaitTR"):
        return streams.gaittr_streams(poses, fmt)
    return streams.gaitgraph_streams(poses, fmt, centre=0)


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("case", CASES)
def test_equals_the_recorded(case, precision):
    recorded = GOLDEN[f"{case}/out"]
    with jax.enable_x64(precision == "float64"):
        poses = jnp.asarray(GOLDEN[f"{case}/in"].astype(precision))
        found = jax.jit(lambda p: multi_input(case, p))(poses)
        assert found.dtype == precision and found.shape == recorded.shape
        error = np.abs(np.asarray(found) - recorded).max()
    assert error <= (1e-6 if precision == "float32" else 1e-12)


def test_the_centre_joint_is_chosen():
    poses = jnp.asarray(GOLDEN["GaitGraphMultiInput_alphapose/in"])
    about = streams.gaitgraph_streams(poses, joint_format("alphapose"), centre=1)
    np.testing.assert_allclose(about[:, 1, 0, 3:], 0.0)
    np.testing.assert_allclose(about[..., 0, 3:], poses[..., :2] - poses[:, 1:2, :2], atol=1e-4)


@pytest.mark.parametrize("case", ["GaitGraph_coco", "GaitTR_coco"])
def test_leading_axes_are_kept(case):
    rng = np.random.default_rng(0)
    poses = jnp.asarray(rng.normal(size=(2, 3, 5, 17, 3)), jnp.float32)
    make = jax.jit(lambda p: multi_input(case, p))
    np.testing.assert_allclose(make(poses)[1, 2], make(poses[1, 2]), rtol=1e-6, atol=1e-6)


def test_a_zero_bone_points_sideways():
    """Its angle is pi / 2."""
    streams_of = jax.jit(lambda p: streams.gaitgraph_streams(p, joint_format("coco"), 0))
    angle = streams_of(jnp.zeros((3, 17, 3)))[..., 2, 4]
    np.testing.assert_allclose(angle, np.pi / 2, atol=1e-6)
