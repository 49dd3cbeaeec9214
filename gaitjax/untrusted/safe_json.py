"""JSON of pose estimators, read as data that may be damaged or hostile.

`load` gives the parsed value of a file of bounded size; `joints` turns what should be a
person's keypoints into an array. Whatever the bytes are, both end with a value or a
`DataError` that names the file.
"""

import json
import os
import re

import numpy as np

from gaitjax.errors import DataError
from gaitjax.untrusted import reading

FRAME_LIMIT = 16 * 2**20  # bytes of a file that describes one frame
VIDEO_LIMIT = 256 * 2**20  # bytes of a file that describes a whole video
FARTHEST = 1e6  # pixels; a coordinate beyond is no coordinate

_LONG_NUMBER = re.compile(rb"[0-9]{400}")  # turning digits into an int takes quadratic time


def load(path: str | os.PathLike, limit: int = FRAME_LIMIT):
    """The value in the JSON file `path`.

    Raises:
      DataError: it is no ordinary file, cannot be read or is larger than `limit` bytes; as
        `parse`.
    """
    return parse(reading.read(path, limit), path)


def parse(data: bytes, name: str | os.PathLike):
    """The value of JSON text in UTF-8, with or without a byte order mark.

    Raises:
      DataError: empty, not JSON or nested too deeply; begins with `name`.
    """
    if not data:
        raise DataError(f"{name}: the file is empty (0 bytes); write it again.")
    if _LONG_NUMBER.search(data):
        raise DataError(f"{name}: holds a number of 400 digits or more; it is damaged")
    try:
        return json.loads(data.decode("utf-8-sig"))
    except RecursionError:
        raise DataError(f"{name}: lists within lists without end; it is damaged") from None
    except ValueError as error:  # of the decoder too
        raise DataError(
            f"{name}: not JSON, or damaged or cut short after {len(data)} bytes ({error}). "
            "Copy or write it again."
        ) from None


def load_lines(path: str | os.PathLike, limit: int = FRAME_LIMIT) -> list:
    """The values on the lines of the file `path`. DataError: as `load`, of any line."""
    lines = reading.read(path, limit).splitlines()
    return [parse(line, f"{path}, line {i}") for i, line in enumerate(lines, 1) if line.strip()]


def load_last_lines(path: str | os.PathLike, count: int, limit: int = FRAME_LIMIT) -> list:
    """The values on the last `count` lines that are finished, of the last `limit` bytes.

    A file that is no lines but one value, written whole, is that value.

    Raises:
      DataError: as `load`, of any line.
    """
    size = reading.check_plain(path)
    with open(path, "rb") as file:
        file.seek(max(0, size - limit))
        lines = file.read(limit).split(b"\n")
    first = 1 if size > limit else 0  # cut off in the middle
    whole = [line for line in lines[first:-1] if line.strip()][-count:]
    if len(whole) < 2 and size <= limit:
        return load(path, limit)
    return [parse(line, f"{path}, a last line") for line in whole]


def joints(values, counts: tuple[int, ...], where: str) -> np.ndarray:
    """Flat `[x0, y0, c0, x1, ...]` as (V, 3) float64, V being one of `counts`.

    Joints with a number that is NaN, infinite or beyond a million are NaN.

    Raises:
      DataError: not a list of numbers, or of another length; begins with `where`.
    """
    table = numbers(values, where)
    if len(table) % 3 or len(table) // 3 not in counts:
        expected = " or ".join(f"{v} x 3" for v in counts)
        raise DataError(f"{where}: {len(table)} numbers for the joints; expected {expected}")
    table = table.reshape(-1, 3)
    with np.errstate(invalid="ignore"):
        table[~(np.abs(table) <= FARTHEST).all(axis=1)] = np.nan
    return table


def numbers(values, where: str) -> np.ndarray:
    """A list of JSON numbers as (N,) float64. DataError: anything else; begins with `where`."""
    if not isinstance(values, list) or not all(type(v) in (int, float) for v in values):
        raise DataError(f"{where}: expected a list of numbers, found {describe(values)}")
    try:
        return np.array(values, np.float64)
    except OverflowError:
        raise DataError(f"{where}: holds a number too large to be a coordinate") from None


def describe(value) -> str:
    """What a JSON value is, in a few words."""
    if isinstance(value, dict):
        keys = ", ".join(repr(str(k)[:30]) for k in list(value)[:4])
        return f"an object with the keys {keys or 'none'}{', ...' if len(value) > 4 else ''}"
    if isinstance(value, list):
        kinds = sorted({_KINDS.get(type(v), "?") for v in value[:100]})
        return f"a list of {len(value)} ({', '.join(kinds) or 'empty'})"
    return _KINDS.get(type(value), "?")


_KINDS = {
    bool: "true or false",
    int: "a number",
    float: "a number",
    str: "a text",
    list: "a list",
    dict: "an object",
    type(None): "null",
}
