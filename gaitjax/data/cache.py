"""The cache file of a packed split: written whole, memory-mapped, checked at each start.

One file: the .npy of the poses, those of the small arrays, zeros to a multiple of 8 bytes,
the sum of all 64-bit words before. It is written under a temporary name and moved into
place, so that any number of processes may read, build and replace it at once.

Whether the data set changed is decided by looking at it: the cache lists every folder and
file it came from with size and modification time, and each start asks the file system for
all of them (about 6 us a sequence, half of what listing the folders anew takes: 0.6 s for
100,000 sequences on a local disk). Any file added, removed or rewritten is always noticed,
which times of the outer folders alone would not give. The price is paid on network disks,
where each of these questions is a round trip: copy the poses to a local disk first.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gaitjax import files
from gaitjax.data.listing import stamp

VERSION = 2  # raise when what is stored, or how it is computed, changes
_BLOCK = 2**24  # bytes, of whole words
_SMALL = ("offsets", "lengths", "labels", "types", "views")


@dataclass(frozen=True)
class Packed:
    """Every sequence of a split, one after the other.

    Attributes:
      poses: (F, V, 3) float32: x, y in pixels (y down), confidence; maybe memory-mapped.
      offsets: (S,) int64, first row of each sequence in `poses`.
      lengths: (S,) int32, frames of each sequence.
      labels, types, views: (S,) str, in data-set order.
    """

    poses: np.ndarray
    offsets: np.ndarray
    lengths: np.ndarray
    labels: np.ndarray
    types: np.ndarray
    views: np.ndarray

    @property
    def num_joints(self) -> int:
        return self.poses.shape[1]


def write(path: Path, sequences: list[np.ndarray], small: dict, stamps: dict) -> None:
    """Writes a packed split.

    Args:
      sequences: poses (T, V, 3) float32 of each.
      small: the other arrays of `Packed`, by name.
      stamps: as of `gaitjax.data.listing.Listing`.
    """
    names = np.frombuffer("\0".join(stamps).encode("utf-8", "surrogateescape"), np.uint8)
    arrays = [small[name] for name in _SMALL] + [names, np.array(list(stamps.values()), np.int64)]
    shape = (int(small["lengths"].sum()), *sequences[0].shape[1:])
    with files.whole(path) as temporary, open(temporary, "x+b") as file:
        header = dict(descr="<f4", fortran_order=False, shape=shape)
        np.lib.format.write_array_header_1_0(file, header)
        for sequence in sequences:
            file.write(sequence.data)
        for array in arrays:
            np.save(file, array, allow_pickle=False)
        file.write(bytes(-file.tell() % 8))
        file.seek(0)
        total = np.zeros(1, np.uint64)
        while block := file.read(_BLOCK):  # not mapped: its pages would count as our memory
            total += np.frombuffer(block, np.uint64).sum(dtype=np.uint64)
        file.write(total.tobytes())


def read(path: Path, root: Path | None = None) -> Packed | None:
    """The cached split; None if there is none, it is damaged or no longer what `root` holds."""
    try:
        with open(path, "rb") as file:  # opened once: another process may replace it
            words = np.memmap(file, np.uint64, "r")
            if words[:-1].sum(dtype=np.uint64) != words[-1]:
                return None
            file.seek(0)
            np.lib.format.read_magic(file)
            shape, _, dtype = np.lib.format.read_array_header_1_0(file)
            poses = np.memmap(file, dtype, "r", file.tell(), shape)
            file.seek(poses.offset + poses.nbytes)
            small = {name: np.load(file, allow_pickle=False) for name in _SMALL}
            names, stamps = (np.load(file, allow_pickle=False) for _ in range(2))
        if root is not None:
            paths = names.tobytes().decode("utf-8", "surrogateescape").split("\0")
            prefix = os.fspath(root) + "/"
            now = [stamp(prefix + path) for path in paths]
            if not np.array_equal(now, stamps):
                return None
    except (OSError, ValueError, EOFError):
        return None
    return Packed(poses, **small)
