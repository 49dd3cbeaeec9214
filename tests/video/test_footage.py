"""Frames of video files: how many, how fast, and files that are no videos."""

import threading

import cv2
import numpy as np
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
    assert [number for number, *_ in frames] == list(range(20 // every + (20 % every > 0)))
    for number, image, _ in frames:  # blue first, and the frame that is meant
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


class Camera:
    """Frames that come when `come` says so, each at a time of the clock; then the camera ends."""

    def __init__(self, monkeypatch, says, times):
        self.says, self.times, self.given = says, times, 0
        self.allowed, self.taken = threading.Semaphore(1), threading.Semaphore(0)
        monkeypatch.setattr(cv2, "VideoCapture", lambda where: self)
        monkeypatch.setattr(footage.time, "time", lambda: times[min(self.given, len(times)) - 1])

    def come(self, count):
        """So many more frames have come, and all were taken from the camera."""
        for _ in range(count):
            self.allowed.release()
            self.taken.acquire()

    def read(self):
        if self.given > 1:
            self.taken.release()  # the one before is in the reader's hands
        self.allowed.acquire()
        self.given += 1
        return self.given <= len(self.times), np.full((48, 64, 3), self.given % 256, np.uint8)

    def get(self, what):
        return self.says if what == cv2.CAP_PROP_FPS else -1.0

    def release(self):
        pass


@pytest.mark.parametrize("says, fps", [(30.0, 30.0), (0.0, 30.0), (15.0, 15.0), (60.0, 60.0)])
def test_a_camera_counts_by_the_clock_and_gives_the_newest(monkeypatch, says, fps):
    """Frames that came while the reader was busy are missing; no number comes twice."""
    camera = Camera(monkeypatch, says, [100 + t / fps for t in (0, 1, 1.9, 2.1, 9, 10)])
    with footage.opened("0") as video:
        assert (video.fps, video.total, video.size) == (fps, 0, (64, 48))
        first = next(video.frames)
        assert (first.number, first.image[0, 0, 0], first.came) == (0, 1, 100)
        camera.allowed.release()
        assert next(video.frames).number == 1
        camera.taken.acquire()
        camera.come(2)  # the first of them is never seen
        number, image, came = next(video.frames)
        assert (number, image[0, 0, 0], came) == (2, 4, 100 + 2.1 / fps)
        camera.come(1)
        assert next(video.frames).number == 9
        camera.allowed.release(9)
        assert [number for number, *_ in video.frames] in ([], [10])


def test_a_camera_can_be_left_while_it_runs(monkeypatch):
    camera = Camera(monkeypatch, 30.0, [100.0 + t for t in range(100_000)])
    camera.allowed.release(200_000)
    with footage.opened("0") as video:
        assert [next(video.frames).number for _ in range(2)][0] == 0
    assert not [thread for thread in threading.enumerate() if "(read)" in thread.name]


def test_no_camera():
    with pytest.raises(DataError, match="camera 99: gives no picture"):
        with footage.opened(99):
            pass
