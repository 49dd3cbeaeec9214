"""What a SOURCE holds: the walks of all people in it, each by itself."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gaitjax import files, video
from gaitjax.data import readers
from gaitjax.data.readers import pose_tracks
from gaitjax.errors import DataError
from gaitjax.untrusted import safe_npz, safe_pickle

HELP = (
    "results of a pose estimator (docs/data.md), a folder of OpenGait's pickles, an .npy of poses "
    "(frames, joints, 3), or a video"
)
RATE = 25.0  # frames a second that other rates are brought to
LEVELS = 3  # <id>/<type>/<view>
SHORT = 10  # frames: whoever is in sight for fewer has only passed through the edge of the image


class Walk(NamedTuple):
    """One person in one source.

    Attributes:
      source: as it was named.
      person: who in it: the tracker's name, or the folder of a pickle.
      poses: (T, V, 3) float: x, y in pixels, confidence.
      whose: the identity that the source states: walks of another are of somebody else. The
        person, or the <id> of OpenGait's layout; "" below the folder of one identity.
      notes: what was noticed or done.
    """

    source: str
    person: str
    poses: np.ndarray
    whose: str
    notes: tuple[str, ...] = ()


class Options(NamedTuple):
    """How sources are read.

    Attributes:
      joints: joint format that results are brought to.
      frame_rate: of the sources, frames a second; None: not known. A video says it itself.
      image_size: (width, height) where x and y are shares of the image.
      pose_model: what finds poses in videos, see `gaitjax.video`.
    """

    joints: str = "coco"
    frame_rate: float | None = None
    image_size: tuple[float, float] | None = None
    pose_model: Path | None = None


DEFAULTS = Options()


def read(source: str | Path, options: Options = DEFAULTS) -> list[Walk]:
    """The walks of everybody in a source, the most present person first.

    People in sight for fewer than `SHORT` frames are left out beside others.

    Raises:
      DataError: nothing there, nobody in it, or it cannot be read.
    """
    path = files.expanded(source)
    if not path.exists():
        raise DataError(f"{path}: no such file or folder; expected {HELP}")
    found = [walk for walk in _walks(path, options) if walk.poses[..., :2].any()]
    if not found:
        raise DataError(
            f"{path}: no person in it, every joint of every frame is missing; expected poses of "
            "somebody who is whole in the picture: run the pose estimator on another video"
        )
    long = [walk for walk in found if len(walk.poses) >= SHORT]
    return [walk._replace(source=str(source)) for walk in long or found]


def people(folder: str | Path, options: Options) -> dict[str, list[np.ndarray]]:
    """Everybody in a folder of sources, or of OpenGait's pickles: person -> walks.

    Raises:
      DataError: no folder, or nothing in it; as `read`.
    """
    path = files.expanded(folder)
    if not path.is_dir():
        raise DataError(f"{path}: no such folder; expected one of sources, each {HELP}")
    inside = sorted(p for p in path.iterdir() if not p.name.startswith("."))
    found: dict[str, list[np.ndarray]] = {}
    sources = [path] if _pickles(path) else inside
    for source in sources:
        for walk in read(source, options):
            who = (walk.whose or walk.person) if source == path else f"{source.name}, {walk.person}"
            found.setdefault(who, []).append(walk.poses)
    if not found:
        raise DataError(f"{path}: empty; expected sources in it, each {HELP}")
    return found


def _walks(path: Path, options: Options) -> Iterator[Walk]:
    ending = path.suffix.lower()
    if path.is_dir() and (pickles := _pickles(path)):
        yield from _of_pickles(path, pickles, options)
    elif ending == ".npy":
        yield from _of_array(str(path), safe_npz.load_array(path), options)
    elif ending in (".pkl", ".pickle") and isinstance(safe_pickle.load_tree(path), np.ndarray):
        yield from _of_array(str(path), safe_pickle.load(path), options)
    elif ending in readers.VIDEOS:
        for track in video.read(path, options.pose_model):
            sequence = track.sequence(resample=other_rate(track.fps))
            yield Walk(str(path), track.name, sequence.poses, track.name, tuple(sequence.notes))
    else:
        rate, resample = options.frame_rate, other_rate(options.frame_rate)
        found = readers.read_people(
            path,
            frame_rate=rate,
            resample=resample,
            joints=options.joints,
            image_size=options.image_size,
        )
        for person, sequence in found.items():
            yield Walk(str(path), person, sequence.poses, person, tuple(sequence.notes))


def _pickles(path: Path) -> list[Path]:
    """The pickles below a folder, unless files of a pose estimator lie in it."""
    if any(path.glob("*.json")) or any(path.glob("*.txt")):
        return []
    found = (p.relative_to(path) for p in path.rglob("*.pkl"))
    return sorted(path / p for p in found if not any(part.startswith(".") for part in p.parts))


def _of_pickles(path: Path, pickles: list[Path], options: Options) -> Iterator[Walk]:
    for file in pickles:
        array = safe_pickle.load(file)
        if array.ndim != 3 and len(list(file.parent.glob("*.pkl"))) > 1:
            continue  # maps or silhouettes beside the poses
        parts = file.parent.relative_to(path).parts
        whose = parts[0] if len(parts) == LEVELS else ""
        for walk in _of_array(str(file), array, options):
            yield walk._replace(person="/".join(parts) or file.stem, whose=whose)


def _of_array(where: str, array: np.ndarray, options: Options) -> Iterator[Walk]:
    """Poses (T, V, 3) of one person, or (people, T, V, 3)."""
    if array.ndim not in (3, 4) or array.shape[-1] != 3 or array.dtype.kind not in "fiu":
        raise DataError(
            f"{where}: an array {array.dtype} {array.shape}; expected poses (frames, joints, 3) or "
            "(people, frames, joints, 3): x, y, confidence"
        )
    people = array if array.ndim == 4 else array[None]
    for i, poses in enumerate(people, start=1):
        rate = other_rate(options.frame_rate)
        if rate and options.frame_rate and len(poses):
            poses = pose_tracks.resample(poses, options.frame_rate, rate)[0]
        yield Walk(where, str(i), poses, str(i))


def other_rate(frame_rate: float | None) -> float | None:
    """The rate to convert to; None where networks know this one, or it is not known."""
    known = frame_rate is None or readers.RATES[0] <= frame_rate <= readers.RATES[1]
    return None if known else RATE
