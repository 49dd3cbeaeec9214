"""Results of pose estimators: one person's sequence out of them.

tests/golden/poses holds four frames of a walker as other tools write them (right.json: COCO's
joints in pixels of a 1280 x 720 image).
"""

import json
from pathlib import Path

import numpy as np
import pytest

from gaitjax import skeleton
from gaitjax.config import load
from gaitjax.data import readers
from gaitjax.errors import DataError
from gaitjax.prepare.__main__ import main
from gaitjax.skeleton import COCO
from gaitjax.untrusted import safe_pickle
from tests.helpers import loading
from tests.helpers.results import (
    BODY_25,
    WRITERS,
    flat,
    results,
    write_alphapose,
    write_coco,
    write_tracked,
)
from tests.helpers.walk import OTHER, WALK, T

GOLDEN = Path(__file__).parents[2] / "golden" / "poses"


@pytest.mark.parametrize("name", WRITERS)
def test_every_format_gives_the_walk(name, tmp_path):
    write, format = WRITERS[name]
    path = write(tmp_path)
    sequence = readers.read(path)
    assert sequence.poses.dtype == np.float32 and sequence.poses.shape == (T, 17, 3)
    np.testing.assert_allclose(sequence.poses, WALK, atol=1e-3)
    assert (np.diff(sequence.frames) == 1).all()
    np.testing.assert_array_equal(readers.read(path, format).poses, sequence.poses)
    wrong = "mmpose" if format != "mmpose" else "coco"
    with pytest.raises(DataError, match=wrong):
        readers.read(path, wrong)


def test_person_and_track(tmp_path):
    path = write_alphapose(tmp_path)
    np.testing.assert_allclose(readers.read(path, person=2).poses, OTHER, atol=1e-3)
    assert readers.read(path).notes == {"other people in the video": 1}
    with pytest.raises(DataError, match="no person 3; found 2"):
        readers.read(path, person=3)
    tracked = write_coco(tmp_path)
    np.testing.assert_allclose(readers.read(tracked, track="0").poses, OTHER, atol=1e-3)
    with pytest.raises(DataError, match="no track 'x'"):
        readers.read(tracked, track="x")


def test_frame_rate(tmp_path):
    path = write_tracked(tmp_path)
    assert readers.read(path, frame_rate=25).notes == {}
    (note,) = readers.read(path, frame_rate=60).notes
    assert note.startswith("60 frames a second")
    halved = readers.read(path, frame_rate=50, resample=25)
    np.testing.assert_allclose(halved.poses, WALK[::2], atol=1e-3)
    np.testing.assert_array_equal(halved.frames, np.arange(T)[::2])
    doubled = readers.read(path, frame_rate=12.5, resample=25)
    assert len(doubled.poses) == 2 * T - 1 and doubled.frame_rate == 25 and not doubled.notes
    np.testing.assert_allclose(doubled.poses[1::2], (WALK[1:] + WALK[:-1]) / 2, atol=1e-3)
    with pytest.raises(DataError, match="frame_rate of the video"):
        readers.read(path, resample=25)


def test_missing_and_unusable_joints(tmp_path):
    entries = results([f"{t}.jpg" for t in range(6)], [WALK])
    for entry in entries:
        entry["keypoints"][0:3] = [float("nan"), 5.0, 0.9]
        entry["keypoints"][3:6] = [1e30, 5.0, 0.9]
        entry["keypoints"][6:9] = [7.0, 5.0, 0.0]
    path = tmp_path / "results.json"
    path.write_text(json.dumps(entries))
    poses = readers.read(path).poses
    assert not poses[:, :3].any()
    np.testing.assert_allclose(poses[:, 3:], WALK[:6, 3:], atol=1e-3)


def test_command_adds_sequences_that_evaluation_reads(tmp_path, capsys):
    source, root = write_alphapose(tmp_path), tmp_path / "videos"
    arguments = ["poses", "--source", str(source), "--output", str(root), "--label", "anna"]
    for options in (
        ["--type", "nm-01", "--view", "090", "--frame_rate", "25"],
        ["--type", "nm-02", "--view", "090", "--person", "2", "--frame_rate", "60"],
    ):
        assert main([*arguments, *options]) == 0
    out = capsys.readouterr().out
    assert f"{T} frames, 0 to {T - 1} of the video" in out and "60 frames a second" in out
    config = load("gaitgraph2_walkers")
    config.data.update(root=str(root), cache_dir=str(tmp_path / "cache"))
    packed = loading.packed(config.data, "test")
    assert packed.types.tolist() == ["nm-01", "nm-02"]
    np.testing.assert_allclose(packed.poses, np.concatenate([WALK, OTHER]), atol=1e-3)
    assert main([*arguments, "--type", "nm-01", "--view", "090"]) == 1
    assert "exists already" in capsys.readouterr().err
    assert main([*arguments, "--type", "../x", "--view", "090"]) == 1
    assert "cannot be the name of a folder" in capsys.readouterr().err
    (root / "partition.json").write_text("{")
    assert main([*arguments, "--type", "nm-03", "--view", "090"]) == 1
    assert not (root / "anna" / "nm-03").exists()


def right() -> np.ndarray:
    return np.array(json.loads((GOLDEN / "right.json").read_text()))


