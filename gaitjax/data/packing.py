"""All poses of a split in one array: read once, kept in a cache file, memory-mapped later.

The cache of a split is one file: the .npy of the poses, those of the small arrays, zeros to
a multiple of 8 bytes, the sum of all 64-bit words before. It is written under a temporary
name and moved into place, so that any number of processes may read, build and replace it
at once.

Whether the data set changed is decided by looking at it: the cache lists every folder and
file it came from with size and modification time, and each start asks the file system for
all of them (about 6 us a sequence, half of what listing the folders anew takes: 0.6 s for
100,000 sequences on a local disk). Any file added, removed or rewritten is always noticed,
which times of the outer folders alone would not give. The price is paid on network disks,
where each of these questions is a round trip: copy the poses to a local disk first.
"""

import contextlib
import hashlib
import json
import os
import sys
import time
import uuid
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from ml_collections import ConfigDict
from tqdm import tqdm

from gaitjax.data import builders, imputation, partitions
from gaitjax.errors import DataError
from gaitjax.skeleton import TO_COCO, joint_format
from gaitjax.untrusted import safe_pickle

_VERSION = 2  # raise when what is stored, or how it is computed, changes
_MAX_PROBLEMS = 5  # unusable files collected before giving up
_IMPUTE = {
    "none": lambda poses: poses,
    "frame_mean": imputation.frame_mean,
    "interpolate": imputation.interpolate,
    "knn": imputation.knn,
}


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


@dataclass(frozen=True)
class Index:
    """Where the sequences of a split lie, in data-set order.

    Attributes:
      root: folder of the data set.
      labels, types, views: (S,) str.
      files: for each sequence its sorted .pkl files, relative to `root`.
      stamps: (size, modification time in ns) of all folders and files, by path from `root`.
    """

    root: Path
    labels: np.ndarray
    types: np.ndarray
    views: np.ndarray
    files: tuple[tuple[str, ...], ...]
    stamps: dict[str, tuple[int, int]]


def scan(data: ConfigDict, split: str) -> Index:
    """List `root/<id>/<type>/<view>/*.pkl`: ids in partition order, the rest sorted.

    Raises:
      DataError: as `partitions.split_ids`; an identity without sequences, a view folder
        without .pkl files; a set of tensorflow-datasets, which has no files of sequences.
    """
    if data.name.startswith(builders.PREFIX):
        raise DataError(
            f"{data.name} (data.name) holds poses alone: give the prepared folder for "
            f"data.modality={data.modality}, or set data.modality=pose"
        )
    return _scan(partitions.check_root(data), partitions.split_ids(data, split))


def load(data: ConfigDict, split: str, joints: str | None = None) -> Packed:
    """Poses of a split, from the cache or, the first time, from the files or records.

    Args:
      data: `config.data`.
      split: "train" or "test".
      joints: format to give the poses in; default `data.joints`. 18-joint files can be
        given as the 17 joints of coco, by dropping the neck.

    Raises:
      DataError: as `scan`; another number of files in a folder than `data.modality` has
        parts; files that are no (T, V, 3) pose of finite numbers with the joints of
        `data.joints`.
    """
    if split == "test" and data.impute_test:
        data = data.copy_and_resolve_references()
        data.impute = data.impute_test
    if data.modality.split("+")[0] != "pose":
        raise DataError(f"data.modality is {data.modality!r}; only poses are packed")
    if data.impute not in _IMPUTE:
        raise DataError(f"data.impute is {data.impute!r}; known: {', '.join(_IMPUTE)}")
    root, ids = partitions.check_root(data), partitions.split_ids(data, split)
    source, target = joint_format(data.joints), joint_format(joints or data.joints)
    if (source.num_joints, target.num_joints) == (17, 18):
        raise DataError(
            f"the poses are in format {source.name} (data.joints) with 17 joints, the model "
            f"works on {target.name} with 18, and the neck cannot be made up"
        )
    facts = [_VERSION, data.name, os.path.realpath(root), split, ids, data.modality]
    facts += [source.num_joints, target.num_joints, data.impute]
    digest = hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]
    folder = cache_folder(data)
    cache = folder / f"{data.name.replace(':', '-')}-{split}-{digest}.poses"
    if cached := _read_cache(cache, root):
        return cached
    if data.name.startswith(builders.PREFIX):
        from gaitjax.data.builders import common

        index, read = common.read(data, root, split)
    else:
        index = _scan(root, ids)
        read = partial(file_poses, data, index)
    count = len(index.labels)
    sequences = _read_all(data, count, read, source.num_joints, target.num_joints)
    lengths = np.array([len(s) for s in sequences], np.int32)
    small = dict(
        offsets=np.cumsum(lengths, dtype=np.int64) - lengths,
        lengths=lengths,
        labels=index.labels,
        types=index.types,
        views=index.views,
    )
    try:
        _write_cache(cache, sequences, small, index.stamps)
        packed = _read_cache(cache)
    except OSError as error:
        warnings.warn(
            f"{folder} (data.cache_dir): cannot keep the packed poses there ({error.strerror}); "
            "they are read anew at each start",
            stacklevel=2,
        )
        packed = None
    return packed or Packed(np.concatenate(sequences), **small)


