"""Data sets of tensorflow-datasets: written, read back, trained from; without TensorFlow."""

import importlib
import shutil
import sys

import jax
import numpy as np
import pytest
import tensorflow_datasets as tfds
from jax.sharding import Mesh

from gaitjax.config import load
from gaitjax.data import builders, feed, packing, partitions, sampling, walkers
from gaitjax.data.builders import __main__ as command
from gaitjax.errors import DataError


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A prepared folder, the same as built by the command, and a place for caches."""
    folder = tmp_path_factory.mktemp("builders")
    walkers.generate(folder / "walkers", seed=1, identities=3, test_identities=1, frames=8)
    arguments = ["walkers", "--data.root", str(folder / "walkers"), "--data_dir"]
    assert command.main([*arguments, str(folder / "tfds")]) == 0
    return folder


def _config(folders, name="tfds:walkers", root="tfds"):
    config = load("gaitgraph2_walkers")
    config.data.update(name=name, root=str(folders / root), cache_dir=str(folders / "cache"))
    return config


@pytest.mark.parametrize("impute", ["none", "frame_mean"])
@pytest.mark.parametrize("split", ["train", "test"])
def test_records_hold_the_folder(folders, split, impute):
    arrays = []
    for name, root in (("walkers", "walkers"), ("tfds:walkers", "tfds")):
        data = _config(folders, name, root).data
        data.impute = impute
        arrays += [packing.load(data, split), packing.load(data, split)]  # the second is cached
    for other in arrays[1:]:
        for field in ("poses", "offsets", "lengths", "labels", "types", "views"):
            np.testing.assert_array_equal(getattr(other, field), getattr(arrays[0], field))
    assert len(arrays[0].labels) == (32 if split == "train" else 16)


def test_any_program_can_read_them(folders):
    folder = _config(folders, "walkers", "walkers").data
    index = packing.scan(folder, "train")
    source = tfds.data_source("walkers", split="train", data_dir=str(folders / "tfds"))
    assert len(source) == len(index.labels)
    for row in (0, 7, 31):
        np.testing.assert_array_equal(
            source[row]["poses"], packing.file_poses(folder, index, row)[0]
        )
        assert source[row]["view"].decode() == index.views[row]
    assert "tensorflow" not in sys.modules


def test_batches_are_the_same_bit_for_bit(folders):
    mesh = Mesh(np.array(jax.devices()[:1]), ("data",))
    feeds = [
        feed.open_feed(_config(folders, name, root), "train", mesh)
        for name, root in (("walkers", "walkers"), ("tfds:walkers", "tfds"))
    ]
    assert feeds[0].about == feeds[1].about
    for step in range(3):
        batches = []
        for source in feeds:
            ids = np.unique(source.labels, return_inverse=True)[1]
            rows = sampling.rows(ids, 8, 0, False, seed=5, step=step)
            windows = sampling.windows(source.lengths, rows, 6, 0, "ordered", seed=5, step=step)
            batches.append((rows, windows, source.clips(rows, windows), source.frames))
        for one, two in zip(*map(jax.tree.leaves, batches), strict=True):
            np.testing.assert_array_equal(one, two)


def test_the_partition_is_kept(folders):
    kept = partitions.load(_config(folders).data)
    assert kept == partitions.load(_config(folders, "walkers", "walkers").data)
    data = _config(folders).data
    data.partition = str(folders / "walkers" / "partition.json")
    with pytest.raises(DataError, match="were fixed when it was built"):
        packing.load(data, "train")


@pytest.mark.parametrize("name", builders.NAMES)
def test_every_data_set_has_its_builder(name):
    module = importlib.import_module(f"gaitjax.data.builders.{name}.{name}_dataset_builder")
    assert module.Builder.name == name
    assert name in load(f"gaitgraph2_{name}").data.name


def test_mistakes_are_named(folders, capsys):
    arguments = ["walkers", "--data.root", str(folders / "walkers"), "--data_dir"]
    assert command.main([*arguments, str(folders / "tfds")]) == 1
    assert "1.0.0 exists: remove it" in capsys.readouterr().err
    assert command.main([*arguments, str(folders / "new"), "--data.joints", "alphapose"]) == 1
    assert "17 joints; format alphapose" in capsys.readouterr().err
    assert not list(folders.glob("new/walkers/*"))
    config = _config(folders)
    config.data.modality = "pose+silhouette"
    with pytest.raises(DataError, match="holds poses alone"):
        packing.scan(config.data, "train")
    with pytest.raises(DataError, match="gaitjax.data.builders grew --data.root DIR"):
        packing.load(_config(folders, "tfds:grew").data, "train")
    with pytest.raises(DataError, match="unknown data set 'tfds:walker'"):
        packing.load(_config(folders, "tfds:walker").data, "train")


def test_damaged_records_are_named(folders):
    shutil.copytree(folders / "tfds", folders / "bad")
    config = _config(folders, root="bad")
    packing.load(config.data, "train")
    (record,) = (folders / "bad").glob("*/*/*-train.array_record*")
    record.write_bytes(record.read_bytes()[:100_000])
    with pytest.raises(DataError, match="cannot be read .*build it again"):
        packing.load(config.data, "train")


def test_without_the_package_the_extra_is_named(folders, monkeypatch):
    config = _config(folders)
    config.data.cache_dir = str(folders / "none")
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    monkeypatch.delitem(sys.modules, "gaitjax.data.builders.common")
    monkeypatch.delattr(builders, "common")
    with pytest.raises(DataError, match=r"pip install 'gaitjax\[tfds\]'"):
        packing.load(config.data, "train")
