"""Clips of a data set on the devices: packed poses, and images streamed from disk.

A batch is asked for by sequence rows and frame indices; where the poses live (on every
device, or on the host when they exceed the budget) does not change its content.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import numpy as np
from jax.sharding import Mesh
from ml_collections import ConfigDict

from gaitjax import sharding
from gaitjax.data import images, listing, packing, partitions, walkers


class Feed(NamedTuple):
    """One split of a data set, ready to be batched.

    Attributes:
      labels, types, views: (S,) str, in data-set order.
      lengths: (S,) int32 frames.
      frames: (F, V, 3) poses of all sequences on every device; None if not resident.
      clips: (rows (N,), frame indices (N, T)) -> dict of host arrays for a batch.
      poses: row -> its poses (T, V, 3) on the host; None if the modality has none.
      about: one line on what lives where.
    """

    labels: np.ndarray
    types: np.ndarray
    views: np.ndarray
    lengths: np.ndarray
    frames: jax.Array | None
    clips: Callable[[np.ndarray, np.ndarray], dict[str, np.ndarray]]
    poses: Callable[[int], np.ndarray] | None
    about: str


def open_feed(config: ConfigDict, split: str, mesh: Mesh) -> Feed:
    """The train or test split of `config.data`; without a root, walkers are made.

    Raises:
      DataError: see `gaitjax.data.packing` and `gaitjax.data.images`.
    """
    data, modality = _with_root(config.data), config.data.modality.split("+")
    where = partitions.open_split(data, split)
    packed = clips_of_images = frames = None
    about = []
    if "pose" in modality:
        packed = packing.load(
            where,
            data.joints,
            config.model.joints,
            impute=data.impute_test if split == "test" and data.impute_test else data.impute,
            modality=data.modality,
            cache_dir=data.cache_dir,
        )
        size = packed.poses.nbytes / 2**20
        if size <= data.device_budget_gb * 1024:
            frames = sharding.put(packed.poses, sharding.replicated(mesh))
        kept = "on each device" if frames is not None else "on the host"
        about.append(f"{size:.0f} MiB of float32 poses {kept}")
    if modality != ["pose"]:
        listed = listing.scan(where)
        files = images.image_files(listed, data.modality)
        files = {part: paths for part, paths in files.items() if part != "poses"}
        lengths = packed.lengths if packed else images.frame_counts(next(iter(files.values())))
        clips_of_images = images.ImageClips(files, lengths, data.image_cache_gb)
        about.append(f"{' and '.join(files)} read from disk")

    def clips(rows: np.ndarray, windows: np.ndarray) -> dict[str, np.ndarray]:
        batch = {}
        if packed is not None:
            index = packed.offsets[rows][:, None] + windows
            batch = {"index": index} if frames is not None else {"poses": packed.poses[index]}
        return batch | (clips_of_images(rows, windows) if clips_of_images else {})

    def poses(row: int) -> np.ndarray:
        start = packed.offsets[row]
        return packed.poses[start : start + packed.lengths[row]]

    of = packed or listed
    return Feed(
        of.labels,
        of.types,
        of.views,
        packed.lengths if packed else lengths,
        frames,
        clips,
        poses if packed else None,
        ", ".join(about),
    )


def _with_root(data: ConfigDict) -> ConfigDict:
    """`data`, with synthetic walkers in the cache folder if it names them and no root."""
    if data.name != "walkers" or data.root:
        return data
    data = data.copy_and_resolve_references()
    data.root = str(walkers.generate(packing.cache_folder(data.cache_dir) / "walkers"))
    return data
