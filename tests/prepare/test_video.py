"""`prepare video`: from a video to a prepared walk, through networks that see white boxes."""

import json
import re

import numpy as np
import pytest

from gaitjax.prepare.__main__ import main
from gaitjax.untrusted import safe_pickle
from gaitjax.video import footage
from tests.helpers import boxes_on_video


@pytest.fixture
def arguments(monkeypatch, tmp_path):
    """Of the command: two boxes, of which the second is seen for half as long."""
    model = boxes_on_video.install(monkeypatch, tmp_path / "model")
    boxes = [
        [(20 + 4 * t, 60, 14, 44), (280, 100, 30, 96)][: 2 if t < 20 else 1] for t in range(40)
    ]
    boxes_on_video.write(tmp_path / "walk.avi", boxes)
    given = {
        "source": tmp_path / "walk.avi", "output": tmp_path / "videos", "label": "ann",
        "type": "nm-01", "view": "090", "pose_model": model,
    }  # fmt: skip

    def build(**changes):
        chosen = {k: v for k, v in (given | changes).items() if v is not None}
        return ["video", *(f"--{key}={value}" for key, value in chosen.items())]

    return build


def test_the_walk_joins_the_data_set(arguments, tmp_path, capsys):
    assert main(arguments()) == 0
    out = capsys.readouterr().out
    poses = safe_pickle.load(tmp_path / "videos/ann/nm-01/090/090.pkl")
    assert poses.shape == (38, 17, 3) and poses.dtype == np.float32
    assert json.loads((tmp_path / "videos/partition.json").read_text()) == {
        "TRAIN_SET": [], "TEST_SET": ["ann"],
    }  # fmt: skip
    assert re.search(r"person 1: +38 frames, 0\.1 to 1\.6 s, 4. pixels tall +taken: ann\n", out)
    assert re.search(r"person 2: +18 frames, 0\.1 to 0\.8 s, 8. pixels tall\n", out)
    assert "090.pkl: 38 frames, 2 to 39 of the video" in out


def test_another_person(arguments, tmp_path, capsys):
    assert main(arguments(person=2)) == 0
    assert len(safe_pickle.load(tmp_path / "videos/ann/nm-01/090/090.pkl")) == 18
    assert re.search(r"person 2: .*taken: ann", capsys.readouterr().out)
    assert main(arguments(person=3, label="bob")) == 1
    told = capsys.readouterr()
    assert "no person 3 (--person); 2 found, listed above" in told.err
    assert not (tmp_path / "videos/bob").exists()


@pytest.mark.parametrize("ending", [".avi", ".mp4"])
def test_the_drawn_video(arguments, tmp_path, ending):
    drawn = tmp_path / f"drawn{ending}"
    assert main(arguments(drawn=drawn)) == 0
    with footage.opened(drawn) as video:
        frames = [picture.image.astype(int) for picture in video.frames]
    assert len(frames) == 40 and video.fps == 25 and video.size == (320, 240)
    colourful = [np.ptp(image, axis=2).max() for image in frames]
    assert max(colourful[:2]) < 40 < 80 < min(colourful[3:])  # limbs, once there is a person


def test_what_cannot_be_written_is_told_before_the_video_is_read(arguments, tmp_path, capsys):
    assert main(arguments()) == 0
    capsys.readouterr()
    for changes, error in (
        ({}, "090.pkl exists already"),
        ({"label": "../x"}, "cannot be the name of a folder"),
        (
            {"label": "bob", "drawn": tmp_path / "x.gif"},
            r"x.gif: cannot be written; .*\.mp4, \.avi",
        ),
    ):
        assert main(arguments(**changes)) == 1
        told = capsys.readouterr()
        assert re.search(error, told.err) and told.err.count("\n") == 1 and not told.out


def test_bad_input(arguments, tmp_path, capsys, monkeypatch):
    (tmp_path / "junk.mp4").write_bytes(b"junk")
    for changes, error in (
        ({"source": tmp_path / "junk.mp4"}, "junk.mp4: not one frame can be decoded"),
        ({"source": tmp_path / "none.mp4"}, "none.mp4: cannot be read: No such file"),
        ({"pose_model": tmp_path / "none"}, "python -m gaitjax.prepare pose_model --output"),
    ):
        assert main(arguments(**changes)) == 1
        told = capsys.readouterr()
        assert error in told.err and told.err.count("\n") == 1
    monkeypatch.setitem(__import__("sys").modules, "ai_edge_litert.interpreter", None)
    assert main(arguments()) == 1
    assert "pip install 'gaitjax[video]'" in capsys.readouterr().err
    assert not (tmp_path / "videos").exists()
