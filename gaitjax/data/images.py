"""Image sequences that stay on disk, read in the background.

What is read at a step is a pure function of the sequences and frames drawn for it. Neither
the cache nor the threads change a batch, only when it is ready. Layout: OpenGait's, with
maps (T, 2, 64, 64) uint8 and silhouettes (T, 64, 64 or 44) uint8, one pickle each.
"""

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from gaitjax.data.listing import Listing
from gaitjax.errors import DataError
from gaitjax.untrusted import safe_pickle

THREADS = 8  # files read at once
_PICKLE_OVERHEAD = 1024  # a pickled array is its numbers and at most this many bytes


def image_files(listed: Listing, modality: str) -> dict[str, list[Path]]:
    """The files of each part of `modality`: {"maps": (S,), "silhouettes": (S,)} paths.

    A folder's files are taken in sorted order for the parts in the order of the
    modality's name, such as 0_heatmap.pkl and 1_sil.pkl for "map+silhouette"; more files
    are ignored. SUSTech1K's folders of 16 say which file is the pose (section 10.3) but not
    which silhouettes go with it: link the two of them into a folder of their own.

    Raises:
      DataError: a folder with fewer files than parts.
    """
    parts = modality.split("+")
    for files in listed.files:
        if len(files) < len(parts):
            folder = listed.root / os.path.dirname(files[0])
            raise DataError(
                f"{folder}: found {len(files)} .pkl file ({os.path.basename(files[0])}), expected "
                f"{len(parts)} for data.modality={modality}: {' and '.join(parts)}, in sorted order"
            )
    return {
        f"{part}s": [listed.root / files[i] for files in listed.files]
        for i, part in enumerate(parts)
    }


def frame_counts(files: Sequence[str | os.PathLike]) -> np.ndarray:
    """Frames of each sequence, (S,) int32, for files whose frames have one shape and type.

    Told from the sizes of the files where that is certain, as tens of gigabytes would have
    to be read otherwise; `ImageClips` checks each count when it reads the file.
    """
    first = safe_pickle.load(files[0])
    frame_bytes = first[0].nbytes if first.ndim and len(first) else 0
    overhead = os.stat(files[0]).st_size - first.nbytes
    if min(frame_bytes - 1, _PICKLE_OVERHEAD) > overhead:
        counts, rest = np.divmod([os.stat(f).st_size for f in files], frame_bytes)
        unclear = np.flatnonzero((rest > _PICKLE_OVERHEAD) | (counts == 0))
    else:
        counts, unclear = np.zeros(len(files), np.int64), np.arange(len(files))
    with ThreadPoolExecutor(THREADS) as pool:
        counts[unclear] = list(pool.map(lambda i: len(safe_pickle.load(files[i])), unclear))
    return counts.astype(np.int32)


class ImageClips:
    """Frames of maps and silhouettes on disk, by sequence and frame.

    Decoded sequences are kept, the least recently used ones dropped first, within
    `cache_gb`. Instances may be called from several threads.
    """

    def __init__(
        self,
        files: Mapping[str, Sequence[str | os.PathLike]],
        lengths: np.ndarray,
        cache_gb: float = 4.0,
    ):
        """
        Args:
          files: "maps" and/or "silhouettes" -> (S,) paths.
          lengths: (S,) frames that each sequence has in every part.
          cache_gb: bound of the cache in GiB.
        """
        self._files = dict(files)
        self._lengths = lengths
        self._cache = _Cache(int(cache_gb * 2**30))

    def __call__(self, rows: np.ndarray, frames: np.ndarray) -> dict[str, np.ndarray]:
        """The frames (N, T) of the sequences `rows` (N,).

        Returns:
          "maps" (N, T, 64, 64, 2) and/or "silhouettes" (N, T, H, W), both uint8.

        Raises:
          DataError: names the file that cannot be read, has another shape, type or size
            than expected, or another number of frames than the rest of its sequence.
        """
        rows, frames = np.asarray(rows), np.asarray(frames)
        with ThreadPoolExecutor(THREADS, thread_name_prefix="images") as pool:
            return {part: self._part(pool, part, rows, frames) for part in self._files}

    def _part(self, pool, part: str, rows: np.ndarray, frames: np.ndarray) -> np.ndarray:
        unique, members = np.unique(rows, return_inverse=True)

        def take(i: int) -> np.ndarray:
            path = self._files[part][unique[i]]
            sequence = self._cache.get(path, lambda: _read(path, part))
            self._check_length(part, unique[i], len(sequence))
            return sequence[frames[members == i]]

        taken = list(pool.map(take, range(len(unique))))
        size = taken[0].shape[2:]
        clips = np.empty((*frames.shape, *size), np.uint8)
        for i, clip in enumerate(taken):
            if clip.shape[2:] != size:
                raise DataError(
                    f"{self._files[part][unique[i]]}: {_size(clip)} pixels, but "
                    f"{self._files[part][unique[0]]} has {_size(taken[0])}; all {part} of a data "
                    "set must have one size"
                )
            clips[members == i] = clip
        return np.moveaxis(clips, 2, -1) if part == "maps" else clips

    def _check_length(self, part: str, row: int, found: int) -> None:
        expected = int(self._lengths[row])
        if found != expected:
            others = ", ".join(str(f[row]) for p, f in self._files.items() if p != part)
            raise DataError(
                f"{self._files[part][row]}: {found} frames, expected {expected}"
                + (f" as in {others}" if others else "")
                + "; the parts of a sequence must hold the same frames one by one. Make them "
                "again from the same images, or take the sequence out of the partition"
            )


def _size(clip: np.ndarray) -> str:
    return " x ".join(str(n) for n in clip.shape[-2:])


def _read(path: str | os.PathLike, part: str) -> np.ndarray:
    """The sequence in `path`, checked: (T, 2, H, W) maps or (T, H, W) silhouettes, uint8."""
    sequence = safe_pickle.load(path)
    good = sequence.ndim == 4 and sequence.shape[1] == 2 if part == "maps" else sequence.ndim == 3
    if not good or sequence.dtype != np.uint8 or not sequence.size:
        expected = "(frames, 2, 64, 64)" if part == "maps" else "(frames, 64, 64 or 44)"
        raise DataError(
            f"{path}: {sequence.dtype} {sequence.shape}; expected {part}, uint8 {expected}. With "
            "several files in a folder they are taken in sorted order: 0_heatmap.pkl, 1_sil.pkl"
        )
    return sequence


class _Cache:
    """Arrays by key, within `limit` bytes, the least recently used dropped first."""

    def __init__(self, limit: int):
        self._limit = limit
        self._arrays: OrderedDict[object, np.ndarray] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, key, load: Callable[[], np.ndarray]) -> np.ndarray:
        with self._lock:
            if key in self._arrays:
                self._arrays.move_to_end(key)
                return self._arrays[key]
        array = load()  # outside the lock: two threads may read one file, to the same effect
        with self._lock:
            if key not in self._arrays and array.nbytes <= self._limit:
                self._arrays[key] = array
                self._bytes += array.nbytes
            while self._bytes > self._limit:
                self._bytes -= self._arrays.popitem(last=False)[1].nbytes
        return array
