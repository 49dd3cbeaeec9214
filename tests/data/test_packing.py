import contextlib
import json
import multiprocessing
import os
import pickle
import shutil
import stat
import time

import numpy as np
import pytest
from ml_collections import ConfigDict

from gaitjax import files
from gaitjax.data import imputation, packing
from gaitjax.errors import DataError
from tests.helpers import loading
from tests.helpers.tiny_sets import TO_COCO

TRAIN, TEST = ["b", "a"], ["c"]


def sequence(seed: int, frames: int = 5, joints: int = 17) -> np.ndarray:
    return np.random.default_rng(seed).uniform(1, 200, (frames, joints, 3)).astype(np.float32)


def put(path, value) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps(value))


@pytest.fixture
def data(tmp_path) -> ConfigDict:
    """Three identities with 2 types x 2 views of 4 to 6 frames."""
    root = tmp_path / "root"
    for i, label in enumerate(TRAIN + TEST):
        for j, kind in enumerate(["nm", "bg"]):
            for k, view in enumerate(["090", "000"]):
                seed = 100 * i + 10 * j + k
                put(root / label / kind / view / f"{view}.pkl", sequence(seed, 4 + seed % 3))
    (root / "partition.json").write_text(json.dumps(dict(TRAIN_SET=TRAIN, TEST_SET=TEST)))
    return ConfigDict(
        dict(
            name="walkers",
            root=str(root),
            partition="",
            links="follow",
            modality="pose",
            joints="coco",
            impute="none",
            impute_test="",
            cache_dir=str(tmp_path / "cache"),
        )
    )


@pytest.fixture
def reads(monkeypatch) -> list:
    """Paths that were unpickled."""
    paths, load = [], packing.safe_pickle.load
    monkeypatch.setattr(packing.safe_pickle, "load", lambda p: paths.append(str(p)) or load(p))
    return paths


def caches(data) -> list[str]:
    return sorted(os.listdir(data.cache_dir))


def check(packed, data) -> None:
    """The packed training set is what the files hold, in data-set order."""
    expected = [(i, t, v) for i in TRAIN for t in ("bg", "nm") for v in ("000", "090")]
    names = zip(packed.labels, packed.types, packed.views, strict=True)
    assert [tuple(map(str, n)) for n in names] == expected
    assert packed.poses.dtype == np.float32 and packed.num_joints == 17
    assert packed.offsets.dtype == np.int64 and packed.lengths.dtype == np.int32
    assert len(packed.poses) == packed.lengths.sum()
    for row, (label, kind, view) in enumerate(expected):
        with open(f"{data.root}/{label}/{kind}/{view}/{view}.pkl", "rb") as file:
            poses = pickle.load(file)
        start = packed.offsets[row]
        np.testing.assert_array_equal(packed.poses[start : start + packed.lengths[row]], poses)


def test_cold_and_warm(data, reads):
    check(loading.packed(data, "train"), data)
    assert len(reads) == 8
    warm = loading.packed(data, "train")
    check(warm, data)
    assert len(reads) == 8 and isinstance(warm.poses, np.memmap)
    assert not warm.poses.flags.writeable
    test = loading.packed(data, "test")
    assert set(test.labels) == {"c"} and len(test.labels) == 4 and len(caches(data)) == 2


def test_scan_lists_every_file(data, tmp_path):
    extra = tmp_path / "root/a/nm/000/0_map.pkl"
    put(extra, 0)
    index = loading.listed(data, "train")
    assert len(index.files) == len(index.labels) == 8
    assert index.files[6] == ("a/nm/000/000.pkl", "a/nm/000/0_map.pkl")
    assert index.stamps["a/nm/000/0_map.pkl"] == (
        extra.stat().st_size,
        extra.stat().st_mtime_ns,
    )


def add_sequence(root):
    put(root / "a" / "nm" / "045" / "045.pkl", sequence(7))


def add_type(root):
    put(root / "a" / "cl" / "045" / "045.pkl", sequence(7))


def remove_view(root):
    shutil.rmtree(root / "a" / "nm" / "000")


def rename_view(root):
    (root / "a" / "nm" / "000").rename(root / "a" / "nm" / "001")


def rewrite_longer(root):
    put(root / "a" / "nm" / "000" / "000.pkl", sequence(8, 9))


def rewrite_same_size(root):
    path = root / "a" / "nm" / "000" / "000.pkl"
    with open(path, "rb") as file:
        poses = pickle.load(file)
    put(path, poses + 1)


def remove_identity(root):
    shutil.rmtree(root / "a")


CHANGES = [
    add_sequence,
    add_type,
    remove_view,
    rename_view,
    rewrite_longer,
    rewrite_same_size,
    remove_identity,
]


