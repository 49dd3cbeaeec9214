"""Who of several people in a frame of OUMVLP-Pose is the walker.

The walker is not always the first; the numbers published in 2023 took the first one anyway.
Each function here is one way to choose, with the arguments

    job: the sequence; frames: [(frame number, people (P, 18, 3))] of those frames that show
    several people; numbers: of all frames; notes: counts what is worth telling

and the chosen position for each of `frames` as its result.

Index files, as published since 2025, hold for each sequence a dictionary from the number of
a frame with several people to the position of the walker among them, counted from 0. Taken
are <id>/<seq>/<view>.json or .pkl, or the first such file in the folder <id>/<seq>/<view>/;
keys may be numbers or texts that end in one ("0007" is 7). That the frame number is that of
the json's name, and the layout, are assumptions, for the files come without a description:
entries that name no frame with as many people are counted in the summary.

Silhouettes are those of the same frames, uncropped: the person is taken whose joints lie on
the largest sum of silhouette pixels, at coordinates cut to integers; a person with a joint
outside the image is out. Where all are out, it is the first one (specification section 10.1).
"""

import io
import os
import re
from collections import Counter
from collections.abc import Callable
from functools import partial

import numpy as np

from gaitjax.errors import DataError
from gaitjax.extras import optional
from gaitjax.prepare import source
from gaitjax.prepare.driver import Job
from gaitjax.untrusted import safe_json, safe_pickle

_INDEX_LIMIT = 2**20  # bytes
_PIXELS = 2**24  # of a silhouette; real ones have 1280 x 980


def first(job: Job, frames: list, numbers: list[int], notes: Counter) -> list[int]:
    """The first one, in every frame."""
    notes["frames with several people, the first one taken"] += len(frames)
    return [0] * len(frames)


def by_index(folder: str, job: Job, frames: list, numbers: list[int], notes: Counter) -> list[int]:
    """The one that the sequence's index file names; else the first one."""
    path = index_file(folder, job)
    index = _read_index(folder, path) if path else {}
    chosen = []
    for number, people in frames:
        k = index.get(number)
        if k is not None and k >= len(people):
            notes["index entries of a person who is not there, the first one taken"] += 1
        elif k is None:
            notes["frames with several people without an index entry, the first one taken"] += 1
        chosen.append(k if k is not None and k < len(people) else 0)
    others = index.keys() - {number for number, _ in frames}
    notes["index entries of a frame that has not several people"] += len(others)
    return chosen


def index_file(folder: str, job: Job) -> str | None:
    """Path, relative to `folder`, of the index file of a sequence, if there is one."""
    stem = f"{job.label}/{job.kind}/{job.view}"
    for ending in (".json", ".pkl"):
        if os.path.isfile(os.path.join(folder, stem + ending)):
            return stem + ending
    if os.path.isdir(os.path.join(folder, stem)):
        names = [n for n in source.files(folder, stem) if n.endswith((".json", ".pkl"))]
        return f"{stem}/{names[0]}" if names else None
    return None


def _read_index(folder: str, path: str) -> dict[int, int]:
    """Frame number -> position of the walker.

    Raises:
      DataError: unreadable, not a dictionary of small numbers.
    """
    data = source.read(folder, path, _INDEX_LIMIT)
    where = os.path.join(folder, path)
    parse = safe_pickle.parse_tree if path.endswith(".pkl") else safe_json.parse
    content = parse(data, where)
    if not isinstance(content, dict):
        raise DataError(
            f"{where}: found {safe_json.describe(content)}; expected {{frame number: person}}"
        )
    index = {}
    for key, value in content.items():
        digits = re.search(r"[0-9]{1,15}$", key) if isinstance(key, str) else None
        number = int(digits[0]) if digits else key
        if type(number) is not int or type(value) is not int or not 0 <= value < 2**31:
            raise DataError(
                f"{where}: an entry is no pair of a frame number and a person's position from 0"
            )
        index[number] = value
    return index


def by_silhouettes(
    root: str, job: Job, frames: list, numbers: list[int], notes: Counter
) -> list[int]:
    """The one whose joints lie on most of the silhouette; else the first one."""
    images = _silhouettes(root, job, numbers, notes)
    chosen = []
    for number, people in frames:
        image = images.get(number)
        if image is None:
            notes["frames with several people without a silhouette, the first one taken"] += 1
            chosen.append(0)
            continue
        scores = on_silhouette(people, image())
        if np.isneginf(scores).all():
            notes["frames with several people, all partly outside, the first one taken"] += 1
        chosen.append(int(np.argmax(scores)))
    return chosen


def on_silhouette(people: np.ndarray, image: np.ndarray) -> np.ndarray:
    """Sum of the pixels under each person's joints; -inf where a joint lies outside.

    Args:
      people: (P, V, 3) x, y, confidence; coordinates are cut toward zero.
      image: (H, W) uint8.

    Returns:
      (P,) float64.
    """
    x, y = people[..., 0].astype(int), people[..., 1].astype(int)
    inside = (x >= 0) & (x < image.shape[1]) & (y >= 0) & (y < image.shape[0])
    values = image[np.where(inside, y, 0), np.where(inside, x, 0)].astype(np.float64)
    return np.where(inside.all(axis=1), values.sum(axis=1), -np.inf)


def silhouette_folder(root: str, job: Job) -> str | None:
    """Folder, relative to `root`, of a sequence's silhouettes, if there is one."""
    for folder in (
        f"{job.label}/{job.kind}/{job.view}",
        f"Silhouette_{job.view}-{job.kind}/{job.label}",
    ):
        if os.path.isdir(os.path.join(root, folder)):
            return folder
    return None


def _silhouettes(root: str, job: Job, numbers: list[int], notes: Counter) -> dict[int, Callable]:
    """Frame number -> function that gives the (H, W) uint8 image."""
    folder = silhouette_folder(root, job)
    if folder is None:
        return {}
    names = source.files(root, folder)
    if pickles := [name for name in names if name.endswith(".pkl")]:
        images = _pickled(source.resolve(root, f"{folder}/{pickles[0]}"))
        if len(images) != len(numbers):
            notes["sequences with another number of pickled silhouettes: not used"] += 1
            return {}
        return {n: partial(np.asarray, image) for n, image in zip(numbers, images, strict=True)}
    matches = {name: re.search(r"([0-9]{1,15})\.png$", name) for name in names}
    return {
        int(match[1]): partial(_read_png, root, f"{folder}/{name}")
        for name, match in matches.items()
        if match
    }


def _pickled(path: str) -> np.ndarray:
    images = safe_pickle.load(path)
    if images.ndim != 3 or images.dtype != np.uint8:
        raise DataError(
            f"{path}: found {images.dtype} {images.shape}; expected uint8 silhouettes (frames, "
            "height, width), uncropped"
        )
    return images


def _read_png(root: str, path: str) -> np.ndarray:
    Image = optional("PIL.Image", "prepare", "reads and writes pictures")

    data = source.read(root, path)
    try:
        with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
            if image.width * image.height > _PIXELS:
                raise DataError(f"{image.width} x {image.height} pixels")
            return np.asarray(image.convert("L"))
    except Exception as error:  # whatever a damaged image provokes
        raise DataError(f"{os.path.join(root, path)}: no silhouette ({error})") from None
