"""NumPy's .npz archives, read as data of bounded size."""

import math
import os
import zipfile
from typing import IO

import numpy as np

from gaitjax.errors import DataError
from gaitjax.untrusted import archives, reading

_KINDS = "biufU"  # of elements: numbers and texts, nothing that unpickles
_HEADER = 10_000  # bytes


def load(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """The arrays of the file by name; each member's checksum is verified.

    Raises:
      DataError: no ordinary file, or unreadable; no archive of arrays of numbers and texts, or a
        damaged one; it would unpack to more than 200 times its size.
    """
    reading.check_plain(path)
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            archives.check_expansion(path, members)
            return {
                member.filename.removesuffix(".npy"): _array(archive, member) for member in members
            }
    except DataError:
        raise
    except OSError as error:
        if error.errno:
            raise reading.unreadable(path, error) from error
        raise _damaged(path, error) from error
    except Exception as error:  # whatever a malformed archive provokes
        raise _damaged(path, error) from error


def load_array(path: str | os.PathLike) -> np.ndarray:
    """The array of an .npy file.

    Raises:
      DataError: no ordinary file, or unreadable; no array of numbers and texts, or damaged.
    """
    size = reading.check_plain(path)
    try:
        with open(path, "rb") as file:
            return _read_array(file, os.path.basename(path), size)
    except OSError as error:
        raise reading.unreadable(path, error) from error
    except Exception as error:  # whatever a malformed file provokes
        reason = (str(error) or type(error).__name__)[:200]
        raise DataError(f"{path}: no .npy of numbers, or damaged ({reason})") from error


def _damaged(path, error: Exception) -> DataError:
    reason = (str(error) or type(error).__name__)[:200]
    return DataError(f"{path}: no .npz of arrays, or damaged ({reason}); copy it again")


def _array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> np.ndarray:
    with archive.open(member) as file:
        return _read_array(file, member.filename, member.file_size)


def _read_array(file: IO[bytes], name: str, stored: int) -> np.ndarray:
    """The array of an open .npy file of `stored` bytes; ValueError for what it cannot be."""
    version = np.lib.format.read_magic(file)
    read = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }[version]
    shape, fortran, dtype = read(file, max_header_size=_HEADER)
    if dtype.kind not in _KINDS or dtype.itemsize == 0:
        raise ValueError(f"{name[:80]} holds elements of type {dtype.str[:20]}")
    if not all(0 <= length < 2**48 for length in shape) or len(shape) > 32:
        raise ValueError(f"{name[:80]} has a shape that is none")
    size = math.prod(shape) * dtype.itemsize
    if size > stored:  # before anything of that size is made
        raise ValueError(f"{name[:80]} is shorter than its shape {shape}")
    data = bytearray(file.read())
    if len(data) != size:
        raise ValueError(f"{name[:80]} has {len(data)} bytes for its shape {shape}")
    return np.ndarray(shape, dtype, data, order="F" if fortran else "C")
