"""Pickled sets, maps, and maps or poses linked with silhouettes."""

import json
import pickle
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from gaitjax.config import load
from gaitjax.data import images, imputation
from gaitjax.errors import DataError
from gaitjax.prepare.__main__ import main
from gaitjax.prepare.sets import pickles
from gaitjax.transforms import maps
from gaitjax.untrusted import safe_pickle
from tests.helpers import loading, tiny_sets
from tests.helpers.tiny_sets import TO_COCO

FILES = ("imputation_knn", "heatmap")


def prepare(name: str, source: Path, output: Path, *more: str) -> dict:
    arguments = ["--source", str(source), "--output", str(output), "--workers", "1", *more]
    assert main([name, *arguments]) == 0
    return json.loads((output / "summary.json").read_text())


def write(path: Path, array: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps(array, protocol=4))
    return path


def arrays(root: Path) -> dict[str, np.ndarray]:
    paths = sorted(root.glob("*/*/*/*.pkl"))
    return {str(p.relative_to(root).parent): safe_pickle.load(p) for p in paths}


def same(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> bool:
    return a.keys() == b.keys() and all(np.array_equal(a[key], b[key]) for key in a)


def test_opengait_layout_in_prepared_set_out(tmp_path):
    config = load("gaitgraph2_ccpg")
    root = tiny_sets.generate(tmp_path / "data", config.data)
    prepare("opengait", root, tmp_path / "out")
    assert same(arrays(root), arrays(tmp_path / "out"))
    assert (tmp_path / "out/t00/U0_D0/1_0/1_0.pkl").exists()
    sets = [json.loads((r / "partition.json").read_text()) for r in (root, tmp_path / "out")]
    assert sets[0] == sets[1]
    prepare("opengait", tmp_path / "out", tmp_path / "again")
    log = [(tmp_path / f / "prepare_log.jsonl").read_bytes() for f in ("out", "again")]
    assert log[0] == log[1]

    record = prepare("ccpg", root, tmp_path / "coco", "--coco17")
    assert record["joints"] == {"17": record["sequences"]}
    expected = {name: array[:, TO_COCO] for name, array in arrays(root).items()}
    assert same(expected, arrays(tmp_path / "coco"))


def test_the_fourth_of_sixteen_files_is_sustech1ks_pose(tmp_path):
    folder = tmp_path / "data/0000/00-nm/000"
    for i in range(16):
        write(folder / f"{i:02d}-000-x.pkl", np.zeros((5, 64, 44), np.uint8))
    write(folder / "03-000-x.pkl", tiny_sets.poses(0, 17).astype(np.float64))
    prepare("sustech1k", tmp_path / "data", tmp_path / "out")
    found = arrays(tmp_path / "out")["0000/00-nm/000"]
    assert found.dtype == np.float32 and np.array_equal(found, tiny_sets.poses(0, 17))
    assert (
        main(["opengait", "--source", str(tmp_path / "data"), "--output", str(tmp_path / "o")]) == 1
    )
    why = json.loads((tmp_path / "o/prepare_log.jsonl").read_text())["dropped"]
    assert "16 files named *.pkl" in why and "--pick" in why


@pytest.mark.parametrize("width", [51, 53])
@pytest.mark.parametrize("frames", [17, 20])
def test_rows_are_told_by_their_shape(width, frames):
    rows = np.random.default_rng(0).uniform(0, 300, (frames, width))
    poses, notes = pickles.as_poses(rows, "x.pkl")
    assert poses.shape == (frames, 17, 3) and notes == {
        f"sequences stored as rows of {width} numbers": 1
    }
    assert np.array_equal(poses.reshape(frames, 51), rows[:, -51:])


def test_numbers_that_are_none_become_missing_joints():
    poses = tiny_sets.poses(0, 17).astype(np.float64)
    poses[3, 4, 1], poses[3, 4, 2], poses[5, 6, 0] = np.nan, np.inf, 1e300
    found, notes = pickles.as_poses(poses, "x.pkl")
    assert notes == {"joints that were not finite, written as missing": 2}
    assert not found[[3, 5], [4, 6]].any() and np.isfinite(found).all()


@pytest.mark.parametrize("shape", [(5, 19, 3), (5, 17, 2), (5, 54), (5, 17), (5,), (0, 17, 3, 1)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(DataError, match="x.pkl: shape"):
        pickles.as_poses(np.zeros(shape), "x.pkl")


def test_damaged_pickles_are_dropped_and_named(tmp_path):
    whole = pickle.dumps(tiny_sets.poses(0, 17), protocol=4)
    rng = np.random.default_rng(0)
    for i in range(60):
        data = bytearray(whole)
        for position in rng.integers(0, 120, 3):
            data[position] = rng.integers(256)
        path = write(tmp_path / f"data/{i}/a/b/b.pkl", np.zeros(0))
        path.write_bytes(data[: rng.integers(100, 2 * len(data))])
    write(tmp_path / "data/good/a/b/b.pkl", tiny_sets.poses(0, 17))
    record = prepare("opengait", tmp_path / "data", tmp_path / "out")
    assert record["dropped"] > 40 and record["dropped"] + record["sequences"] == 61
    assert all("b.pkl" in d["why"] for d in record["dropped_first"])


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """18-joint poses with maps prepared from them: (poses, maps) folders."""
    folder = tmp_path_factory.mktemp("drawn")
    for i in range(3):
        write(folder / f"poses/{i}/00/090/090.pkl", tiny_sets.poses(i, 18)[: 5 + i])
    lost = tiny_sets.poses(3, 18)[:6]
    lost[:, 4] = 0  # a wrist never seen
    lost[2] = 0  # a frame without a person
    write(folder / "poses/3/00/090/090.pkl", lost)
    partition = dict(TRAIN_SET=["0", "1"], TEST_SET=["2", "3"])
    (folder / "poses/partition.json").write_text(json.dumps(partition))
    record = prepare("maps", folder / "poses", folder / "maps")
    assert record["notes"] == {
        "frames without height, blank maps": 1,
        "sequences un-imputed: a coordinate missing in every frame": 1,
    }
    return folder


def test_maps_are_those_of_the_imputed_poses(drawn):
    with open(drawn / "maps/1/00/090/090.pkl", "rb") as file:
        plain = pickle.load(file)  # as OpenGait reads it
    assert plain.shape == (6, 2, 64, 64) and plain.dtype == np.uint8
    poses = imputation.knn(tiny_sets.poses(1, 18)[:6, TO_COCO])
    expected = maps.render_exact(poses)
    assert np.array_equal(np.moveaxis(plain, 1, -1), expected)
    paths = [drawn / f"maps/{i}/00/090/090.pkl" for i in range(4)]
    assert images.frame_counts(paths).tolist() == [5, 6, 7, 6]
    read = images.ImageClips({"maps": paths}, np.array([5, 6, 7, 6]))
    found = read(np.array([1]), np.array([[3, 0]]))["maps"]
    assert np.array_equal(found[0], expected[[3, 0]])


def test_recorded_poses_become_the_recorded_maps(tmp_path):
    """18 joints to 17, imputation and drawing, from the pickle to the pixels."""
    raw, golden = (np.load(Path(__file__).parents[1] / f"golden/{n}.npz") for n in FILES)
    cases = [name[: -len("/poses")] for name in raw if name.endswith("/poses")]
    cases = [case for case in cases if f"{case}/maps" in golden]
    assert len(cases) >= 4
    for case in cases:
        write(tmp_path / f"poses/{case}/a/b/b.pkl", raw[f"{case}/poses"])
    prepare("maps", tmp_path / "poses", tmp_path / "maps")
    found = arrays(tmp_path / "maps")
    for case in cases:
        difference = np.abs(found[f"{case}/a/b"].astype(int) - golden[f"{case}/maps"])
        assert difference.max() <= 1 and (difference > 0).mean() < 1e-4


@pytest.mark.parametrize("part, modality", [("maps", "map"), ("poses", "pose")])
@pytest.mark.parametrize("copy", [False, True])
def test_links_are_what_training_reads(drawn, tmp_path, part, modality, copy):
    silhouettes = tmp_path / "sils"
    for i, frames in enumerate((5, 6, 9)):  # 2 has two more than its poses, 3 has none
        write(silhouettes / f"{i}/00/090/x.pkl", np.full((frames, 64, 44), i, np.uint8))
    write(silhouettes / "9/00/090/x.pkl", np.zeros((5, 64, 44), np.uint8))
    link = partial(prepare, "link", drawn / part, tmp_path / "both", "--silhouettes")
    record = link(str(silhouettes), *["--copy"] * copy)
    assert (record["sequences"], record["dropped"]) == (2, 2)
    assert record["notes"]["sequences without silhouettes"] == 1
    assert record["notes"]["sequences of silhouettes alone, left out"] == 1
    why = {d["sequence"]: d["why"] for d in record["dropped_first"]}
    assert "7 frames" in why["2/00/090"] and why["2/00/090"].endswith("of the same images")

    first = {"maps": "0_heatmap.pkl", "poses": "0_pose.pkl"}[part]
    folder = tmp_path / "both/1/00/090"
    assert sorted(p.name for p in folder.iterdir()) == sorted([first, "1_sil.pkl"])
    assert (folder / first).is_symlink() is not copy
    assert np.array_equal(
        safe_pickle.load(folder / first), safe_pickle.load(drawn / part / "1/00/090/090.pkl")
    )
    config = load("skeletongaitpp_gait3d")
    config.data.update(root=str(tmp_path / "both"), modality=f"{modality}+silhouette")
    files = images.image_files(loading.listed(config.data, "train"), config.data.modality)
    assert files["silhouettes"][1] == folder / "1_sil.pkl"
    assert images.frame_counts(files["silhouettes"]).tolist() == [5, 6]


def test_links_are_taken_up_again(drawn, tmp_path):
    for i, frames in enumerate((5, 6, 7, 6)):
        write(tmp_path / f"sils/{i}/00/090/x.pkl", np.ones((frames, 64, 44), np.uint8))
    link = partial(prepare, "link", drawn / "maps", tmp_path / "both", "--silhouettes")
    link(str(tmp_path / "sils"))
    log = (tmp_path / "both/prepare_log.jsonl").read_bytes()
    (tmp_path / "both/2/00/090/1_sil.pkl").unlink()
    link(str(tmp_path / "sils"), "--resume")
    assert (tmp_path / "both/prepare_log.jsonl").read_bytes() == log
    assert (tmp_path / "both/2/00/090/1_sil.pkl").exists()