@pytest.mark.parametrize("change", CHANGES)
def test_any_change_of_the_data_rebuilds(data, tmp_path, reads, change):
    loading.packed(data, "train")
    del reads[:]
    # Times on disk tick every few milliseconds.
    os.utime(tmp_path / "root/a/nm/000/000.pkl", (1, 1))
    loading.packed(data, "train")
    assert len(reads) == 8
    change(tmp_path / "root")
    packed = loading.packed(data, "train")
    index = loading.listed(data, "train")
    assert len(reads) == 8 + len(index.files)
    np.testing.assert_array_equal(packed.labels, index.labels)
    np.testing.assert_array_equal(packed.views, index.views)
    for row, names in enumerate(index.files):
        with open(index.root / names[0], "rb") as file:
            poses = pickle.load(file)
        start = packed.offsets[row]
        np.testing.assert_array_equal(packed.poses[start : start + packed.lengths[row]], poses)


def test_a_second_file_in_a_folder_is_noticed(data, tmp_path):
    loading.packed(data, "train")
    put(tmp_path / "root/a/nm/000/more.pkl", sequence(0))
    with pytest.raises(DataError, match=r"a/nm/000: found 000.pkl, more.pkl; expected 1 .pkl"):
        loading.packed(data, "train")


def test_partition_and_settings_have_their_own_caches(data, tmp_path, reads):
    loading.packed(data, "train")
    data.impute = "knn"
    loading.packed(data, "train")
    assert len(reads) == 16 and len(caches(data)) == 2
    partition = dict(TRAIN_SET=["a"], TEST_SET=TEST)
    (tmp_path / "root/partition.json").write_text(json.dumps(partition))
    assert set(loading.packed(data, "train").labels) == {"a"}


DAMAGES = {
    "cut short": lambda c: c[: len(c) // 2],
    "one bit": lambda c: c[:500] + bytes([c[500] ^ 1]) + c[501:],
    "last bit": lambda c: c[:-1] + bytes([c[-1] ^ 1]),
    "header": lambda c: b"\x00" * 64 + c[64:],
    "empty": lambda c: b"",
    "zeros": lambda c: bytes(len(c)),
    "too long": lambda c: c + b"12345678",
    "text": lambda c: b"not a cache",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_cache_is_rebuilt(data, reads, damage):
    loading.packed(data, "train")
    path = os.path.join(data.cache_dir, caches(data)[0])
    with open(path, "rb") as file:
        content = file.read()
    with open(path, "wb") as file:
        file.write(DAMAGES[damage](content))
    check(loading.packed(data, "train"), data)
    assert len(reads) == 16
    check(loading.packed(data, "train"), data)
    assert len(reads) == 16 and len(caches(data)) == 1


def test_failure_leaves_nothing_behind(data, monkeypatch):
    monkeypatch.setattr(files.os, "fsync", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        loading.packed(data, "train")
    assert caches(data) == []


@pytest.mark.parametrize("why", ["is a file", "full"])
def test_unwritable_cache_falls_back_to_memory(data, tmp_path, monkeypatch, why):
    if why == "full":

        def full(_):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(files.os, "fsync", full)
    else:
        (tmp_path / "cache").write_text("")
    with pytest.warns(UserWarning, match=r"cache \(data.cache_dir\): cannot keep"):
        packed = loading.packed(data, "train")
    check(packed, data)


def _load_often(data, failed):
    try:
        for _ in range(10):
            check(loading.packed(data, "train"), data)
            for name in os.listdir(data.cache_dir):  # make the others build it again
                if name.endswith(".poses"):
                    with contextlib.suppress(FileNotFoundError):
                        os.unlink(os.path.join(data.cache_dir, name))
    except BaseException:
        failed.set()
        raise


def test_processes_share_a_cache(data, tmp_path):
    context = multiprocessing.get_context("spawn")
    failed = context.Event()
    processes = [context.Process(target=_load_often, args=(data, failed)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    assert not failed.is_set()


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


def test_cache_file_has_usual_permissions(data):
    loading.packed(data, "train")
    mask = os.umask(0)
    os.umask(mask)
    mode = stat.S_IMODE(os.stat(os.path.join(data.cache_dir, caches(data)[0])).st_mode)
    assert mode == 0o666 & ~mask


def test_the_test_set_alone_is_imputed(data, tmp_path):
    for label in ("a", "c"):
        poses = sequence(7)
        poses[2, 4] = 0
        put(tmp_path / "root" / label / "nm/000/000.pkl", poses)
    data.impute_test = "frame_mean"
    assert (loading.packed(data, "train").poses == 0).any()
    assert not (loading.packed(data, "test").poses[..., :2] == 0).any()
