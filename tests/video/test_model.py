"""Where the pose model is looked for, and what is said of one that is none."""

import zipfile

import numpy as np
import pytest

from gaitjax.errors import DataError
from gaitjax.video import model
from tests.helpers import boxes_on_video


def test_the_place(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv(model.VARIABLE, raising=False)
    assert model.place() == tmp_path / ".cache/gaitjax/pose_model"
    monkeypatch.setenv(model.VARIABLE, "~/there")
    assert model.place() == tmp_path / "there"
    assert model.place("~/here.task") == tmp_path / "here.task"


def test_missing(tmp_path):
    with pytest.raises(DataError, match=r"python -m gaitjax\.prepare pose_model --output .*none,"):
        model.load(tmp_path / "none")


def test_folder_and_task_file(monkeypatch, tmp_path):
    folder = boxes_on_video.install(monkeypatch, tmp_path / "model")
    task = tmp_path / "pose.task"
    with zipfile.ZipFile(task, "w") as archive:
        archive.writestr("pose_detector.tflite", boxes_on_video.DETECTOR)
        archive.writestr("pose_landmarks_detector.tflite", boxes_on_video.LANDMARKS)
    for place in (folder, task):
        networks = model.load(place)
        raw, logits = networks.detector(np.zeros((224, 224, 3), np.float32))
        assert raw.shape == (2254, 12) and logits.shape == (2254, 1)
        numbers, score = networks.landmarks(np.zeros((256, 256, 3), np.float32))
        assert numbers.shape == (195,) and score.shape == (1,)


def test_half_of_it(monkeypatch, tmp_path):
    folder = boxes_on_video.install(monkeypatch, tmp_path / "model")
    (folder / "pose_landmark_full.tflite").rename(folder / "hand.tflite")
    with pytest.raises(
        DataError, match=r"no pose_landmark_full.tflite.*it holds hand.tflite, pose_det"
    ):
        model.load(folder)


def test_exchanged(monkeypatch, tmp_path):
    folder = boxes_on_video.install(monkeypatch, tmp_path / "model")
    (folder / "pose_detection.tflite").write_bytes(boxes_on_video.LANDMARKS)
    with pytest.raises(
        DataError, match=r"pose_detection.tflite: a network from \(256, 256, 3\) to"
    ):
        model.load(folder)


@pytest.mark.parametrize("content, reason", [(b"junk", "not a valid Flatbuffer"), (b"", "")])
def test_damaged(monkeypatch, tmp_path, content, reason):
    folder = boxes_on_video.install(monkeypatch, tmp_path / "model")
    (folder / "pose_landmark_full.tflite").write_bytes(content)
    with pytest.raises(DataError, match=f"pose_landmark_full.tflite: .*damaged one: .*{reason}"):
        model.load(folder)


def test_no_task_file(tmp_path):
    (tmp_path / "pose.task").write_bytes(b"junk")
    with pytest.raises(DataError, match="pose.task: no .task file, which is a zip archive"):
        model.load(tmp_path / "pose.task")
