import json
import os
import subprocess
import sys

import numpy as np
import pytest

from gaitjax.data import walkers
from gaitjax.errors import DataError
from gaitjax.skeleton import COCO
from tests.helpers import loading, pose_set

J = {name: i for i, name in enumerate(COCO.joints)}


def tree(root) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def test_same_seed_same_files(tmp_path):
    options = dict(identities=3, test_identities=1, frames=12)
    one = walkers.generate(tmp_path / "one", seed=5, **options)
    two = walkers.generate(tmp_path / "two", seed=5, **options)
    assert tree(one) == tree(two)
    three = walkers.generate(tmp_path / "three", seed=6, **options)
    assert tree(one)["001/nm-01/000/000.pkl"] != tree(three)["001/nm-01/000/000.pkl"]


def test_layout_is_what_packing_reads(tmp_path):
    root = walkers.generate(tmp_path / "deep/walkers", identities=3, test_identities=1, frames=12)
    data = pose_set.section(root, tmp_path / "cache")
    train, test = loading.packed(data, "train"), loading.packed(data, "test")
    assert set(train.labels) == {"001", "002"} and set(test.labels) == {"003"}
    assert len(train.labels) == 2 * len(walkers.TYPES) * len(walkers.VIEWS)
    assert set(train.types) == set(walkers.TYPES) and set(train.views) == set(walkers.VIEWS)
    assert train.lengths.min() >= 9 and train.lengths.max() <= 14
    confidence = train.poses[..., 2]
    assert confidence.min() >= 0 and confidence.max() <= 1
    missed = confidence == 0
    assert 0 < missed.mean() < 0.05 and (train.poses[missed] == 0).all()


def test_doing_it_again_does_nothing(tmp_path):
    options = dict(identities=2, test_identities=1, frames=8)
    root = walkers.generate(tmp_path / "walkers", **options)
    before = (root / "001/nm-01/000/000.pkl").stat().st_mtime_ns
    assert walkers.generate(tmp_path / "walkers", **options) == root
    assert (root / "001/nm-01/000/000.pkl").stat().st_mtime_ns == before
    with pytest.raises(DataError, match="not the walkers asked for"):
        walkers.generate(tmp_path / "walkers", **options | dict(seed=1))
    assert os.listdir(tmp_path) == ["walkers"]


def test_other_folders_are_left_alone(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.txt").write_text("")
    with pytest.raises(DataError, match="mine holds no set of walkers"):
        walkers.generate(tmp_path / "mine", identities=2, test_identities=1)
    (tmp_path / "empty").mkdir()
    walkers.generate(tmp_path / "empty", identities=2, test_identities=1, frames=8)
    assert (tmp_path / "empty/partition.json").exists()


def test_interruption_leaves_nothing(tmp_path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(walkers.pickle, "dumps", interrupt)
    with pytest.raises(KeyboardInterrupt):
        walkers.generate(tmp_path / "walkers", identities=2, test_identities=1)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    "bad", [dict(test_identities=0), dict(test_identities=9), dict(frames=2), dict(frames=500)]
)
def test_impossible_numbers(tmp_path, bad):
    with pytest.raises(DataError, match="expected"):
        walkers.generate(tmp_path / "walkers", **dict(identities=9, test_identities=3) | bad)


def test_an_identity_does_not_depend_on_the_others():
    np.testing.assert_array_equal(walkers.identity(0, 7, 20)[0], walkers.identity(0, 7, 20)[0])
    assert walkers.identity(0, 7, 20)[0].shape[2:] == (17, 3)


def test_bodies_are_upright_and_turned_to_the_camera():
    """Left and right, up and down, and the direction of walking, in each view."""
    for number in range(1, 6):
        front, _, side, _ = walkers.identity(0, number)[0]
        for view in (front, side):
            seen = np.where(view[..., 2:] > 0, view[..., :2], np.nan)
            height = np.nanmean(seen, axis=0)[:, 1]  # y grows downwards
            above = ["nose", "left_shoulder", "left_hip", "left_knee", "left_ankle"]
            assert (np.diff(height[[J[j] for j in above]]) > 0).all()
            assert 70 < height[J["left_ankle"]] - height[J["nose"]] < 160
        x = np.where(front[..., 2] > 0, front[..., 0], np.nan)
        for joint in ("eye", "shoulder", "hip"):  # who faces us has the left on our right
            assert np.nanmean(x[:, J[f"left_{joint}"]] - x[:, J[f"right_{joint}"]]) > 0
        size = front[:, J["left_ankle"], 1] - front[:, J["left_shoulder"], 1]
        assert np.median(size[-10:]) > 1.1 * np.median(size[:10])  # and comes nearer
        x = np.where(side[..., 2] > 0, side[..., 0], np.nan)
        assert np.nanmean(x[-5:]) < np.nanmean(x[:5]) - 50  # seen from the left: walks left
        assert np.nanmean(x[:, J["nose"]] - x[:, J["left_ear"]]) < 0


def test_legs_alternate_and_knees_bend_backwards():
    side = walkers.identity(0, 3)[0][2].astype(float)
    side[side[..., 2] == 0] = np.nan
    apart = side[:, J["left_ankle"], 0] - side[:, J["right_ankle"], 0]
    apart = apart[~np.isnan(apart)]
    crossings = np.sum(np.diff(np.sign(apart)) != 0)
    assert 3 <= crossings <= 12 and np.ptp(apart) > 30
    for leg in ("left", "right"):  # walking to the left, the knee is left of the hip-ankle line
        hip, knee, ankle = (side[:, J[f"{leg}_{j}"], 0] for j in ("hip", "knee", "ankle"))
        assert np.nanmean((hip + ankle) / 2 - knee) > 1


def test_scale_does_not_tell_identities_apart():
    """Height in pixels varies as much within a person as between people."""

    def height(view):
        seen = np.where(view[..., 2] > 0, view[..., 1], np.nan)
        return np.nanmedian(seen[:, J["left_ankle"]] - seen[:, J["nose"]])

    heights = np.array([[height(walk[2]) for walk in walkers.identity(0, n)] for n in range(60)])
    # Without any share of the person, the means of 4 would spread by half as much.
    assert heights.mean(axis=1).std() < 0.65 * heights.std(axis=1, ddof=1).mean()


def test_command_line(tmp_path):
    command = [sys.executable, "-m", "gaitjax.data.walkers"]
    options = ["--output", "w", "--identities", "2", "--test-identities=1", "--frames", "8"]
    done = subprocess.run(command + options, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0 and "32 sequences of 2 walkers" in done.stdout, done.stderr
    assert "--test-identities is now spelt --test_identities" in done.stderr
    partition = json.loads((tmp_path / "w/partition.json").read_text())
    assert partition == dict(TRAIN_SET=["001"], TEST_SET=["002"])
    done = subprocess.run(command + options + ["--seed", "1"], cwd=tmp_path, capture_output=True)
    assert done.returncode == 1 and b"Traceback" not in done.stderr
