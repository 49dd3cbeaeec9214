"""Reading from folders that strangers made: nothing that is no plain file, nothing huge.

Links are followed, as in training; `--links refuse` refuses those that leave the folder before
anything is read. Errors of the file system become DataErrors with the OSError as their cause.
"""

import argparse
import contextlib
import fnmatch
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from gaitjax.data import partitions
from gaitjax.errors import DataError
from gaitjax.untrusted import reading

FILE_LIMIT = 16 * 2**20  # bytes of one file of frames
_DEPTH = 4  # folders within each other, at most, above the data


def natural(name: str) -> tuple:
    """Sort key that takes digits as numbers: f9 before f10."""
    parts = re.split(r"([0-9]+)", name)
    return [int(part) if i % 2 else part for i, part in enumerate(parts)], name


def folders(source: str | os.PathLike, folder: str = "") -> list[str]:
    """Names of the folders in source/folder, in natural order, without hidden ones.

    Raises:
      DataError: cannot be listed.
    """
    return [e.name for e in _entries(source, folder) if e.is_dir()]


def files(source: str | os.PathLike, folder: str, pattern: str = "*") -> list[str]:
    """Names of the files in source/folder that `pattern` (as of a shell) matches, in natural order.

    Raises:
      DataError: as `folders`.
    """
    names = [e.name for e in _entries(source, folder) if not e.is_dir()]
    return [name for name in names if fnmatch.fnmatchcase(name, pattern)]


def sequences(source: str | os.PathLike) -> Iterator[tuple[str, str, str]]:
    """The (id, type, view) of every folder source/<id>/<type>/<view>, in natural order."""
    for label in folders(source):
        for kind in folders(source, label):
            for view in folders(source, f"{label}/{kind}"):
                yield label, kind, view


def read(source: str | os.PathLike, path: str, limit: int = FILE_LIMIT) -> bytes:
    """The bytes of source/path.

    Raises:
      DataError: outside the source, and as `reading.read`.
    """
    return reading.read(resolve(source, path), limit)


def resolve(source: str | os.PathLike, path: str) -> str:
    """source/path, links followed; DataError if its name alone leads out of the source."""
    root = os.path.normpath(source)
    full = os.path.normpath(os.path.join(root, path))
    if full != root and not full.startswith(root.rstrip(os.sep) + os.sep):
        raise DataError(f"{path} lies outside of {source}")
    return full


def data_folder(source: str, patterns: Sequence[str]) -> str:
    """The folder that holds what a module reads: the source, or else the only folder in it.

    Archives have one folder at their top as often as not.

    Args:
      patterns: of files below the folder that is looked for, as "*/*/*/*.pkl".
    """
    folder = source
    for _ in range(_DEPTH):
        with _errors(folder):
            if any(next(Path(folder).glob(pattern), None) for pattern in patterns):
                return folder
            inner = folders(folder)
        if len(inner) != 1:
            break
        folder = os.path.join(folder, inner[0])
    return source


def add_partition(parser: argparse.ArgumentParser) -> None:
    """The option that names a file for `partition`."""
    parser.add_argument(
        "--partition",
        default="",
        metavar="FILE",
        help="OpenGait's JSON with TRAIN_SET, TEST_SET (and PROBE_SET)",
    )


def partition(
    path: str | os.PathLike, names: Iterable[tuple[str, str, str]]
) -> tuple[dict, dict[str, int]]:
    """OpenGait's JSON in `path`, checked against the (id, type, view) found in a source.

    Returns:
      The partition and notes: what it lists and the source does not hold.

    Raises:
      DataError: unreadable; a set of which nothing was found.
    """
    sets, names = partitions.read(Path(path).expanduser()), list(names)
    labels, probes = {label for label, *_ in names}, {"-".join(name) for name in names}
    notes = {}
    for key, listed, found in (
        ("TRAIN_SET", sets.train, labels),
        ("TEST_SET", sets.test, labels),
        ("PROBE_SET", sets.probe, probes),
    ):
        lost = [name for name in listed if name not in found]
        if lost and len(lost) == len(listed):
            raise DataError(
                f"{path} (--partition): nothing of {key} ({lost[0]}, ...) is in the source, which "
                f"holds {min(found, default='nothing')}, ...; is it of another data set?"
            )
        if lost:
            notes[f"of the partition's {key}, not in the source"] = len(lost)
    result = {"TRAIN_SET": list(sets.train), "TEST_SET": list(sets.test)}
    return result | ({"PROBE_SET": list(sets.probe)} if sets.probe else {}), notes


def _entries(source: str | os.PathLike, folder: str) -> list[os.DirEntry]:
    full = resolve(source, folder)
    with _errors(full), os.scandir(full) as scanned:
        entries = [entry for entry in scanned if not entry.name.startswith(".")]
    return sorted(entries, key=lambda entry: natural(entry.name))


@contextlib.contextmanager
def _errors(path: str | os.PathLike) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DataError(f"{error.filename or path}: {error.strerror or error}") from error
