"""Archives that strangers made, unpacked whole or not at all: zip, tar, tar.gz.

Nothing is written outside of the folder, links and devices are refused, and so is what would
unpack to far more than poses do. What macOS adds (`__MACOSX`) is left out.
"""

import errno
import os
import re
import shutil
import stat
import tarfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from gaitjax import files
from gaitjax.errors import DataError

ENDINGS = (".zip", ".tar.gz", ".tgz", ".tar")
EXPANSION = 200  # bytes unpacked for a byte of the archive; texts of numbers reach about 10
_ENTRY = 512  # bytes that any member counts for: a folder takes room on the disk too
_IGNORED = "__MACOSX"
_OF_THE_DISK = (errno.ENOSPC, errno.EACCES, errno.EPERM, errno.EROFS, errno.EIO, errno.EMFILE)


class _Member(NamedTuple):
    """One entry of an archive: what `open` reads is the content of a plain file."""

    name: str
    size: int
    is_folder: bool
    trouble: str  # why it cannot be unpacked, or ""
    content: object  # what the archive's own library opens


def check_expansion(path: str | os.PathLike, members: Sequence[zipfile.ZipInfo]) -> None:
    """DataError if the zip at `path` would unpack to more than 200 times its size."""
    total, size = sum(member.file_size for member in members), os.stat(path).st_size
    if total > EXPANSION * size:
        raise DataError(
            f"{path}: {size} bytes that would unpack to {total}, more than {EXPANSION} times "
            "as many; nothing was unpacked"
        )


def stem(path: str) -> str | None:
    """`path` without the ending of an archive; None if it has none."""
    return next((path.removesuffix(e) for e in ENDINGS if path.lower().endswith(e)), None)


def unpack(archive: Path, folder: Path) -> None:
    """Unpacks `archive`, whose name ends in one of `ENDINGS`, as the new `folder`.

    Raises:
      DataError: `folder` exists; the archive is damaged or encrypted; a member would lie
        outside of the folder, is a link or device, or is there twice; it would unpack to
        more than 200 times its size.
      OSError: no space or permission.
    """
    if folder.exists():
        raise DataError(f"{folder} exists already; remove it to unpack {archive} anew")
    try:
        with _opened(archive) as (members, read), files.whole_folder(folder) as temporary:
            for member in members:
                path = temporary / member.name
                if member.is_folder:
                    path.mkdir(parents=True, exist_ok=True)
                    continue
                path.parent.mkdir(parents=True, exist_ok=True)
                with read(member) as source, open(path, "xb") as target:
                    shutil.copyfileobj(source, target)
    except DataError:
        raise
    except Exception as error:  # whatever a malformed archive provokes
        if isinstance(error, OSError) and error.errno in _OF_THE_DISK:
            raise
        raise DataError(
            f"{archive}: not an archive, or damaged ({error}); fetch it again"
        ) from error


@contextmanager
def _opened(archive: Path):
    """The members of an archive, checked, and what opens one of them.

    All members of a zip are checked before the first is unpacked; a tar is read once.
    """
    if archive.name.lower().endswith(".zip"):
        with zipfile.ZipFile(archive) as opened:
            members = list(_checked(archive, map(_of_zip, opened.infolist())))
            yield members, lambda member: opened.open(member.content)
    else:
        with tarfile.open(archive, "r:*") as opened:
            members = _checked(archive, map(_of_tar, opened))
            yield members, lambda member: opened.extractfile(member.content)


def _of_zip(info: zipfile.ZipInfo) -> _Member:
    kind = stat.S_IFMT(info.external_attr >> 16)
    trouble = "" if kind in (0, stat.S_IFREG, stat.S_IFDIR) else "is a link or device"
    if info.flag_bits & 1:
        trouble = "is encrypted: unpack it with its password, and give the folder instead"
    return _Member(info.filename, info.file_size, info.is_dir(), trouble, info)


def _of_tar(info: tarfile.TarInfo) -> _Member:
    trouble = "" if info.isreg() or info.isdir() else "is a link or device"
    return _Member(info.name, info.size, info.isdir(), trouble, info)


def _checked(archive: Path, members: Iterator[_Member]) -> Iterator[_Member]:
    """The members, but for those of macOS; DataError at the first that would do harm."""
    seen: set[PurePosixPath] = set()
    total, limit = 0, EXPANSION * archive.stat().st_size + _ENTRY
    for member in members:
        path = PurePosixPath(member.name)
        total += max(member.size, _ENTRY)
        trouble = member.trouble
        if path.is_absolute() or ".." in path.parts or re.search(r"[\\:\0]", member.name):
            trouble = "would be unpacked outside of its folder"
        elif path in seen and not member.is_folder:
            trouble = "is there twice"
        if not trouble and total > limit:
            trouble = (
                f"brings it to {total} bytes, more than {EXPANSION} times those of the archive"
            )
        if trouble:
            raise DataError(
                f"{archive}: its member {member.name!r} {trouble}; nothing was unpacked"
            )
        seen.add(path)
        if _IGNORED not in path.parts:
            yield member
