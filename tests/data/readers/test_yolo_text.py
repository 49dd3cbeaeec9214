"""Text files of YOLO-pose."""

import numpy as np
import pytest

from gaitjax.data import readers
from gaitjax.errors import DataError
from tests.helpers.walk import WALK, T


def yolo(folder, more=(), per_joint=3):
    for t in range(T):
        joints = WALK[t] / [640, 480, 1]
        line = [0, 0.5, 0.5, 0.1, 0.4, *joints[:, :per_joint].ravel(), *more]
        (folder / f"video_{t + 1}.txt").write_text(" ".join(f"{v:.6g}" for v in line) + "\n")


@pytest.mark.parametrize("more", [(), (0.9,), (0.9, 4)])
def test_text_of_yolo(tmp_path, more):
    yolo(tmp_path, more)
    sequence = readers.read(tmp_path, image_size=(640, 480))
    np.testing.assert_allclose(sequence.poses, WALK, atol=0.02)
    assert sequence.frames[0] == 1
    if len(more) == 2:
        np.testing.assert_array_equal(
            readers.read(tmp_path, image_size=(640, 480), track="4").poses, sequence.poses
        )
    (tmp_path / "video_3.txt").write_text("0 1 2 3\n")
    with pytest.raises(DataError, match="video_3.txt, line 1: 4 numbers; expected 5 of the box"):
        readers.read(tmp_path, image_size=(640, 480))


def test_text_of_yolo_without_confidence(tmp_path):
    yolo(tmp_path, per_joint=2)
    sequence = readers.read(tmp_path, image_size=(640, 480))
    np.testing.assert_allclose(sequence.poses[..., :2], WALK[..., :2], atol=0.02)
