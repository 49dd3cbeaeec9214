"""The doors: all people of a video at once, or those of each frame as it comes."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gaitjax.data import doubts, readers
from gaitjax.errors import DataError
from gaitjax.progress import each
from gaitjax.skeleton import COCO
from gaitjax.video import following, footage, model

LEAST = doubts.SHORT  # frames: who is seen in fewer is left out
_WHOLE = 0.95  # of the frames that a file says it has


class Track(NamedTuple):
    """One person of a video.

    Attributes:
      name: "1", "2", ... in the order of appearance.
      poses: (T, 17, 3) float32 of COCO: x, y in pixels, confidence; missing joints (0, 0, 0).
      frames: (T,) int64 numbers of the frames in which the person is seen, ascending; number / fps
        is the time in seconds.
      fps: frames a second.
    """

    name: str
    poses: np.ndarray
    frames: np.ndarray
    fps: float

    @property
    def height(self) -> float:
        """Pixels from the highest to the lowest joint, in the median frame."""
        known = self.poses[..., 2] > 0
        y = np.where(known, self.poses[..., 1], np.nan)
        return float(np.nanmedian(np.nanmax(y, axis=1) - np.nanmin(y, axis=1)))

    def sequence(self, max_gap: int = 5, resample: float | None = None) -> readers.PoseSequence:
        """The track without holes in time, as training and embedding take it.

        Args:
          max_gap: most missing frames that are interpolated; of what longer gaps part, the longest
            piece counts.
          resample: frames a second to convert to.
        """
        track = list(zip(self.frames.tolist(), self.poses, strict=True))
        return readers.sequence(track, COCO, max_gap, self.fps, resample)


def follow(
    source: str | os.PathLike | int, pose_model: str | os.PathLike | None = None
) -> Iterator[following.Frame]:
    """The people in each frame of a video or camera, one frame at a time.

    People keep their names while in sight, through short hiding too, and are given as soon as they
    were seen in three frames. A camera's frames that come while one is worked on are left out.
    Close the iterator to close the video.

    Args:
      source: a file, the number of a camera (0 is the first), or a stream's address (rtsp://...).
      pose_model: its folder or .task file; None: see `gaitjax.video`.

    Raises:
      DataError: no such video, no pose model, or `gaitjax[video]` is not installed.
    """
    networks = model.load(pose_model)
    with footage.opened(source) as opened:
        yield from following.frames(networks, opened)


def read(
    source: str | os.PathLike | int,
    pose_model: str | os.PathLike | None = None,
    progress: bool = True,
    seconds: float | None = None,
) -> list[Track]:
    """The people of a video, the most present first (largest sum of mean confidences).

    Of videos with more than 37.5 frames a second every second frame is looked at, or fewer.

    Args:
      source, pose_model: as of `follow`.
      progress: say on stderr how far it is, how fast, and how long it will take.
      seconds: read no more than this; needed with a camera that does not end.

    Raises:
      DataError: as `follow`; or there is nobody in it.
    """
    found: dict[str, list[tuple[int, np.ndarray]]] = {}
    networks = model.load(pose_model)
    with footage.opened(source) as opened:
        last = -1
        for frame in _counted(following.frames(networks, opened), opened, progress):
            if seconds is not None and frame.seconds >= seconds:
                break
            last = frame.number
            for name, joints in frame.people.items():
                found.setdefault(name, []).append((frame.number, joints))
        else:
            if last + 1 < _WHOLE * opened.total:
                print(
                    f"note: {opened.name}: ends after {last + 1} of {opened.total} frames; the "
                    "rest cannot be decoded",
                    file=sys.stderr,
                )
    tracks = [
        Track(
            name,
            np.stack([joints for _, joints in seen]).astype(np.float32),
            np.array([number for number, _ in seen], np.int64),
            opened.fps,
        )
        for name, seen in found.items()
        if len(seen) >= LEAST
    ]
    if not tracks:
        shortly = f" for {LEAST} frames or more" if found else ""
        raise DataError(
            f"{opened.name}: nobody is seen{shortly} in its {last + 1} frames; a person should be "
            "whole in the picture, and at least a tenth as tall as its shorter side"
        )
    return sorted(tracks, key=lambda track: -float(track.poses[..., 2].mean(axis=1).sum()))


def _counted(
    frames: Iterator[following.Frame], opened: footage.Footage, shown: bool
) -> Iterator[following.Frame]:
    if shown and opened.total:
        return each(frames, opened.total, f"poses of {Path(opened.name).name}", "frames")
    return frames
