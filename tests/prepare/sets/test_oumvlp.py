"""OUMVLP-Pose as it is given out: frames, order, the walker among several people, training."""

import argparse
import json
import os
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gaitjax.config import load
from gaitjax.errors import DataError
from gaitjax.prepare.__main__ import main
from gaitjax.prepare.driver import Made
from gaitjax.prepare.sets import oumvlp
from gaitjax.prepare.sets.oumvlp_walker import on_silhouette
from gaitjax.train import train
from gaitjax.untrusted import safe_pickle
from tests.helpers import tiny_sets
from tests.helpers.tiny_sets import TO_COCO

IDS = ("00001", "00002", "00003", "00004")  # odd ids train
SIZE = (240, 320)  # height, width
T = 12


def person(joints) -> dict:
    return {"pose_keypoints_2d": np.asarray(joints).ravel().tolist()}


def walk(number: int) -> np.ndarray:
    poses = tiny_sets.poses(number, 18)[:T].astype(np.float64)
    assert len(poses) == T and (poses[..., :2].max(axis=(0, 1)) < SIZE[::-1]).all()
    return poses


def stranger(joints: np.ndarray) -> np.ndarray:
    """Somebody at the left edge."""
    return joints * [0.02, 1.0, 1.0]


def write(folder: Path, frames: dict[str, list]) -> None:
    folder.mkdir(parents=True)
    for name, people in frames.items():
        content = {"version": 1.0, "people": [person(p) for p in people]}
        (folder / name).write_text(json.dumps(content))


def silhouette(joints: np.ndarray) -> np.ndarray:
    """A body 9 pixels about every joint."""
    image = np.zeros(SIZE, np.uint8)
    for x, y in joints[joints[:, 2] > 0, :2].astype(int):
        image[max(y - 4, 0) : y + 5, max(x - 4, 0) : x + 5] = 255
    return image


@pytest.fixture(scope="module")
def raw(tmp_path_factory) -> tuple[Path, dict]:
    """A small release; the walks in it, by name. 00002/00/090 has strangers in front."""
    root, walks = tmp_path_factory.mktemp("oumvlp") / "raw", {}
    number = 0
    for label in IDS:
        for kind in ("00", "01"):
            for view in ("000", "090"):
                number += 1
                poses = walks[f"{label}/{kind}/{view}"] = walk(number)
                frames = {f"{t + 1:04d}.json": [poses[t]] for t in range(T)}
                if (label, kind, view) == ("00002", "00", "090"):
                    for t in (2, 3, 7):
                        frames[f"{t + 1:04d}.json"].insert(0, stranger(poses[t]))
                    frames["0005.json"].append(stranger(poses[4]))
                write(root / label / f"{view}_{kind}", frames)
    return root, walks


def make(source: Path, *options) -> dict[str, Made]:
    """Every sequence of a source, made in this process and not written."""
    parser = argparse.ArgumentParser()
    oumvlp.add_arguments(parser)
    args = parser.parse_args([str(option) for option in options])
    args.source = os.path.realpath(source)
    plan = oumvlp.plan(args)
    return {job.name: plan.make(job) for job in plan.jobs}


CROWDED = "00002/00/090"


@pytest.fixture(scope="module")
def prepared(raw, tmp_path_factory) -> tuple[Path, dict]:
    folder = tmp_path_factory.mktemp("prepared")
    index = folder / "index" / "00002/00"
    index.mkdir(parents=True)
    (index / "090.json").write_text(json.dumps({"0003": 1, "4": 1, "8": 1, "5": 0, "9": 1}))
    out = folder / "out"
    arguments = ["oumvlp", "--source", str(raw[0]), "--output", str(out), "--workers", "1"]
    assert main([*arguments, "--index_dir", str(folder / "index")]) == 0
    return out, json.loads((out / "summary.json").read_text())


def test_index_files_choose_the_walker(raw, prepared):
    out, summary = prepared
    for name, truth in raw[1].items():
        poses = safe_pickle.load(out / name / f"{name[-3:]}.pkl")
        assert poses.dtype == np.float32
        np.testing.assert_array_equal(poses, truth.astype(np.float32))
    assert (summary["identities"], summary["sequences"], summary["frames"]) == (4, 16, 16 * T)
    assert summary["notes"] == {
        "frames with several people": 4,
        "wrong-person frames replaced": 3,
        "index entries of a frame that has not several people": 1,
    }


def test_silhouettes_choose_the_same(raw, prepared, tmp_path):
    truth = raw[1][CROWDED]
    source = tmp_path / "raw"
    shutil.copytree(raw[0] / "00002", source / "00002")
    images = [silhouette(joints) for joints in truth]
    arranged = tmp_path / "arranged" / CROWDED  # OpenGait's layout
    original = tmp_path / "original" / "Silhouette_090-00" / "00002"  # OUMVLP's
    pickled = tmp_path / "pickled" / CROWDED
    for folder in (arranged, original, pickled):
        folder.mkdir(parents=True)
    for t, image in enumerate(images):
        Image.fromarray(image).save(arranged / f"{t + 1:04d}.png")
        Image.fromarray(image).convert("1").save(original / f"{t + 1:04d}.png")
    (pickled / "090.pkl").write_bytes(pickle.dumps(np.stack(images)))
    for folder in ("arranged", "original", "pickled"):
        poses, notes = make(source, "--silhouettes", tmp_path / folder)[CROWDED][:2]
        np.testing.assert_array_equal(poses, truth)
        assert notes == {"frames with several people": 4, "wrong-person frames replaced": 3}
    (arranged / "0003.png").unlink()
    options = ("--silhouettes", tmp_path / "arranged", "--joints", "17")
    poses, notes = make(source, *options)[CROWDED][:2]
    assert notes["wrong-person frames replaced"] == 2
    assert notes["frames with several people without a silhouette, the first one taken"] == 1
    expected = truth.copy()
    expected[2] = stranger(truth[2])
    np.testing.assert_array_equal(poses, expected[:, TO_COCO])


