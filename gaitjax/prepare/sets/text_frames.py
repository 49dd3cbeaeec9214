"""Sequences of one text file a frame, as GREW and Gait3D give their poses.

A file holds 53 numbers with commas between them: two that are dropped, then x, y and
confidence of the 17 COCO joints, in pixels of a crop about the person (specification
section 10.2); 51 numbers are taken as the joints alone. Frames are taken in natural order
of their names; the reference sorts them as strings, which puts f10000 before f9999.
"""

import argparse
import math
from functools import partial

import numpy as np

from gaitjax.prepare import source
from gaitjax.prepare.driver import Job, Made
from gaitjax.skeleton import COCO
from gaitjax.untrusted import reading

_LIMIT = 2**16  # bytes of a frame; real ones have about 1000
_NUMBERS = 3 * COCO.num_joints
_LARGEST = 1e6  # pixels: beyond is no coordinate


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--compat",
        action="store_true",
        help="frames in the order of their names as strings, as the reference sorts them",
    )


def maker(args: argparse.Namespace, pattern: str) -> partial:
    """`Plan.make` for jobs whose one file is the folder of the frames."""
    return partial(make, root=args.source, pattern=pattern, compat=args.compat)


def make(job: Job, root: str, pattern: str, compat: bool) -> Made:
    """The poses of a folder's frames, (T, 17, 3).

    Frames that are not 51 or 53 sensible numbers are left out and counted; so are the
    frames that natural order puts elsewhere.

    Raises:
      DataError: the folder or a file of it cannot be read, or leads out of the source.
    """
    folder, names = source.resolve(root, job.files[0]), source.files(root, job.files[0], pattern)
    notes = {}

    def note(reason: str, count: int = 1) -> None:
        if count:
            notes[reason] = notes.get(reason, 0) + count

    as_strings = sorted(names)
    moved = sum(a != b for a, b in zip(names, as_strings, strict=True))
    if compat:
        names = as_strings
        note("sequences left in an order that is not that of time", moved > 0)
    else:
        note("sequences re-ordered by natural sort", moved > 0)
        note("frames re-ordered by natural sort", moved)
    frames = []
    for name in names:
        frame = _parse(reading.read(f"{folder}/{name}", _LIMIT))
        if isinstance(frame, str):
            note(frame)
            continue
        if len(frame) == _NUMBERS:
            note("frames of 51 numbers, taken as the joints alone")
        frames.append(frame[-_NUMBERS:])
    if not frames:
        note("no frame that can be used" if names else f"no file named like {pattern}")
        return Made(None, notes)
    return Made(np.array(frames).reshape(-1, COCO.num_joints, 3), notes)


def _parse(data: bytes) -> list[float] | str:
    """The numbers of a frame, or why there are none."""
    tokens = data.replace(b",", b" ").split()
    if len(tokens) not in (_NUMBERS, _NUMBERS + 2):
        return "frames dropped: not 51 or 53 numbers"
    try:
        if b"_" in data:  # Python's own idea of a number
            raise ValueError
        numbers = [float(token) for token in tokens]
    except ValueError:
        return "frames dropped: text that is not numbers"
    if not (-_LARGEST < min(numbers) and max(numbers) < _LARGEST) or any(map(math.isnan, numbers)):
        return "frames dropped: numbers that are no pixels"
    return numbers
