"""Which sequences of a split lie where, and which file of a folder is the pose.

Layout: `root/<id>/<type>/<view>/*.pkl`. Names that begin with a dot are not read.
"""

import fnmatch
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gaitjax.data import sets
from gaitjax.data.partitions import Split
from gaitjax.errors import DataError


@dataclass(frozen=True)
class Listing:
    """Where the sequences of a split lie, in data-set order.

    Attributes:
      root: folder of the data set.
      labels, types, views: (S,) str.
      files: for each sequence its sorted .pkl files, relative to `root`; none where they are
        records of tensorflow-datasets.
      stamps: (size, modification time in ns) of all folders and files, by path from `root`.
    """

    root: Path
    labels: np.ndarray
    types: np.ndarray
    views: np.ndarray
    files: tuple[tuple[str, ...], ...]
    stamps: dict[str, tuple[int, int]]


def scan(split: Split) -> Listing:
    """List `root/<id>/<type>/<view>/*.pkl`: ids in partition order, the rest sorted.

    Raises:
      DataError: an identity without sequences, a view folder without .pkl files; a set of
        tensorflow-datasets, which has no files of sequences.
    """
    if split.name.startswith(sets.PREFIX):
        raise DataError(
            f"{split.name} (data.name) holds poses alone: give the prepared folder for other "
            "modalities, or set data.modality=pose"
        )
    rows, files, stamps = [], [], {}

    def children(path: str) -> list[str]:
        # The stamp is taken first: a change after it is noticed at the next start.
        stamps[path] = stamp(split.root / path)
        with os.scandir(split.root / path) as entries:
            return sorted(e.name for e in entries if e.is_dir() and not e.name.startswith("."))

    def sequence(folder: str) -> tuple[str, ...]:
        stamps[folder] = stamp(split.root / folder)
        with os.scandir(split.root / folder) as entries:
            names = sorted(e.name for e in entries if not e.name.startswith("."))
        paths = tuple(f"{folder}/{name}" for name in names if name.endswith(".pkl"))
        if not paths:
            raise DataError(
                f"{split.root / folder}: no .pkl file, found {len(names)} other entries; put the "
                "sequence there or remove the folder"
            )
        stamps.update((path, stamp(split.root / path)) for path in paths)
        return paths

    try:
        for label in split.ids:
            before = len(rows)
            for kind in children(label):
                for view in children(f"{label}/{kind}"):
                    files.append(sequence(f"{label}/{kind}/{view}"))
                    rows.append((label, kind, view))
            if len(rows) == before:
                raise DataError(
                    f"{split.root / label}: no sequence in it; expected <type>/<view>/*.pkl. Put "
                    "the identity's sequences there or take it out of the partition"
                )
    except OSError as error:
        raise DataError(f"{error.filename}: cannot be read: {error.strerror}") from error
    labels, types, views = (np.array(column) for column in zip(*rows, strict=True))
    return Listing(split.root, labels, types, views, tuple(files), stamps)


def stamp(path: str | os.PathLike) -> tuple[int, int]:
    """Size and modification time, by which a change of a file or folder is noticed."""
    status = os.stat(path)
    return status.st_size, status.st_mtime_ns


def pose_file(name: str, files: tuple[str, ...], modality: str) -> str:
    """The file of a folder that holds the poses.

    As many files as the modality has parts are taken in sorted order, the first being the
    pose. Data sets whose folders hold more say which of them it is (`sets.DataSet.pose_file`).

    Args:
      name: of the data set.
      files: all of the folder's, sorted.
      modality: `data.modality`, which begins with "pose".

    Raises:
      DataError: another number of files.
    """
    parts, candidates = modality.split("+"), files
    expected = f"{len(parts)} .pkl for data.modality={modality}"
    pattern = sets.get(name).pose_file
    if pattern and parts == ["pose"] and len(files) > 1:
        candidates = tuple(f for f in files if fnmatch.fnmatchcase(os.path.basename(f), pattern))
        expected = f"one {pattern}, the pose"
    if len(candidates) != len(parts):
        found = ", ".join(map(os.path.basename, files[:3])) + (", ..." if len(files) > 3 else "")
        raise DataError(f"{os.path.dirname(files[0])}: found {found}; expected {expected}")
    return candidates[0]