def cache_folder(data: ConfigDict) -> Path:
    """Where `config.data` keeps what it makes: `data.cache_dir`, else ~/.cache/gaitjax."""
    return Path(data.cache_dir or "~/.cache/gaitjax").expanduser()


def _scan(root: Path, ids: Iterable[str]) -> Index:
    rows, files, stamps = [], [], {}

    def children(path: str) -> list[str]:
        # The stamp is taken first: a change after it is noticed at the next start.
        stamps[path] = stamp(root / path)
        with os.scandir(root / path) as entries:
            return sorted(e.name for e in entries if e.is_dir() and not e.name.startswith("."))

    def sequence(folder: str) -> tuple[str, ...]:
        stamps[folder] = stamp(root / folder)
        with os.scandir(root / folder) as entries:
            names = sorted(e.name for e in entries if not e.name.startswith("."))
        paths = tuple(f"{folder}/{name}" for name in names if name.endswith(".pkl"))
        if not paths:
            raise DataError(
                f"{root / folder}: no .pkl file, found {len(names)} other entries; put the "
                "sequence there or remove the folder"
            )
        stamps.update((path, stamp(root / path)) for path in paths)
        return paths

    try:
        for label in ids:
            before = len(rows)
            for kind in children(label):
                for view in children(f"{label}/{kind}"):
                    files.append(sequence(f"{label}/{kind}/{view}"))
                    rows.append((label, kind, view))
            if len(rows) == before:
                raise DataError(
                    f"{root / label}: no sequence in it; expected <type>/<view>/*.pkl. Put the "
                    "identity's sequences there or take it out of the partition"
                )
    except OSError as error:
        raise DataError(f"{error.filename}: cannot be read: {error.strerror}") from error
    labels, types, views = (np.array(column) for column in zip(*rows, strict=True))
    return Index(root, labels, types, views, tuple(files), stamps)


def stamp(path: str | os.PathLike) -> tuple[int, int]:
    """Size and modification time, by which a change of a file or folder is noticed."""
    status = os.stat(path)
    return status.st_size, status.st_mtime_ns


def file_poses(data: ConfigDict, index: Index, row: int) -> tuple[np.ndarray, Path]:
    """One sequence as it is in its file, unchecked, and the file."""
    path = index.root / _pose_file(data, index.root, index.files[row])
    return safe_pickle.load(path), path


def _read_all(
    data: ConfigDict,
    count: int,
    read: Callable[[int], tuple[np.ndarray, str | Path]],
    have: int,
    want: int,
) -> list[np.ndarray]:
    """The poses of each sequence, checked, with `want` joints and imputed."""

    def prepare(row: int) -> np.ndarray | DataError:
        try:
            poses, name = read(row)
            return network_poses(poses, name, data.joints, have, want, data.impute)
        except DataError as error:
            return error

    sequences, problems = [], []
    pool = ThreadPoolExecutor(min(16, 2 * (os.cpu_count() or 1)))
    try:
        results = pool.map(prepare, range(count))
        for result in _progress(results, count, f"reading {data.name}"):
            (problems if isinstance(result, DataError) else sequences).append(result)
            if len(problems) == _MAX_PROBLEMS:
                break
    finally:
        pool.shutdown(cancel_futures=True)
    if problems:
        first = str(problems[0])
        rest = "".join(f"\n{p}" for p in problems[1:])
        raise DataError(first + rest) from problems[0]
    return sequences


