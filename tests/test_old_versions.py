"""What earlier versions wrote stays readable; `tests/programs/keep_version.py` kept it.

A folder tests/golden/version_X_Y_Z is never made again: where a test here fails, the code
has to learn to read the old form, or the error to say what to do.
"""

import json
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest

import gaitjax
from gaitjax import files
from gaitjax.config import base, stored
from gaitjax.train import train
from tests.helpers.loading import packed
from tests.programs import keep_version

pytestmark = pytest.mark.usefixtures("quick")

VERSIONS = sorted((Path(__file__).parent / "golden").glob("version_*"))
KEPT = [(version.name, name) for version in VERSIONS for name in keep_version.NETWORKS]
RUNS = [(version.name, name) for version in VERSIONS for name in keep_version.STATES]


def folder(version: str) -> Path:
    return Path(__file__).parent / "golden" / version


def poses(version: str) -> dict[str, np.ndarray]:
    with np.load(folder(version) / "poses.npz") as file:
        return dict(file)


def expected(version: str, name: str) -> np.ndarray:
    with np.load(folder(version) / "expected.npz") as file:
        return file[name]


def embed(version: str, path: Path) -> np.ndarray:
    sequences = list(poses(version).values())[: keep_version.EMBEDDED]
    return gaitjax.load(path).embed(sequences)


def test_versions_are_kept():
    assert [version.name for version in VERSIONS][0] == "version_0_1_0"


@pytest.mark.parametrize("version, name", KEPT)
def test_weights_embed_as_they_did(version, name):
    path = folder(version) / f"{name}.npz"
    if name in keep_version.LARGE:
        model = gaitjax.load(path)  # fits names and shapes to the network of its stored config
        assert model.config.model.name == name.partition("_")[0]
        return
    found, before = embed(version, path), expected(version, name)
    np.testing.assert_allclose(found, before, rtol=1e-4, atol=1e-5 * np.abs(before).max())


@pytest.mark.parametrize("version, name", RUNS)
def test_a_run_goes_on_where_it_was(version, name, tmp_path):
    """Parameters, statistics, average and optimiser: two more steps end where they had ended."""
    with tarfile.open(folder(version) / f"{name}.tar.xz") as archive:
        archive.extractall(tmp_path / "out", filter="data")
    keep_version.write(poses(version), tmp_path / "data")
    config = stored(json.loads((tmp_path / "out/config.json").read_text()))
    config.data.update(root=str(tmp_path / "data"), cache_dir=str(tmp_path / "cache"))
    state, _ = train(config, tmp_path / "out")

    assert int(state["step"]) == config.train.steps == 4
    found, before = embed(version, tmp_path / "out"), expected(version, name)
    np.testing.assert_allclose(found, before, rtol=1e-2, atol=1e-2 * np.abs(before).max())


@pytest.mark.parametrize("version", [version.name for version in VERSIONS])
def test_a_packed_cache_is_read_or_made_anew(version, tmp_path):
    kept = poses(version)
    keep_version.write(kept, tmp_path / "data")
    data = base().data
    data.update(name="own", root=str(tmp_path / "data"), cache_dir=str(tmp_path / "cache"))
    packed(data, "train")
    (cache,) = (tmp_path / "cache").glob("*.poses")
    shutil.copyfile(folder(version) / "cache.poses", cache)
    read = packed(data, "train")
    names = [f"{a}/{b}/{c}" for a, b, c in zip(read.labels, read.types, read.views,
                                               strict=True)]  # fmt: skip
    assert names == [name for name in kept if name[0] in keep_version.TRAIN]
    np.testing.assert_array_equal(read.poses, np.concatenate([kept[name] for name in names]))


def test_arrays_are_written_as_they_are_and_none_beside_them(tmp_path):
    """By every NumPy: of its options some were arrays to earlier ones."""
    files.write_npz(tmp_path / "a.npz", {"x": np.arange(3), "y": np.array("text")})
    with np.load(tmp_path / "a.npz") as saved:
        assert sorted(saved.files) == ["x", "y"]
    with pytest.raises(ValueError, match="x is an array of objects"):
        files.write_npz(tmp_path / "b.npz", {"x": np.array([{}])})
