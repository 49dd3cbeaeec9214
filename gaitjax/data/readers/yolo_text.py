"""Text files of ultralytics (YOLO-pose, save_txt=True), one a frame, as `Video`.

A line is one person: class, x, y, width and height of the box, then x, y and confidence of each
joint (or x and y alone), all as shares of the image; then maybe the confidence of the box and
the tracker's identity.
"""

import math
from pathlib import Path

import numpy as np

from gaitjax.data.readers.people import COUNTS, Frame, Person
from gaitjax.data.readers.video import Video
from gaitjax.errors import DataError
from gaitjax.untrusted import reading

_BOX = 5
_LIMIT = 2**20  # bytes of a frame's file


def open_folder(path: Path, names: list[str]) -> Video:
    """What the files `names` hold. DataError: other lines than these."""
    frames = [Frame(name, _people(path / name)) for name in names]
    return Video(str(path), frames, in_order=False)


def _people(path: Path) -> list[Person]:
    try:
        lines = reading.read(path, _LIMIT).decode("ascii").splitlines()
    except UnicodeError:
        raise DataError(f"{path}: no text of numbers; expected a frame of YOLO-pose") from None
    return [_person(line, f"{path}, line {i}") for i, line in enumerate(lines, 1) if line.strip()]


def _person(line: str, where: str) -> Person:
    try:
        values = [float(word) for word in line.split()]
    except ValueError:
        values = []
    numbers = len(values) - _BOX
    for per_joint in (3, 2):
        for more in range(3):
            count, rest = divmod(numbers - more, per_joint)
            if not rest and count in COUNTS:
                return _read(values, count, per_joint, more)
    raise DataError(
        f"{where}: {len(values)} numbers; expected {_BOX} of the box and 3 for each of 17 joints, "
        "as YOLO-pose writes them with save_txt=True"
    )


def _read(values: list[float], count: int, per_joint: int, more: int) -> Person:
    table = np.array(values[_BOX : _BOX + per_joint * count]).reshape(count, per_joint)
    if per_joint == 2:
        table = np.concatenate([table, table.any(axis=1, keepdims=True)], axis=1)
    table[~np.isfinite(table).all(axis=1) | ~(table[:, 2] > 0)] = 0.0
    last = values[-1]
    tracked = more == 2 or more == 1 and math.isfinite(last) and last >= 1 and last.is_integer()
    return Person(table, f"{last:.0f}" if tracked and math.isfinite(last) else None)
