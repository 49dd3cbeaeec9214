"""Frames of video files: how many, how fast, and files that are no videos."""

import pytest

from gaitjax.errors import DataError
from gaitjax.video import footage
from tests.helpers import boxes_on_video


def written(path, frames, fps=25.0):
    """A video of a box that is 10 pixels further to the right in each frame."""
    boxes_on_video.write(path, [[(10 * t, 20, 8, 30)] for t in range(frames)], fps=fps)
    return path


@pytest.mark.parametrize("fps, every", [(25, 1), (30, 1), (50, 2), (60, 2), (100, 3), (120, 4)])
def test_at_most_forty_frames_a_second_are_given(tmp_path, fps, every):
    with footage.opened(written(tmp_path / "v.avi", 20, fps)) as video:
        assert (video.fps, video.every, video.size) == (fps / every, every, (320, 240))
        assert video.total == -(-20 // every)
        frames = list(video.frames)
    assert [number for number, _ in frames] == list(range(20 // every + (20 % every > 0)))
    for number, image in frames:  # blue first, and the frame that is meant
        assert image[30, 10 * number * every + 4].min() > 200


def test_a_video_cut_short_gives_what_it_has(tmp_path):
    path = written(tmp_path / "v.avi", 40)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with footage.opened(path) as video:
        assert 5 < len(list(video.frames)) < 40


@pytest.mark.parametrize("content", [b"", b"no video", b"\0" * 5000])
def test_not_a_video(tmp_path, content):
    (tmp_path / "v.mp4").write_bytes(content)
    with pytest.raises(DataError, match=r"v\.mp4: not one frame can be decoded"):
        with footage.opened(tmp_path / "v.mp4"):
            pass


def test_not_a_file(tmp_path):
    with pytest.raises(DataError, match="missing.mp4: cannot be read: No such file"):
        with footage.opened(tmp_path / "missing.mp4"):
            pass
    with pytest.raises(DataError, match="not an ordinary file"):
        with footage.opened(tmp_path):
            pass


def test_no_camera():
    with pytest.raises(DataError, match="camera 99: gives no picture"):
        with footage.opened(99):
            pass
