"""Who is in sight now: answers every second from a pose file that grows, or from a camera."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gaitjax import files, video
from gaitjax.data import readers
from gaitjax.errors import DataError
from gaitjax.identify import answers, walks
from gaitjax.identify.gallery import Gallery
from gaitjax.skeleton import COCO, joint_format

EVERY = 1.0  # seconds between answers
LENGTHS = (32, 64, 128)  # frames that are embedded, so that three programs are compiled in all
GONE = 30  # frames without somebody, after which nothing is said of them
_POLL = 0.1  # seconds between looks at a file


class Sight(NamedTuple):
    """Everybody in sight at one moment.

    Attributes:
      people: name -> poses (T, V, 3), the last ones.
      seen: when the newest frame was written or came, in seconds of time.time().
    """

    people: dict[str, np.ndarray]
    seen: float


def follow(
    gallery: Gallery,
    source: str,
    options: walks.Options,
    seconds: float | None = None,
    json: str | None = None,
    top: int = 3,
) -> int:
    """Prints who is in sight, every second that brings new frames, until interrupted.

    Args:
      source: a pose file, or folder of a file a frame, that another process writes; a camera.
      seconds: end after so long without a new frame.
      json: file that the answers are added to, one object a line.
    """
    if source.lower().endswith(readers.VIDEOS) and not _is_camera(source):
        raise DataError(
            f"{source}: a video file does not grow; leave --follow out, or give a camera's number "
            "or address (0, rtsp://..., http://...)"
        )
    _warm_up(gallery)
    print(f"following {source}; Ctrl-C ends it", flush=True)
    moments = _camera(source, options) if _is_camera(source) else _growing(source, options, seconds)
    slowest = 0.0
    count = 0
    try:
        for sight in moments:
            told = []
            for person, poses in sight.people.items():
                length = max((n for n in LENGTHS if n <= len(poses)), default=0)
                if length:
                    (answer,) = gallery.identify([poses[-length:]], top=top)
                    told.append((person, answer))
            latency = time.time() - sight.seen
            slowest, count = max(slowest, latency), count + 1
            stamp = time.strftime("%H:%M:%S")
            for person, answer in told:
                print(f"{stamp} {answers.line(source, person, answer)}")
            new = len(sight.people) - len(told)
            print(
                f"{stamp} {len(sight.people)} in sight{f', {new} too short yet' if new else ''}; "
                f"latency {latency:.2f} s",
                flush=True,
            )
            if json:
                with open(json, "a", encoding="utf-8") as file:
                    file.writelines(f"{answers.as_json(source, p, a)}\n" for p, a in told)
    except KeyboardInterrupt:
        pass
    print(f"{count} answers, the slowest {slowest:.2f} s after its newest frame")
    return 0


def _warm_up(gallery: Gallery) -> None:
    """Compiles what answers need, before the first person comes."""
    joints = joint_format(gallery.model.joints).num_joints
    rng = np.random.default_rng(0)
    for length in LENGTHS:
        gallery.identify([rng.uniform(1, 100, (length, joints, 3))])


def _growing(source: str, options: walks.Options, seconds: float | None) -> Iterator[Sight]:
    """A moment every second in which the file or folder has changed."""
    path = files.expanded(source)
    stamp, changed = None, time.monotonic()
    while seconds is None or time.monotonic() - changed < seconds:
        began = time.monotonic()
        found = _stamp(path)
        if found is not None and found != stamp:
            stamp, changed = found, began
            sight = _sight(path, options, found[0])
            if sight is not None:
                yield sight
            time.sleep(max(0.0, EVERY - (time.monotonic() - began)))
        else:
            time.sleep(_POLL)


def _stamp(path: Path) -> tuple[float, int] | None:
    """When it was written last, and its size; None: not there yet."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime, status.st_size


def _sight(path: Path, options: walks.Options, seen: float) -> Sight | None:
    """Who is in the last frames; None while the file is being written for the first time."""
    try:
        found = readers.read_people(
            path,
            frame_rate=options.frame_rate,
            resample=walks.other_rate(options.frame_rate),
            joints=options.joints,
            image_size=options.image_size,
            last=max(LENGTHS) + GONE,
        )
    except DataError as error:
        if "no person" in str(error):
            return Sight({}, seen)
        if "damaged" in str(error) or "empty" in str(error) or "no .json" in str(error):
            return None
        raise
    newest = max(sequence.frames[-1] for sequence in found.values())
    here = {n: s.poses for n, s in found.items() if newest - s.frames[-1] < GONE}
    return Sight(here, seen)


def _is_camera(source: str) -> bool:
    return source.isdecimal() or "://" in source


def _camera(source: str, options: walks.Options) -> Iterator[Sight]:
    """A moment every second of what a camera sees."""
    kept: dict[str, list[tuple[int, np.ndarray]]] = {}
    due = time.monotonic() + EVERY
    for frame in video.follow(source, options.pose_model):
        for person, joints in frame.people.items():
            kept.setdefault(person, []).append((frame.number, joints))
        if time.monotonic() < due:
            continue
        due = max(due, time.monotonic() - EVERY) + EVERY
        oldest = frame.number - (max(LENGTHS) + GONE) * max(1.0, frame.fps / walks.RATE)
        kept = {
            name: [(number, joints) for number, joints in seen if number >= oldest]
            for name, seen in kept.items()
            if frame.number - seen[-1][0] < GONE
        }
        yield Sight(
            {name: _without_holes(seen, frame.fps) for name, seen in kept.items()}, frame.came
        )


def _without_holes(seen: list[tuple[int, np.ndarray]], fps: float) -> np.ndarray:
    """Poses (T, V, 3) of somebody seen in numbered frames, at a rate that networks know."""
    return readers.sequence(seen, COCO, frame_rate=fps, resample=walks.other_rate(fps)).poses
