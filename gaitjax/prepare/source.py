"""Reading from folders and archives that strangers made: nothing outside them, nothing huge.

Links may lead anywhere inside the source; one that leaves it is refused. Errors of the
file system become DataErrors with the OSError as their cause.
"""

import argparse
import contextlib
import fnmatch
import os
import re
import shutil
import stat
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from gaitjax.data import partitions
from gaitjax.errors import DataError
from gaitjax.untrusted import archives, reading

FILE_LIMIT = 16 * 2**20  # bytes of one file of frames


def natural(name: str) -> tuple:
    """Sort key that takes digits as numbers: f9 before f10."""
    parts = re.split(r"([0-9]+)", name)
    return [int(part) if i % 2 else part for i, part in enumerate(parts)], name


def folders(source: str | os.PathLike, folder: str = "") -> list[str]:
    """Names of the folders in source/folder, in natural order, without hidden ones.

    Raises:
      DataError: cannot be listed; a link that leaves the source.
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
    """source/path without links; DataError if that lies outside of the source."""
    root = os.path.realpath(source)
    full = os.path.realpath(os.path.join(root, path))
    if full != root and not full.startswith(root.rstrip(os.sep) + os.sep):
        raise DataError(
            f"{os.path.join(source, path)} leads to {full}, outside of {source}; put a copy in its "
            "place if it belongs to the data"
        )
    return full


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


def unpack(archive: str | os.PathLike, folder: str | os.PathLike) -> None:
    """Unpacks a zip archive as `folder`, whole or not at all.

    Raises:
      DataError: `folder` exists; the archive is damaged or encrypted; a member would lie
        outside of the folder, is a link or device, or is there twice; it would unpack to
        more than 200 times its size; no space or permission.
    """
    archive, folder = Path(archive), Path(folder)
    temporary = folder.with_name(f".{folder.name}.unpacking")
    with _errors(archive):
        if folder.exists():
            raise DataError(f"{folder} exists already; remove it to unpack {archive} anew")
        shutil.rmtree(temporary, ignore_errors=True)
        try:
            with zipfile.ZipFile(archive) as opened:
                _check_members(archive, opened.infolist())
                temporary.mkdir(parents=True)
                opened.extractall(temporary)
            os.replace(temporary, folder)
        except (DataError, OSError):
            raise
        except Exception as error:  # whatever a malformed archive provokes
            raise DataError(
                f"{archive}: not a zip archive, or damaged ({error}); fetch it again"
            ) from error
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def _check_members(archive: Path, members: list[zipfile.ZipInfo]) -> None:
    seen = set()
    for member in members:
        path = PurePosixPath(member.filename)
        kind = stat.S_IFMT(member.external_attr >> 16)
        if path.is_absolute() or ".." in path.parts or re.search(r"[\\:\0]", member.filename):
            found = "would be unpacked outside of its folder"
        elif kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            found = "is a link or device"
        elif member.flag_bits & 1:
            found = "is encrypted"
        elif path in seen:
            found = "is there twice"
        else:
            seen.add(path)
            continue
        raise DataError(f"{archive}: its member {member.filename!r} {found}; nothing was unpacked")
    archives.check_expansion(archive, members)


def _entries(source: str | os.PathLike, folder: str) -> list[os.DirEntry]:
    full = resolve(source, folder)
    with _errors(full), os.scandir(full) as scanned:
        entries = [entry for entry in scanned if not entry.name.startswith(".")]
    for entry in entries:
        if entry.is_symlink():
            resolve(source, os.path.join(folder, entry.name))
    return sorted(entries, key=lambda entry: natural(entry.name))


@contextlib.contextmanager
def _errors(path: str | os.PathLike) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DataError(f"{error.filename or path}: {error.strerror or error}") from error
