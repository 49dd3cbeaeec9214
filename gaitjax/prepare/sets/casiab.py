"""CASIA-B poses: csv as GaitGraph's authors released them, or ready pickles.

A csv has one row for each frame: the name of the image, then x, y and confidence of the 17
COCO joints, 51 numbers. Taken are rows of at least 52 fields between commas, of which the
last 51 are numbers and one before them holds the sequence as <id>-<type>-<view>, as in
"001-bg-01-000-017.png" or "frames/001-bg-01-000/000017.jpg"; the frame is the last number
after that, or, where the name ends there, the row's place. A header and fields between are
passed over. Rows may stand in any order, in any number of files: the frames of a sequence
are brought together and sorted by number.
"""

import argparse
import contextlib
import re
from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import BinaryIO

import numpy as np

from gaitjax.errors import DataError
from gaitjax.prepare import source
from gaitjax.prepare.driver import Job, Made, Plan
from gaitjax.prepare.sets import pickles
from gaitjax.skeleton import COCO
from gaitjax.untrusted import reading
from gaitjax.untrusted.safe_json import FARTHEST

HELP = """\
CASIA-B poses. --source holds either csv files, as GaitGraph's authors released them,

  *.csv            a row a frame: 001-bg-01-000-017.png,x,y,confidence,x,y,... of 17 joints

or ready pickles, <id>/<type>/<view>/*.pkl. Sequences become 001/bg-01/000/000.pkl; the
training ids 001 to 074 and the test ids are built in.

example: python -m gaitjax.prepare casiab --source GaitGraph-csv --output casiab
"""
HOLDS = ("*.csv", "*/*/*/*.pkl")  # files below --source

_NAME = re.compile(
    rb"(?<![0-9])([0-9]{3})-((?:nm|bg|cl)-[0-9]{2})-([0-9]{3})(?![0-9])([^,]{0,200})"
)
_FRAME = re.compile(rb"([0-9]{1,12})[^0-9]*$")
_NUMBERS = 3 * COCO.num_joints
_LINE = 2**16  # bytes of a row; real ones have less than 1500
_SEQUENCE = 2**26  # bytes of a sequence's rows; real ones have about 100,000

add_arguments = pickles.add_arguments


def plan(args: argparse.Namespace) -> Plan:
    """One job for each sequence in the csv files, which are read once to find their rows.

    Raises:
      DataError: no row of a sequence; an unreadable file; as `pickles.plan`.
    """
    names = source.files(args.source, "", "*.csv")
    if not names:
        if not source.folders(args.source):
            raise DataError(f"{args.source}: neither a .csv file nor folders of pickles in it")
        return pickles.plan(args)
    if args.pick or args.joints or args.source_joints:
        raise DataError(
            f"{args.source} holds {names[0]}; --pick, --joints and --source_joints are for pickles"
        )
    rows: dict[tuple[str, str, str], list] = {}
    notes = Counter()
    for name in names:
        _scan(args.source, name, rows, notes)
    if not rows:
        raise DataError(
            f"{args.source}/{names[0]}: no row that names a sequence; expected such as "
            "001-bg-01-000-017.png followed by 51 numbers, with commas between"
        )
    jobs = [Job(*key, tuple(runs)) for key, runs in sorted(rows.items())]
    found, more = pickles.partition(args.source, args.partition, list(rows))
    return Plan(jobs, partial(make, root=args.source), found, {**notes, **more})


def _scan(root: str, name: str, rows: dict, notes: Counter) -> None:
    """Adds the runs of rows of each sequence in a file to `rows`: (name, start, length)."""
    start = 0
    before, begin = None, 0
    with _opened(root, name) as file:
        while True:
            line = file.readline(_LINE)
            if len(line) == _LINE:
                raise DataError(
                    f"{root}/{name}: a row of more than {_LINE} bytes; this is no csv of poses"
                )
            match = _NAME.search(line)
            key = tuple(part.decode() for part in match.groups()[:3]) if match else None
            if key != before:
                if before:
                    rows.setdefault(before, []).append((name, begin, start - begin))
                before, begin = key, start
            if not line:
                break
            if key is None and line.strip():
                first = not start
                notes["header rows" if first else "rows dropped: they name no sequence"] += 1
            start += len(line)


@contextlib.contextmanager
def _opened(root: str, name: str) -> Iterator[BinaryIO]:
    path = source.resolve(root, name)
    reading.check_plain(path)
    try:
        with open(path, "rb") as file:
            yield file
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error


def make(job: Job, root: str) -> Made:
    """The poses of a sequence, (T, 17, 3), sorted by frame number.

    Rows that are not 51 numbers are left out and counted, and so are further rows of a
    frame. Numbers missing between frames are counted, nothing is put in their place.

    Raises:
      DataError: a file cannot be read.
    """
    notes = Counter()
    frames: dict[int, np.ndarray] = {}
    order = []
    for name, start, length in job.files:
        if length > _SEQUENCE:
            raise DataError(f"{root}/{name}: {length} bytes of {job.name}; this is no walk")
        with _opened(root, name) as file:
            file.seek(start)
            lines = file.read(length).splitlines()
        for line in lines:
            parsed = _parse(line)
            if parsed is None:
                notes["rows dropped: not 51 numbers of pixels"] += 1
                continue
            number, joints = parsed
            number = len(order) if number is None else number
            if number in frames:
                notes["rows dropped: a frame for the second time"] += 1
                continue
            frames[number] = joints
            order.append(number)
    if not frames:
        notes["no row that can be used"] = 1
        return Made(None, dict(notes))
    numbers = sorted(frames)
    if moved := sum(a != b for a, b in zip(order, numbers, strict=True)):
        notes["frames re-ordered by number"] = moved
    if missing := numbers[-1] - numbers[0] + 1 - len(numbers):
        notes["frames missing between others"] = missing
    return Made(np.stack([frames[number] for number in numbers]), dict(notes))


def _parse(line: bytes) -> tuple[int | None, np.ndarray] | None:
    """Frame number, if the row has one, and (17, 3) joints; None if it is none."""
    fields = line.split(b",")
    match = _NAME.search(line)
    if match is None or len(fields) <= _NUMBERS:
        return None
    try:
        joints = np.array([float(field.strip(b' "')) for field in fields[-_NUMBERS:]])
    except ValueError:
        return None
    if not (np.abs(joints) <= FARTHEST).all():  # nor NaN
        return None
    rest = re.sub(rb"\.[A-Za-z]+\"?$", b"", match[4])
    frame = _FRAME.search(rest)
    return int(frame[1]) if frame else None, joints.reshape(-1, 3)
