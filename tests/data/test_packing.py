"""The packed cache of a set: what it holds, when it is made anew, and what harms it."""

import contextlib
import json
import multiprocessing
import os
import pickle
import shutil
import stat

import numpy as np
import pytest
from ml_collections import ConfigDict

from gaitjax import files
from gaitjax.data import packing
from gaitjax.errors import DataError
from tests.helpers import loading, pose_set
from tests.helpers.pose_set import TEST, caches, check, put, sequence


@pytest.fixture
def data(tmp_path) -> ConfigDict:
    return pose_set.generate(tmp_path)


@pytest.fixture
def reads(monkeypatch) -> list:
    """Paths that were unpickled."""
    paths, load = [], packing.safe_pickle.load
    monkeypatch.setattr(packing.safe_pickle, "load", lambda p: paths.append(str(p)) or load(p))
    return paths


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


def test_cache_file_has_usual_permissions(data):
    loading.packed(data, "train")
    mask = os.umask(0)
    os.umask(mask)
    mode = stat.S_IMODE(os.stat(os.path.join(data.cache_dir, caches(data)[0])).st_mode)
    assert mode == 0o666 & ~mask
