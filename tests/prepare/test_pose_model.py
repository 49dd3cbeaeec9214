"""`prepare pose_model`: two networks out of a package, without a connection here."""

import hashlib
import subprocess
import zipfile
from pathlib import Path

import pytest

from gaitjax.prepare import pose_model
from gaitjax.prepare.__main__ import main

PARTS = {
    "mediapipe/modules/pose_detection/pose_detection.tflite": b"detector",
    "mediapipe/modules/pose_landmark/pose_landmark_full.tflite": b"joints",
    "mediapipe/modules/hand_landmark/hand_landmark_full.tflite": b"hands",
    pose_model.LICENCE: b"Apache",
}


@pytest.fixture
def wheel(tmp_path, monkeypatch):
    """A package of the same layout, taken for the real one."""
    path = tmp_path / "mediapipe-0.10.21-cp312.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in PARTS.items():
            archive.writestr(name, content)
    known = {"wheel": path.read_bytes()} | {Path(n).name: c for n, c in list(PARTS.items())[:2]}
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in known.items()}
    monkeypatch.setattr(pose_model, "SHA256", digests)
    return path


def pip(monkeypatch, wheel=None, error=""):
    """What stands in for pip: it brings `wheel`, or fails."""
    calls = []

    def run(words, **_):
        calls.append(words)
        if wheel:
            (Path(words[words.index("--dest") + 1]) / wheel.name).write_bytes(wheel.read_bytes())
        return subprocess.CompletedProcess(words, not wheel, "", error)

    monkeypatch.setattr(pose_model.subprocess, "run", run)
    return calls


def written(folder):
    return {p.name: p.read_bytes() for p in folder.iterdir()}


ALL = {"pose_detection.tflite": b"detector", "pose_landmark_full.tflite": b"joints"}


def test_fetched(wheel, tmp_path, monkeypatch, capsys):
    (words,) = [pip(monkeypatch, wheel)]
    assert main(["pose_model", f"--output={tmp_path / 'model'}"]) == 0
    assert written(tmp_path / "model") == ALL | {"LICENSE": b"Apache"}
    # Nothing is run or installed, and it is the same file on every machine.
    assert {"download", "--no-deps", "--only-binary=:all:", "mediapipe==0.10.21"} <= set(words[0])
    assert "--platform=manylinux_2_28_x86_64" in words[0]
    assert "note" not in capsys.readouterr().out


def test_the_usual_place(wheel, tmp_path, monkeypatch):
    pip(monkeypatch, wheel)
    monkeypatch.setenv("GAITJAX_POSE_MODEL", str(tmp_path / "usual"))
    assert main(["pose_model"]) == 0
    assert ALL.items() <= written(tmp_path / "usual").items()


def test_no_connection(tmp_path, monkeypatch, capsys):
    pip(monkeypatch, error="WARNING: Retrying\nERROR: No matching distribution found for it\n")
    assert main(["pose_model", f"--output={tmp_path / 'model'}"]) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert "cannot be fetched: ERROR: No matching distribution found for it" in error
    assert "pip download" in error and "--source" in error
    assert not (tmp_path / "model").exists()


def test_another_wheel(wheel, tmp_path, monkeypatch, capsys):
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("more", b"")
    pip(monkeypatch, wheel)
    assert main(["pose_model", f"--output={tmp_path / 'model'}"]) == 1
    assert "its SHA-256 is" in capsys.readouterr().err
    assert not (tmp_path / "model").exists()


def test_from_a_wheel_at_hand(wheel, tmp_path, capsys):
    arguments = ["pose_model", f"--output={tmp_path / 'model'}", f"--source={wheel}"]
    assert main(arguments) == 0
    assert ALL.items() <= written(tmp_path / "model").items()
    damaged = wheel.read_bytes().replace(b"joints", b"jointz")
    wheel.write_bytes(damaged)
    assert main(arguments) == 1
    assert "damaged" in capsys.readouterr().err


def test_from_a_task_file(wheel, tmp_path, capsys):
    task = tmp_path / "heavy.task"
    with zipfile.ZipFile(task, "w") as archive:
        archive.writestr("pose_detector.tflite", b"detector")
        archive.writestr("pose_landmarks_detector.tflite", b"many joints")
    assert main(["pose_model", f"--output={tmp_path / 'model'}", f"--source={task}"]) == 0
    names = {"pose_detector.tflite": b"detector", "pose_landmarks_detector.tflite": b"many joints"}
    assert written(tmp_path / "model") == names
    assert (
        "pose_landmarks_detector.tflite is not pose_landmark_full.tflite" in capsys.readouterr().out
    )


def test_no_source(tmp_path, capsys):
    assert main(["pose_model", f"--source={tmp_path / 'none'}", f"--output={tmp_path}"]) == 1
    assert "none (--source) does not exist" in capsys.readouterr().err
