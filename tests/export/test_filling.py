"""Filling where the network runs equals filling on the host, whatever stands in the padding."""

import jax
import numpy as np
import pytest

from gaitjax.data.poses import IMPUTE
from gaitjax.export import filling
from gaitjax.skeleton import FORMATS, convert

FRAMES, LENGTHS = 14, (14, 9, 6, 1, 5)


@pytest.fixture(scope="module")
def walks():
    """Walks of different lengths with joints missed, and padding that is no number."""
    rng = np.random.default_rng(0)
    poses = rng.uniform(50, 300, (len(LENGTHS), FRAMES, 17, 3)).astype(np.float32)
    poses[rng.random(poses.shape[:3]) < 0.15] = 0
    poses[0, :, 3] = 0  # never seen
    poses[1, 2:5, 0, 0] = 0  # x alone
    poses[2, 3] = poses[2, 4]  # twice the same frame
    poses[2, 3, 7] = 0
    mask = np.arange(FRAMES) < np.array(LENGTHS)[:, None]
    return np.where(mask[..., None, None], poses, 0), mask


def test_every_imputation_is_there():
    assert list(filling.FILL) == list(IMPUTE)


@pytest.mark.parametrize("name", list(IMPUTE))
def test_fills_as_the_host_does(name, walks):
    poses, mask = walks
    filled = np.asarray(jax.jit(filling.FILL[name])(poses, mask))
    for walk, found, length in zip(poses, filled, LENGTHS, strict=True):
        np.testing.assert_allclose(found[:length], IMPUTE[name](walk[:length]), 2e-6, 1e-4)
    if name in ("interpolate", "knn"):
        assert (filled != poses).any()


@pytest.mark.parametrize(
    "have, want", [("coco", "coco"), ("coco", "openpose"), ("halpe26", "coco")]
)
def test_converts_joints_as_the_host_does(have, want, walks):
    conversion = convert(FORMATS[have], FORMATS[want])
    poses = np.resize(walks[0], (2, 3, conversion.have.num_joints, 3))
    found = np.asarray(filling.converted(jax.numpy.asarray(poses), conversion))
    np.testing.assert_allclose(found, conversion(poses), 1e-6)
