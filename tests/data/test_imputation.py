from pathlib import Path

import numpy as np
import pytest

from gaitjax.data import imputation
from tests.helpers.tiny_sets import TO_COCO

GOLDEN = Path(__file__).parents[1] / "golden"


@pytest.mark.parametrize("case", ["NormalizeEmpty", "NormalizeEmpty_18", "NormalizeEmpty_edge"])
def test_frame_mean_equals_the_reference_exactly(case):
    with np.load(GOLDEN / "transforms_normalize_empty.npz") as golden:
        filled = imputation.frame_mean(golden[f"{case}/in"])
        np.testing.assert_array_equal(filled, golden[f"{case}/out"])


def test_frame_mean_example_of_the_specification():
    poses = np.full((1, 17, 3), 10.0)
    poses[0, [3, 8]] = 0
    filled = imputation.frame_mean(poses)
    np.testing.assert_allclose(filled[0, 3], [8.8235, 8.8235, 0], atol=5e-5)
    np.testing.assert_allclose(filled[0, 8], [9.3426, 9.3426, 0], atol=5e-5)


KNN_CASES = """coco17 openpose18_to_17 coco17_joint_always_missing coco17_low_confidence
coco17_one_frame""".split()


@pytest.mark.parametrize("case", KNN_CASES)
def test_knn_equals_the_reference(case):
    with np.load(GOLDEN / "imputation_knn.npz") as golden:
        poses, padded = golden[f"{case}/poses"], golden[f"{case}/padded"]
    if poses.shape[1] == 18:
        poses = poses[:, TO_COCO]
    filled = imputation.knn(poses)
    np.testing.assert_allclose(filled[..., :2], padded[..., :2], rtol=1e-12)
    np.testing.assert_allclose(filled[..., 2], padded[..., 2], rtol=1e-6)  # recorded in float32


def walk(rng, frames, missing):
    """Slowly moving joints, of which a fraction is missed; some lack x or y alone."""
    poses = 200 + np.cumsum(rng.normal(size=(frames, 17, 3)), axis=0)
    poses[rng.random((frames, 17)) < missing] = 0
    poses[rng.random((frames, 17, 3)) < missing / 4] = 0
    return poses.astype(np.float32)


@pytest.mark.parametrize("seed", range(8))
def test_knn_equals_scikit_learn(seed):
    impute = pytest.importorskip("sklearn.impute")
    rng = np.random.default_rng(seed)
    poses = walk(rng, frames=int(rng.integers(3, 60)), missing=[0.02, 0.4][seed % 2])
    poses[1] = 0  # a frame that cannot be compared with any other
    table = poses[..., :2].reshape(len(poses), 34).astype(np.float64)
    imputer = impute.KNNImputer(missing_values=0.0, n_neighbors=4, weights="distance")
    expected = poses.astype(np.float64)
    if (table != 0).any(axis=0).all():
        expected[..., :2] = imputer.fit_transform(table).reshape(-1, 17, 2)
    # scikit-learn expands the squared distance, which costs it some digits.
    np.testing.assert_allclose(imputation.knn(poses), expected, rtol=1e-9)


def test_knn_leaves_alone_what_it_cannot_fill():
    poses = walk(np.random.default_rng(0), frames=9, missing=0.0)
    poses[::2, 4] = 0
    assert not (imputation.knn(poses)[:, 4, :2] == 0).any()
    np.testing.assert_array_equal(imputation.knn(poses)[..., 2], poses[..., 2])
    poses[:, 5, 1] = 0  # one coordinate missing throughout
    np.testing.assert_array_equal(imputation.knn(poses), poses)
    np.testing.assert_array_equal(imputation.knn(poses[:1]), poses[:1])


def test_knn_takes_an_identical_frame_as_it_is():
    poses = walk(np.random.default_rng(0), frames=9, missing=0.0)
    poses[6] = poses[2]
    damaged = poses.copy()
    damaged[6, 3:5] = 0
    np.testing.assert_array_equal(imputation.knn(damaged)[6, 3:5, :2], poses[2, 3:5, :2])


@pytest.mark.parametrize("impute", [imputation.frame_mean, imputation.knn])
def test_whole_poses_do_not_change(impute):
    poses = walk(np.random.default_rng(1), frames=5, missing=0.0)
    filled = impute(poses)
    assert filled.dtype == np.float64 and filled is not poses
    np.testing.assert_array_equal(filled, poses)


def test_interpolate_is_a_line_between_sightings_and_stays_at_the_ends():
    poses = np.zeros((7, 3, 3))
    poses[[1, 5], 0] = [[10, 20, 0.9], [30, 60, 0.7]]
    poses[:, 1] = np.arange(1.0, 8)[:, None]
    poses[3, 1, 0] = 0  # a true zero in one coordinate is no missed joint
    filled = imputation.interpolate(poses)
    np.testing.assert_allclose(filled[:, 0, 0], [10, 10, 15, 20, 25, 30, 30])
    np.testing.assert_allclose(filled[:, 0, 1], [20, 20, 30, 40, 50, 60, 60])
    np.testing.assert_allclose(filled[:, 0, 2], [0.9, 0.9, 0.85, 0.8, 0.75, 0.7, 0.7])
    np.testing.assert_array_equal(filled[:, 1:], poses[:, 1:])  # never seen stays missed
