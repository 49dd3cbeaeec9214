"""Files of poses as a set holds them: joints, modalities, and what cannot be used."""

import shutil
import time

import numpy as np
import pytest
from ml_collections import ConfigDict

from gaitjax.data import imputation, packing
from gaitjax.errors import DataError
from tests.helpers import loading, pose_set
from tests.helpers.pose_set import TRAIN, check, put, sequence
from tests.helpers.tiny_sets import TO_COCO


@pytest.fixture
def data(tmp_path) -> ConfigDict:
    return pose_set.generate(tmp_path)


def test_18_joints_are_given_as_17(data, tmp_path):
    for label in TRAIN:
        for kind in ("nm", "bg"):
            for view in ("000", "090"):
                path = tmp_path / "root" / label / kind / view / f"{view}.pkl"
                put(path, sequence(3, joints=18))
    with pytest.raises(DataError, match="18 joints; format coco .* has 17.*data.joints"):
        loading.packed(data, "train")
    data.joints = "alphapose"
    assert loading.packed(data, "train").num_joints == 18
    packed = loading.packed(data, "train", joints="coco")
    expected = sequence(3, joints=18)[:, TO_COCO]
    np.testing.assert_array_equal(packed.poses[:5], expected)


def test_17_joints_get_a_neck_and_unknown_ones_are_refused(data):
    packed = loading.packed(data, "train", joints="openpose")
    poses = loading.packed(data, "train").poses
    np.testing.assert_array_equal(packed.poses[:, TO_COCO], poses)
    np.testing.assert_allclose(packed.poses[:, 1, :2], poses[:, 5:7, :2].mean(axis=1), rtol=1e-6)
    np.testing.assert_array_equal(packed.poses[:, 1, 2], poses[:, 5:7, 2].min(axis=1))
    data.joints = "h36m"
    with pytest.raises(DataError, match="data.joints.*h36m .*coco .*lacks left_eye, right_eye, "):
        loading.packed(data, "train", joints="coco")


def test_pose_with_silhouettes_is_the_first_of_two_files(data, tmp_path):
    for path in list((tmp_path / "root").glob("*/*/*/*.pkl")):
        put(path.with_name("1_sil.pkl"), np.zeros((2, 64, 64), np.uint8))
    data.modality = "pose+silhouette"
    check(loading.packed(data, "train"), data)
    (tmp_path / "root/a/bg/000/1_sil.pkl").unlink()
    with pytest.raises(DataError, match=r"found 000.pkl; expected 2 .pkl for data.modality=pose\+"):
        loading.packed(data, "train")


@pytest.mark.parametrize("impute", ["frame_mean", "knn"])
def test_imputation_after_dropping_the_neck(data, tmp_path, impute):
    poses = sequence(3, joints=18)
    poses[2, 4] = 0
    put(tmp_path / "root/c/nm/000/000.pkl", poses)
    for path in (tmp_path / "root/c").glob("*/*/*.pkl"):
        put(path, poses)
    data.joints, data.impute = "openpose", impute
    packed = loading.packed(data, "test", joints="coco")
    expected = getattr(imputation, impute)(poses[:, TO_COCO])
    np.testing.assert_array_equal(packed.poses[:5], expected.astype(np.float32))


def test_sustech1k_takes_the_fourth_modality(data, tmp_path):
    data.name = "sustech1k"
    for path in list((tmp_path / "root").glob("*/*/*/*.pkl")):
        for i in range(16):
            put(path.with_name(f"{i:02d}-modality.pkl"), np.zeros((2, 64, 64), np.uint8))
        path.replace(path.with_name("03-sync-pose.pkl"))
        path.with_name("03-modality.pkl").unlink()
    assert loading.packed(data, "train").num_joints == 17
    (tmp_path / "root/a/bg/000/03-sync-pose.pkl").unlink()
    with pytest.raises(DataError, match="a/bg/000: found 00-modality.*expected one 03\\*"):
        loading.packed(data, "train")