@pytest.mark.parametrize("name", sorted(p.name for p in GOLDEN.iterdir() if p.name != "right.json"))
def test_what_other_tools_write(name):
    size = {"image_size": (1280, 720)} if name == "keypoint_scale3" else {}
    sequence = readers.read(GOLDEN / name, **size)
    unknown = {"mmpose_h36m.json": [1, 2, 3, 4], "null_joint.json": [0]}.get(name, [])
    expected = right()
    expected[:, unknown] = 0
    np.testing.assert_allclose(sequence.poses, expected, atol=1e-3)
    assert np.diff(sequence.frames).tolist() == [1, 1, 1]
    said = " ".join(sequence.notes)
    words = {
        "every_10th.json": "in steps of 10",
        "keypoint_scale3": "shares of 1280 x 720 pixels",
        "mmpose_h36m.json": "h36m does not have: left_eye, right_eye, left_ear, right_ear",
        "names_timestamp.json": "by the times in their names",
        "two_people_idx0.json": "other people",
    }
    assert words.get(name, "fewer than 10 frames") in said


def test_shares_need_the_size_of_the_image(capsys, tmp_path):
    with pytest.raises(DataError, match="shares of the image.*--image_size"):
        readers.read(GOLDEN / "keypoint_scale3")
    arguments = ["poses", "--source", str(GOLDEN / "keypoint_scale3"), "--output", str(tmp_path)]
    arguments += ["--label", "a", "--type", "b", "--view", "c"]
    assert main([*arguments, "--image_size", "1280x720", "--joints", "body_25"]) == 0
    assert "taken as shares of 1280 x 720" in capsys.readouterr().out
    poses = safe_pickle.load(tmp_path / "a" / "b" / "c" / "c.pkl")
    np.testing.assert_allclose(poses[:, BODY_25], right(), atol=1e-3)


def landmarks(joints: np.ndarray) -> list[dict]:
    """COCO joints as MediaPipe's 33, those that COCO does not have near others."""
    made = skeleton.convert(COCO, skeleton.FORMATS["blazepose"], partial=True)(joints)
    for j, name in enumerate(skeleton.FORMATS["blazepose"].joints):
        if not made[j].any():
            side = name.split("_")[0]
            foot, face = "heel" in name or "foot" in name, "eye" in name or "mouth" in name
            near = "nose" if face else f"{side}_{'ankle' if foot else 'wrist'}"
            made[j] = joints[COCO.joints.index(near)]
    return [{"x": x / 640, "y": y / 480, "z": 0.1, "visibility": c} for x, y, c in made.tolist()]


@pytest.mark.parametrize("layout", ["lists", "people", "objects", "message", "folder"])
def test_landmarks_of_mediapipe(tmp_path, layout):
    frames = [landmarks(joints) for joints in WALK]
    path = tmp_path
    wrap = {
        "lists": lambda f: f,
        "people": lambda f: [f],
        "objects": lambda f: {"frame": 5, "pose_landmarks": [f], "pose_world_landmarks": []},
        "message": lambda f: {"pose_landmarks": {"landmark": f}},
        "folder": lambda f: {"landmarks": f},
    }[layout]
    frames = [wrap(frame) for frame in frames]
    if layout == "folder":
        for t, frame in enumerate(frames):
            (path / f"{t}.json").write_text(json.dumps(frame))
    else:
        if layout == "objects":
            frames = [frame | {"frame": t} for t, frame in enumerate(frames)]
        path = tmp_path / "landmarks.json"
        path.write_text(json.dumps(frames))
    sequence = readers.read(path, image_size=(640, 480))
    np.testing.assert_allclose(sequence.poses, WALK, atol=1e-3)


def test_lines_and_files_of_openpifpaf(tmp_path):
    people = [{"keypoints": flat(j), "bbox": [0, 0, 1, 1], "score": 0.9} for j in WALK]
    lines = [json.dumps({"frame": t, "predictions": [p]}) for t, p in enumerate(people)]
    (tmp_path / "video.openpifpaf.json").write_text("\n".join(lines))
    sequence = readers.read(tmp_path / "video.openpifpaf.json", "openpifpaf")
    np.testing.assert_allclose(sequence.poses, WALK, atol=1e-3)
    folder = tmp_path / "frames"
    folder.mkdir()
    for t, person in enumerate(people):
        (folder / f"{t:04d}.jpg.predictions.json").write_text(json.dumps([person]))
    np.testing.assert_allclose(readers.read(folder).poses, WALK, atol=1e-3)


def test_annotations_of_coco(tmp_path):
    labelled = np.dstack([WALK[..., :2], np.where(WALK[..., 2] > 0, 2, 0)])
    content = {
        "images": [{"id": 900 - t, "file_name": f"walk/{t:05d}.jpg"} for t in range(T)],
        "annotations": [{"image_id": 900 - t, "keypoints": flat(labelled[t])} for t in range(T)],
        "categories": [{"id": 1, "name": "person", "keypoints": list(COCO.joints)}],
    }
    path = tmp_path / "person_keypoints.json"
    path.write_text(json.dumps(content))
    sequence = readers.read(path)
    np.testing.assert_allclose(sequence.poses[..., :2], WALK[..., :2], atol=1e-3)
    np.testing.assert_array_equal(sequence.poses[..., 2], WALK[..., 2] > 0)
    assert any(note.startswith("labelled by hand") for note in sequence.notes)


def test_a_short_sequence_is_said(tmp_path, capsys):
    path = tmp_path / "one.json"
    path.write_text(json.dumps(results(["0.jpg"], [WALK])))
    arguments = ["poses", "--source", str(path), "--output", str(tmp_path / "out")]
    assert main([*arguments, "--label", "a", "--type", "b", "--view", "c"]) == 0
    assert "one single frame" in capsys.readouterr().out
