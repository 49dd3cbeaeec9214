"""Data sets of tensorflow-datasets: written, read back, trained from; without TensorFlow."""

import json
import shutil
import sys

import jax
import numpy as np
import pytest
import tensorflow_datasets as tfds
from jax.sharding import Mesh

from gaitjax.config import load
from gaitjax.data import feed, packing, partitions, records, sampling, walkers
from gaitjax.data.builders import __main__ as command
from gaitjax.data.builders import pose_builder
from gaitjax.errors import DataError
from tests.helpers import loading


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A prepared folder, the same as built by the command, and a place for caches."""
    folder = tmp_path_factory.mktemp("builders")
    walkers.generate(folder / "walkers", seed=1, identities=3, test_identities=1, frames=8)
    arguments = ["walkers", f"--config.data.root={folder / 'walkers'}", "--data_dir"]
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
        arrays += [loading.packed(data, split), loading.packed(data, split)]  # the second is cached
    for other in arrays[1:]:
        for field in ("poses", "offsets", "lengths", "labels", "types", "views"):
            np.testing.assert_array_equal(getattr(other, field), getattr(arrays[0], field))
    assert len(arrays[0].labels) == (32 if split == "train" else 16)


def test_any_program_can_read_them(folders):
    folder = _config(folders, "walkers", "walkers").data
    index = loading.listed(folder, "train")
    source = tfds.data_source("walkers", split="train", data_dir=str(folders / "tfds"))
    assert len(source) == len(index.labels)
    for row in (0, 7, 31):
        np.testing.assert_array_equal(
            source[row]["poses"], packing.read_file(index, row, "walkers", "pose")[0]
        )
        assert source[row]["view"].decode() == index.views[row]
    assert "tensorflow" not in sys.modules


def test_batches_are_the_same_bit_for_bit(folders):
    mesh = Mesh(np.array(jax.devices()[:1]), ("data",))
    feeds = [
        feed.Feed.open(_config(folders, name, root), "train", mesh)
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
        loading.packed(data, "train")


@pytest.mark.parametrize("name", command.NAMES)
def test_every_data_set_has_its_builder(name):
    assert pose_builder.builder(name).name == name
    assert name in load(f"gaitgraph2_{name}").data.name


def test_a_folder_of_an_earlier_version_is_read(folders):
    """Then each data set had a module of its own, which the folder still names."""
    shutil.copytree(folders / "tfds", folders / "old")
    path = folders / "old/walkers/1.0.0/dataset_info.json"
    info = json.loads(path.read_text())
    info["moduleName"] = "gaitjax.data.builders.walkers.walkers_dataset_builder"
    path.write_text(json.dumps(info))
    now, then = (loading.packed(_config(folders, root=r).data, "test") for r in ("tfds", "old"))
    np.testing.assert_array_equal(now.poses, then.poses)


def test_a_folder_that_names_code_is_refused(folders, tmp_path, monkeypatch):
    """The package would import the module, whatever it does."""
    (tmp_path / "hostile.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    monkeypatch.syspath_prepend(tmp_path)
    shutil.copytree(folders / "tfds", tmp_path / "tfds")
    home = tmp_path / "tfds/walkers/1.0.0"
    path = home / "features.json"
    good = json.loads(path.read_text())
    feature = {"pythonClassName": "hostile.Evil", "text": {}}
    nested = json.dumps({"type": {"type": "hostile.Evil", "content": {}}})
    dictionary = good["pythonClassName"]
    for bad in (
        good | {"pythonClassName": "hostile.Evil"},
        good | {"python_class_name": "hostile.Evil"},
        good | {"pythonClassName": "tensorflow_datasets.testing.FeaturesDict"},
        {"featuresDict": {"features": good["featuresDict"]["features"] | {"type": feature}}}
        | {"pythonClassName": dictionary},
        {"type": "hostile.Evil", "content": {}},
        {"pythonClassName": dictionary, "jsonFeature": {"json": nested}},
        [],
    ):
        path.write_text(json.dumps(bad))
        data = _config(folders).data
        data.root = str(tmp_path / "tfds")
        with pytest.raises(DataError, match="features.json.*Nothing was imported|cannot be read"):
            loading.packed(data, "train")
    assert not (tmp_path / "ran").exists() and "hostile" not in sys.modules
    path.write_text(json.dumps(good))
    records.check_features(home)


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
        loading.listed(config.data, "train")
    with pytest.raises(DataError, match="gaitjax.data.builders grew --config.data.root=DIR"):
        loading.packed(_config(folders, "tfds:grew").data, "train")
    with pytest.raises(DataError, match="unknown data set 'tfds:walker'"):
        loading.packed(_config(folders, "tfds:walker").data, "train")


def test_damaged_records_are_named(folders):
    shutil.copytree(folders / "tfds", folders / "bad")
    config = _config(folders, root="bad")
    loading.packed(config.data, "train")
    (record,) = (folders / "bad").glob("*/*/*-train.array_record*")
    record.write_bytes(record.read_bytes()[:100_000])
    with pytest.raises(DataError, match="cannot be read .*build it again"):
        loading.packed(config.data, "train")


def test_without_the_package_the_extra_is_named(folders, monkeypatch):
    config = _config(folders)
    config.data.cache_dir = str(folders / "none")
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    with pytest.raises(DataError, match=r"pip install 'gaitjax\[tfds\]'"):
        loading.packed(config.data, "train")