def spoiled(value, index=(2, 5, 1)):
    poses = sequence(0)
    poses[index] = value
    return poses


@pytest.mark.parametrize(
    "value, says",
    [
        (spoiled(np.nan), "nan at frame 2, joint 5, channel 1; write missed joints as"),
        (spoiled(-np.inf), "-inf at frame 2"),
        (sequence(0).astype("f8") * 1e300, "inf at frame 0"),
        (sequence(0)[:0], "no frames"),
        (sequence(0)[0], r"shape \(17, 3\); expected \(frames, 17, 3\)"),
        (sequence(0)[..., :2], r"shape \(5, 17, 2\)"),
        ({"poses": 1}, "Re-save it"),
    ],
)
def test_unusable_files(data, tmp_path, value, says):
    path = tmp_path / "root/a/nm/000/000.pkl"
    put(path, value)
    with pytest.raises(DataError, match=says) as raised:
        loading.packed(data, "train")
    assert str(path) in str(raised.value) and not (tmp_path / "cache").exists()


def test_several_unusable_files_are_listed_together(data, tmp_path):
    for view in ("000", "090"):
        put(tmp_path / "root/a/nm" / view / f"{view}.pkl", spoiled(np.nan))
    with pytest.raises(DataError) as raised:
        loading.packed(data, "train")
    assert str(raised.value).count("nan at frame 2") == 2


def test_folders_without_sequences(data, tmp_path):
    shutil.rmtree(tmp_path / "root/b")
    (tmp_path / "root/b/nm").mkdir(parents=True)
    with pytest.raises(DataError, match="root/b: no sequence in it"):
        loading.packed(data, "train")
    (tmp_path / "root/b/nm/000").mkdir()
    (tmp_path / "root/b/nm/000/pose.txt").write_text("")
    with pytest.raises(DataError, match="b/nm/000: no .pkl file, found 1 other"):
        loading.packed(data, "train")


def test_broken_links_are_named(data, tmp_path):
    (tmp_path / "root/a/nm/000/000.pkl").unlink()
    (tmp_path / "root/a/nm/000/000.pkl").symlink_to("nowhere")
    with pytest.raises(DataError, match="a/nm/000/000.pkl: cannot be read: No such file"):
        loading.packed(data, "train")


def test_interrupted_reading_stops_at_once(data, monkeypatch):
    started = []

    def load(path):
        started.append(path)
        if len(started) == 1:
            raise KeyboardInterrupt
        time.sleep(0.2)

    monkeypatch.setattr(packing.safe_pickle, "load", load)
    monkeypatch.setattr(packing.os, "cpu_count", lambda: 0.5)
    with pytest.raises(KeyboardInterrupt):
        loading.packed(data, "train")
    assert len(started) < 4


def test_hidden_files_are_ignored(data, tmp_path):
    for folder in ("", "a", "a/nm", "a/nm/000"):
        (tmp_path / "root" / folder / ".hidden.pkl").write_text("")
    (tmp_path / "root/a/.git/x").mkdir(parents=True)
    check(loading.packed(data, "train"), data)


def test_settings_are_checked(data):
    with pytest.raises(DataError, match="data.impute is 'mean'; known: none, frame_mean, inter"):
        loading.packed(ConfigDict({**data, "impute": "mean"}), "train")
    with pytest.raises(DataError, match="data.modality is 'map'"):
        loading.packed(ConfigDict({**data, "modality": "map"}), "train")


def test_the_test_set_alone_is_imputed(data, tmp_path):
    for label in ("a", "c"):
        poses = sequence(7)
        poses[2, 4] = 0
        put(tmp_path / "root" / label / "nm/000/000.pkl", poses)
    data.impute_test = "frame_mean"
    assert (loading.packed(data, "train").poses == 0).any()
    assert not (loading.packed(data, "test").poses[..., :2] == 0).any()
