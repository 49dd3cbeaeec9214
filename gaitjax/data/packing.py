"""All poses of a split in one array: read once, kept in a cache file, memory-mapped later."""

import hashlib
import json
import os
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np

from gaitjax import files, progress
from gaitjax.command import host_memory
from gaitjax.data import cache, listing, poses, records, sets
from gaitjax.data.cache import Packed
from gaitjax.data.listing import Listing
from gaitjax.data.partitions import Split
from gaitjax.errors import DataError
from gaitjax.skeleton import ALPHAPOSE, COCO, JointFormat, joint_format
from gaitjax.untrusted import safe_pickle

_MAX_PROBLEMS = 5  # unusable files collected before giving up


def load(
    split: Split,
    have: str,
    want: str = "",
    *,
    impute: str = "none",
    modality: str = "pose",
    cache_dir: str = "",
    listed: Listing | None = None,
) -> Packed:
    """Poses of a split, from the cache or, the first time, from the files or records.

    Args:
      have: joint format of the files (`data.joints`).
      want: format to give the poses in (`gaitjax.skeleton.convert`); default `have`.
      impute, modality, cache_dir: as in `config.data`.
      listed: `listing.scan` of the split, if it is known; it takes a while.

    Raises:
      DataError: as `listing.scan`; another number of files in a folder than `modality` has
        parts; files that are no (T, V, 3) pose of finite numbers with the joints of `have`;
        joints of `want` that `have` lacks.
    """
    if modality.split("+")[0] != "pose":
        raise DataError(f"data.modality is {modality!r}; only poses are packed")
    if impute not in poses.IMPUTE:
        raise DataError(f"data.impute is {impute!r}; known: {', '.join(poses.IMPUTE)}")
    source, target = joint_format(have), joint_format(want or have)
    poses.check_conversion(source, target)
    path = _cache_path(cache_folder(cache_dir), split, modality, source, target, impute)
    if cached := cache.read(path, split.root):
        return cached
    if split.name.startswith(sets.PREFIX):
        listed, read_record = records.read(split.root, split.name, split.side)
        read: Callable[[int], tuple[np.ndarray, str | Path]] = read_record
    else:
        listed = listed or listing.scan(split)
        read = partial(read_file, listed, name=split.name, modality=modality)

    count = len(listed.labels)

    def prepared(row: int) -> np.ndarray | DataError:
        try:
            return poses.for_network(*read(row), source, target, impute)
        except DataError as error:
            return error

    sequences = _read_all(prepared, count, f"reading {split.name}")
    lengths = np.array([len(s) for s in sequences], np.int32)
    small = dict(
        offsets=np.cumsum(lengths, dtype=np.int64) - lengths,
        lengths=lengths,
        labels=listed.labels,
        types=listed.types,
        views=listed.views,
    )
    try:
        cache.write(path, sequences, small, listed.stamps)
    except OSError as error:
        warnings.warn(
            f"{path.parent} (data.cache_dir): cannot keep the packed poses there "
            f"({error.strerror}); they are read anew at each start",
            stacklevel=2,
        )
        return Packed(np.concatenate(sequences), **small)
    del sequences  # the file is mapped in their place
    host_memory.give_back()
    # Another process may have replaced or removed it in between.
    return cache.read(path) or load(
        split, have, want, impute=impute, modality=modality, cache_dir=cache_dir, listed=listed
    )


def read_file(listed: Listing, row: int, name: str, modality: str) -> tuple[np.ndarray, Path]:
    """One sequence as it is in its file, unchecked, and the file; `name` of the data set."""
    try:
        path = listed.root / listing.pose_file(name, listed.files[row], modality)
    except DataError as error:
        raise DataError(f"{listed.root}/{error}") from None
    return safe_pickle.load(path), path


def cache_folder(cache_dir: str = "") -> Path:
    """Where what is made is kept: `data.cache_dir`, else ~/.cache/gaitjax."""
    return files.expanded(cache_dir or "~/.cache/gaitjax")


def _cache_path(
    folder: Path,
    split: Split,
    modality: str,
    have: JointFormat,
    want: JointFormat,
    impute: str,
) -> Path:
    """The cache of these poses: another file for anything that changes them."""
    facts = [cache.VERSION, split.name, os.path.realpath(split.root), split.side, split.ids]
    facts += [modality, _layout(have), _layout(want), impute]
    digest = hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]
    return folder / f"{split.name.replace(':', '-')}-{split.side}-{digest}.poses"


def _layout(fmt: JointFormat) -> int | str:
    """What a cache's name calls a format: the two of version 0.1.0 by their joints' number."""
    return fmt.num_joints if fmt.joints in (COCO.joints, ALPHAPOSE.joints) else fmt.name


def _read_all(
    prepared: Callable[[int], np.ndarray | DataError], count: int, what: str
) -> list[np.ndarray]:
    """The poses of each sequence; one DataError of the first few that cannot be used."""
    sequences, problems = [], []
    pool = ThreadPoolExecutor(min(16, 2 * (os.cpu_count() or 1)))
    try:
        results = pool.map(prepared, range(count))
        for result in progress.each(results, count, what):
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
