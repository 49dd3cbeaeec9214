"""The frames of a video file or camera, one after the other."""

import contextlib
import math
import os
import queue
import threading
import time
from collections.abc import Generator, Iterator
from typing import NamedTuple

import numpy as np

from gaitjax import files
from gaitjax.errors import DataError
from gaitjax.untrusted import reading
from gaitjax.video import opencv

FASTEST = 37.5  # frames a second that are looked at: networks know 25 to 30
_USUAL = 30.0  # frames a second of a camera that does not say
_AHEAD = 2  # frames that a camera's may come before their time by the clock


class Picture(NamedTuple):
    """One frame.

    Attributes:
      number: number / fps is the time in seconds.
      image: (H, W, 3) uint8, blue first.
      came: when, in seconds of time.time().
    """

    number: int
    image: np.ndarray
    came: float


class Footage(NamedTuple):
    """An open video.

    Attributes:
      name: begins errors.
      fps: frames a second, of those that are given.
      every: every how many-th of the video's frames is given, so that `fps` is at most `FASTEST`.
      total: frames that will be given, about; 0: a camera, which ends with the reader.
      size: width and height in pixels, upright.
      frames: one after the other; a camera's that came while the reader was busy are missing from
        the numbers, and the newest is next.
    """

    name: str
    fps: float
    every: int
    total: int
    size: tuple[int, int]
    frames: Iterator[Picture]


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
        with contextlib.closing(given):  # before the capture is: a thread reads from it
            yield Footage(name, fps / every, every, total, (width, height), given)
    finally:
        capture.release()
        cv2.setNumThreads(threads)


def _of_file(capture, first: np.ndarray, every: int) -> Generator[Picture, None, None]:
    yield Picture(0, first, time.time())
    number = 0
    while all(capture.grab() for _ in range(every)):
        got, image = capture.retrieve()
        number += 1
        if got and image.shape == first.shape:
            yield Picture(number, image, time.time())


def _of_camera(capture, first: np.ndarray, fps: float) -> Generator[Picture, None, None]:
    """The newest frame each time: a stream that is not read piles up, and would be seen late."""
    begin = time.time()
    newest: queue.Queue[tuple[np.ndarray | None, float]] = queue.Queue(1)
    done = threading.Event()

    def put(image: np.ndarray | None) -> None:
        with contextlib.suppress(queue.Empty):
            newest.get_nowait()
        newest.put((image, time.time()))

    def read() -> None:
        try:
            while not done.is_set():
                got, image = capture.read()
                if not got:
                    return
                put(image)
        finally:
            put(None)

    yield Picture(0, first, begin)
    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        last = 0
        while True:
            image, came = newest.get()
            if image is None:
                return
            number = max(last + 1, round((came - begin) * fps))
            if number <= (came - begin) * fps + _AHEAD:  # else some that piled up come at once
                last = number
                yield Picture(number, image, came)
    finally:
        done.set()
        reader.join()