def _pose_file(data: ConfigDict, root: Path, files: tuple[str, ...]) -> str:
    """The first file, of as many as the modality has parts; the fourth of SUSTech1K's 16."""
    parts, candidates = data.modality.split("+"), files
    expected = f"{len(parts)} .pkl for data.modality={data.modality}"
    if data.name == "sustech1k" and parts == ["pose"] and len(files) > 1:
        candidates = tuple(f for f in files if os.path.basename(f).startswith("03"))
        expected = "one 03-*.pkl, the pose"
    if len(candidates) != len(parts):
        found = ", ".join(map(os.path.basename, files[:3])) + (", ..." if len(files) > 3 else "")
        raise DataError(f"{root / os.path.dirname(files[0])}: found {found}; expected {expected}")
    return candidates[0]


def network_poses(
    poses: np.ndarray, name: str | Path, joints: str, have: int, want: int, impute: str
) -> np.ndarray:
    """One sequence as networks take it: checked, with `want` joints, imputed.

    Args:
      poses: (T, have, 3) x, y in pixels, confidence, in joint format `joints`.
      name: what errors call the sequence.
      want: 17 also takes the 17 joints of coco out of 18.
      impute: a key of `_IMPUTE`.

    Returns:
      (T, want, 3) float32, contiguous.
    """
    poses = _checked(poses, name, joints, have)
    if have != want:
        poses = poses[:, TO_COCO]
    return np.ascontiguousarray(_IMPUTE[impute](poses), np.float32)


def _checked(poses: np.ndarray, path: str | Path, joints: str, count: int) -> np.ndarray:
    """`poses` as float32; DataError unless it is (T, count, 3), T > 0, finite."""
    if poses.ndim != 3 or poses.shape[2] != 3:
        raise DataError(
            f"{path}: shape {poses.shape}; expected (frames, {count}, 3): x, y, confidence"
        )
    if poses.shape[1] != count:
        raise DataError(
            f"{path}: {poses.shape[1]} joints; format {joints} (data.joints) has {count}. Set "
            f"data.joints to the format of the files: coco has 17, alphapose and openpose 18"
        )
    if not len(poses):
        raise DataError(f"{path}: no frames in it; remove the folder or write the sequence again")
    with np.errstate(over="ignore"):
        poses = poses.astype(np.float32)
    if not np.isfinite(poses).all():
        frame, joint, channel = np.argwhere(~np.isfinite(poses))[0]
        raise DataError(
            f"{path}: {poses[frame, joint, channel]} at frame {frame}, joint {joint}, channel "
            f"{channel}; write missed joints as (0, 0, 0)"
        )
    return poses


def _progress(items: Iterable, total: int, what: str) -> Iterator:
    """A bar on a terminal; elsewhere a plain line every half minute."""
    if sys.stderr.isatty():
        yield from tqdm(items, total=total, desc=what, unit="seq", leave=False)
        return
    last = time.monotonic()
    for done, item in enumerate(items):
        yield item
        if time.monotonic() - last > 30:
            last = time.monotonic()
            print(f"{what}: {done + 1} of {total} sequences", file=sys.stderr, flush=True)


_SMALL = ("offsets", "lengths", "labels", "types", "views")


def _write_cache(path: Path, sequences: list, small: dict, stamps: dict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    names = np.frombuffer("\0".join(stamps).encode("utf-8", "surrogateescape"), np.uint8)
    arrays = [small[name] for name in _SMALL] + [names, np.array(list(stamps.values()), np.int64)]
    temporary = path.with_name(f"{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        with open(temporary, "x+b") as file:
            header = dict(
                descr="<f4",
                fortran_order=False,
                shape=(int(small["lengths"].sum()), *sequences[0].shape[1:]),
            )
            np.lib.format.write_array_header_1_0(file, header)
            for sequence in sequences:
                file.write(sequence)
            for array in arrays:
                np.save(file, array, allow_pickle=False)
            file.write(bytes(-file.tell() % 8))
            file.flush()
            words = np.memmap(file, np.uint64, "r")
            file.write(words.sum(dtype=np.uint64).tobytes())
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def _read_cache(path: Path, root: Path | None = None) -> Packed | None:
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
