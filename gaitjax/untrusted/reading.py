"""The bytes of a stranger's file: an ordinary one, of bounded size."""

import os
import stat

from gaitjax.errors import DataError


def check_plain(path: str | os.PathLike) -> int:
    """Size of a file in bytes; DataError for what opening might hang on, such as a pipe."""
    try:
        status = os.stat(path)
    except OSError as error:
        raise unreadable(path, error) from error
    if not stat.S_ISREG(status.st_mode):
        raise DataError(f"{path}: not an ordinary file")
    return status.st_size


def read(path: str | os.PathLike, limit: int | None = None) -> bytes:
    """The bytes of `path`.

    Raises:
      DataError: no ordinary file, larger than `limit` bytes, or unreadable; then its
        cause is the OSError.
    """
    size = check_plain(path)
    if limit is not None and size > limit:
        raise DataError(
            f"{path}: {size / 2**20:.1f} MiB; files of this kind are refused above "
            f"{limit / 2**20:.2g} MiB"
        )
    try:
        with open(path, "rb") as file:
            return file.read(size)
    except OSError as error:
        raise unreadable(path, error) from error


def unreadable(path: str | os.PathLike, error: OSError) -> DataError:
    """What to raise for a file that the system does not give."""
    return DataError(f"{error.filename or path}: cannot be read: {error.strerror or error}")