def test_on_silhouette():
    image = np.zeros((4, 5), np.uint8)
    image[1, 2] = 200
    image[3, 4] = 50
    people = np.array(
        [
            [[2.9, 1.9, 1], [4.9, 3.9, 1]],  # cut to integers: 200 + 50
            [[2, 1, 1], [5, 3, 1]],  # a joint to the right of the image
            [[-0.9, 0, 1], [2, 1, 1]],  # cut toward zero: inside
            [[0, 0, 1], [2, -1, 1]],
        ]
    )
    np.testing.assert_array_equal(on_silhouette(people, image), [250, -np.inf, 200, -np.inf])


def test_first_person_and_compat(raw):
    truth = raw[1][CROWDED].copy()
    for t in (2, 3, 7):
        truth[t] = stranger(raw[1][CROWDED][t])
    for options in (["--person", "first"], ["--compat"]):
        poses, notes = make(raw[0], *options)[CROWDED][:2]
        np.testing.assert_array_equal(poses, truth)
        assert notes == {
            "frames with several people": 4,
            "frames with several people, the first one taken": 4,
        }


def test_order_odd_names_and_bad_frames(tmp_path):
    poses = walk(1)
    frames = {f"{t}.json": [poses[t]] for t in (9, 10, 11)}
    frames["cam_0003_b.json"] = [poses[3]]  # as of subject 00001
    frames["x0008_keypoints.json"] = [poses[8]]
    frames["7.json"] = []
    frames["none.json"] = [poses[5]]
    folder = tmp_path / "raw" / "00001" / "000_00"
    write(folder, frames)
    (folder / "6.json").write_text('{"people": [{"pose_keypoints_2d": [1, 2, "3"]}]}')
    (folder / "5.json").write_text('{"people": [{"pose_keypoints_2d": ')
    (folder / "4.json").write_text("\ufeff" + json.dumps({"people": [person(poses[4])]}))
    (folder / "2.json").write_text(json.dumps({"people": [person(poses[2][:17])]}))
    write(folder.parent / "015_00", {"1.json": []})
    made = make(tmp_path / "raw", "--person", "first")
    poses_made, notes = made["00001/00/000"][:2]
    np.testing.assert_array_equal(poses_made, poses[[3, 4, 8, 9, 10, 11]])
    assert notes == {
        "frames dropped: no number in the name": 1,
        "frames dropped: no person": 1,
        "frames dropped: not the json of people that is expected": 3,
        "frames re-ordered by number": 9,
    }
    assert made["00001/00/015"][:2] == (
        None, {"frames dropped: no person": 1, "no frame with a person": 1}
    )  # fmt: skip
    poses_made, notes = make(tmp_path / "raw", "--compat")["00001/00/000"][:2]
    assert notes["frames left in an order that is not that of time"] == 9
    np.testing.assert_array_equal(poses_made, poses[[10, 11, 4, 9, 3, 8]])


@pytest.mark.parametrize(
    "content, message",
    [
        (pickle.dumps({3: 1, 8: 1}), None),
        (pickle.dumps({"0003": 1, "0008": 1}, protocol=2), None),
        (pickle.dumps({3: len}), "Nothing in it was run"),
        (pickle.dumps([3, 1]), "found a list of 2"),
        (pickle.dumps({3: "1"}), "no pair of a frame number"),
        (b"", "the file is empty"),
    ],
)
def test_pickled_index(raw, tmp_path, content, message):
    source = tmp_path / "raw"
    shutil.copytree(raw[0] / "00002" / "090_00", source / "00002" / "090_00")
    index = tmp_path / "index" / CROWDED
    index.mkdir(parents=True)
    (index / "index.pkl").write_bytes(content)
    if message:
        with pytest.raises(DataError, match=message):
            make(source, "--index_dir", tmp_path / "index")
        return
    notes = make(source, "--index_dir", tmp_path / "index")[CROWDED].notes
    assert notes["wrong-person frames replaced"] == 2
    assert notes["frames with several people without an index entry, the first one taken"] == 2


@pytest.mark.parametrize(
    "options, message",
    [
        ([], "say how to find the walker"),
        (["--index_dir", "{tmp}/missing"], "is not a folder"),
        (["--index_dir", "{tmp}"], "holds nothing for any sequence"),
        (["--silhouettes", "{tmp}"], "holds nothing for any sequence"),
    ],
)
def test_refused_options(raw, tmp_path, options, message):
    with pytest.raises(DataError, match=message):
        make(raw[0], *(o.format(tmp=tmp_path) for o in options))


def test_wrong_source(tmp_path):
    (tmp_path / "000_00").mkdir()
    with pytest.raises(DataError, match="give the folder that holds the ids"):
        make(tmp_path, "--compat")


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_trains_and_evaluates(prepared, tmp_path):
    config = tiny_sets.shrink(load("gaitgraph2_oumvlp"))
    config.data.update(root=str(prepared[0]), cache_dir=str(tmp_path / "cache"))
    state, last = train(config, tmp_path / "out")
    assert int(state["step"]) == 3
    headline = last["evaluation"]["headline"]
    assert headline and all(0 <= value <= 100 for value in headline.values())
