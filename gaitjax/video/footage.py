"""The frames of a video file or camera, one after the other."""

import contextlib
import math
import os
import time
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from gaitjax import files
from gaitjax.errors import DataError
from gaitjax.untrusted import reading
from gaitjax.video import opencv

FASTEST = 37.5  # frames a second that are looked at: networks know 25 to 30
_USUAL = 30.0  # frames a second of a camera that does not say


class Footage(NamedTuple):
    """An open video.

    Attributes:
      name: begins errors.
      fps: frames a second, of those that are given.
      every: every how many-th of the video's frames is given, so that `fps` is at most `FASTEST`.
      total: frames that will be given, about; 0: a camera, which ends with the reader.
      size: width and height in pixels, upright.
      frames: number and image (H, W, 3) uint8, blue first. number / fps is the time in seconds; a
        camera's frames that came while the reader was busy are missing from the numbers.
    """

    name: str
    fps: float
    every: int
    total: int
    size: tuple[int, int]
    frames: Iterator[tuple[int, np.ndarray]]


@contextlib.contextmanager
def opened(source: str | os.PathLike | int) -> Iterator[Footage]:
    """A video file, or a camera: its number (0 is the first) or address (rtsp://...).

    Raises:
      DataError: no such file or camera, or no frame of it can be decoded.
    """
    cv2 = opencv.load()
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)  # to turn a small picture takes less than to wake another processor
    where: str | int
    if live := str(source).isdecimal() or "://" in str(source):
        name = f"camera {source}"
        where = int(str(source)) if str(source).isdecimal() else str(source)
    else:
        name = where = str(files.expanded(str(source)))
        reading.check_plain(name)
    capture = cv2.VideoCapture(where)
    try:
        got, first = capture.read()
        if not got or first is None or first.ndim != 3:
            raise DataError(
                f"{name}: gives no picture; is it there, and used by nobody else?"
                if live
                else f"{name}: not one frame can be decoded: damaged, no video, or of a kind that "
                "OpenCV does not know; convert it, as with ffmpeg -i FILE -c:v libx264 walk.mp4"
            )
        fps = capture.get(cv2.CAP_PROP_FPS)
        if not (math.isfinite(fps) and 1 <= fps <= 1000):
            if not live:
                raise DataError(
                    f"{name}: {fps:g} frames a second, says the file; expected 1 to 1000. Convert "
                    "it, as with ffmpeg -i FILE -r 30 walk.mp4"
                )
            fps = _USUAL
        every = 1 if live else max(1, math.ceil(fps / FASTEST))
        count = capture.get(cv2.CAP_PROP_FRAME_COUNT)
        total = 0 if live or not 0 < count < 2**31 else math.ceil(count / every)
        height, width = first.shape[:2]
        given = _of_camera(capture, first, fps) if live else _of_file(capture, first, every)
        yield Footage(name, fps / every, every, total, (width, height), given)
    finally:
        capture.release()
        cv2.setNumThreads(threads)


def _of_file(capture, first: np.ndarray, every: int) -> Iterator[tuple[int, np.ndarray]]:
    yield 0, first
    number = 0
    while all(capture.grab() for _ in range(every)):
        got, image = capture.retrieve()
        number += 1
        if got and image.shape == first.shape:
            yield number, image


def _of_camera(capture, first: np.ndarray, fps: float) -> Iterator[tuple[int, np.ndarray]]:
    begin = time.monotonic()
    yield 0, first
    last = 0
    while True:
        got, image = capture.read()
        if not got:
            return
        # At least the next one: some cameras give what has piled up all at once.
        last = max(last + 1, round((time.monotonic() - begin) * fps))
        yield last, image
