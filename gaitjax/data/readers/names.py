"""Which frame of a video a name means: its number, its time, or its place in the file.

Names differ in the number of the frame, and maybe in the camera, a hash or the time of day.
"""

import re
from datetime import datetime

import numpy as np

from gaitjax.errors import DataError

LARGEST = 10**18  # frame number
_LENGTH = 200  # characters of a name that are looked at
_HASH = re.compile(r"(?<![0-9a-z])(?=[0-9a-f]*[a-f])(?=[0-9a-f]*[0-9])[0-9a-f]{8,}(?![0-9a-z])")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TIME = re.compile(
    r"((?:19|20)[0-9]{2})[-_.]?([01][0-9])[-_.]?([0-3][0-9])[-_.t ]*"
    r"([0-2][0-9])[-_.:h]?([0-5][0-9])[-_.:m]?([0-5][0-9])(?:[._,-]?([0-9]{1,6})(?![0-9]))?"
)


def frame_numbers(
    where: str, names: list[int | str], in_order: bool = False
) -> tuple[dict[int | str, int], list[str]]:
    """The frame numbers of the `names` of a video's frames, and what is to be said of them.

    Numbers are themselves. A text's is the last of its numbers that is another one in every
    name; times are microseconds; hashes and what all names share say nothing.

    Args:
      where: begins errors.
      in_order: the names come in the order of the frames, which counts if they hold none.

    Raises:
      DataError: names without a number; a number that comes twice, as those of two videos do.
    """
    names = list(dict.fromkeys(names))
    if all(isinstance(name, int) for name in names):
        numbers = {name: int(name) for name in names}
        notes = []
    else:
        of_texts, notes = _of_texts(where, [str(name) for name in names], in_order)
        numbers = {name: of_texts[str(name)] for name in names}
    for number in numbers.values():
        if abs(number) > LARGEST:
            raise DataError(f"{where}: frame number {str(number)[:30]} is out of range")
    return numbers, notes


def _of_texts(where: str, names: list[str], in_order: bool) -> tuple[dict[str, int], list[str]]:
    bare = {name: _bare(name) for name in names}
    found_times = {name: _time(text) for name, text in bare.items()}
    times = {name: time for name, time in found_times.items() if time is not None}
    if len(times) == len(set(times.values())) == len(names):
        return times, ["frames are numbered by the times in their names"]
    found = {n: tuple(map(int, re.findall(r"[0-9]{1,18}", t))) for n, t in bare.items()}
    if lacking := [name for name in names if not found[name]]:
        if in_order and len(lacking) == len(names):
            note = "frames are taken in the order of the file: their names hold no number"
            return {name: i for i, name in enumerate(names)}, [note]
        raise DataError(f"{where}: {lacking[0][:60]!r} holds no frame number")
    # Column by column from the last: names alike but for their numbers have as many.
    widths = {len(numbers) for numbers in found.values()}
    columns = range(1, min(widths) + 1) if len(widths) == 1 else (1,)
    for column in columns:
        values = {name: found[name][-column] for name in names}
        if len(set(values.values())) == len(names):
            return values, []
    varying = next((c for c in columns if len({f[-c] for f in found.values()}) > 1), 1)
    first: dict[int, str] = {}
    for name in names:
        twin = first.setdefault(found[name][-varying], name)
        if twin != name:
            break
    raise DataError(
        f"{where}: the frames {twin[:60]!r} and {name[:60]!r} have the same number, so they seem "
        "to be of two videos; give one video at a time"
    )


def _time(text: str) -> int | None:
    """Microseconds of the date and time in a name, if there is one."""
    match = _TIME.search(text)
    if not match:
        return None
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    try:
        moment = datetime(year, month, day, hour, minute, second)
    except ValueError:
        return None
    fraction = int((match[7] or "0").ljust(6, "0"))
    return int((moment - datetime(1970, 1, 1)).total_seconds()) * 10**6 + fraction


def _bare(name: str) -> str:
    """A frame's name without folder, ending, the estimators' suffixes and hashes."""
    stem = name.replace("\\", "/").rpartition("/")[2][-_LENGTH:].lower()
    ending = r"\.(jpe?g|png|bmp|json|tiff?|txt|webp)$"
    stem = re.sub(ending, "", stem).removesuffix(".predictions")
    stem = re.sub(ending, "", stem).removesuffix("_keypoints").removesuffix("_alphapose")
    return _HASH.sub("", _UUID.sub("", stem))


def evenly(numbers: list[int], max_gap: int) -> tuple[dict[int, int], list[str]]:
    """New numbers for frames that are numbered in steps, as every tenth of a video's or by times.

    Steps that `max_gap` would bridge stay as they are.

    Returns:
      number -> its number in steps, from 0 (or itself); what is to be said.
    """
    ordered = sorted(set(numbers))
    if len(ordered) < 2:
        return {n: n for n in ordered}, []
    gaps = np.diff(ordered)
    step = float(np.median(gaps))
    if step <= max_gap + 1:
        return {n: n for n in ordered}, []
    places = np.concatenate([[0], np.cumsum(np.maximum(1, np.rint(gaps / step)))]).astype(int)
    note = (
        f"frames numbered in steps of {step:g}, taken as one after the other: --frame_rate is "
        "that of these frames"
    )
    return dict(zip(ordered, places.tolist(), strict=True)), [note]
