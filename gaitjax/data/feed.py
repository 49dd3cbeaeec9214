"""Clips of a data set on the devices: packed poses, and images streamed from disk.

A batch is asked for by sequence rows and frame indices; where the poses live (on every
device, or on the host when they exceed the budget) does not change its content.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding
from ml_collections import ConfigDict

from gaitjax import sharding
from gaitjax.data import familiar, images, listing, packing, partitions, walkers
from gaitjax.data.cache import Packed

Images = Callable[[np.ndarray, np.ndarray], dict[str, np.ndarray]]


@dataclass(frozen=True, eq=False)
class Feed:
    """One split of a data set, ready to be batched; made by `open` or `in_memory`.

    Attributes:
      labels, types, views: (S,) str, in data-set order.
      lengths: (S,) int32 frames.
      frames: (F, V, 3) poses of all sequences on every device; None if not resident.
      about: one line on what lives where.
      probe: Gait3D's probes, as the partition lists them.
    """

    labels: np.ndarray
    types: np.ndarray
    views: np.ndarray
    lengths: np.ndarray
    frames: jax.Array | None
    about: str
    _poses: np.ndarray | None  # (F, V, 3) on the host; None if the modality has none
    _images: Images | None  # (rows (N,), frame indices (N, T)) -> clips of maps, silhouettes
    probe: tuple[str, ...] = ()

    @classmethod
    def open(cls, config: ConfigDict, split: str, mesh: Mesh, known: dict | None = None) -> "Feed":
        """The train or test split of `config.data`; without a root, walkers are made.

        Args:
          known: with `data.rescale`, what the poses are brought to (`gaitjax.data.familiar`);
            default: to what they are themselves like in the middle.

        Raises:
          DataError: see `gaitjax.data.packing` and `gaitjax.data.images`.
        """
        data, modality = _with_root(config.data), config.data.modality.split("+")
        where = partitions.open_split(data, split)
        packed = clips_of_images = frames = None
        listed = None if modality == ["pose"] else listing.scan(where)
        about = []
        if "pose" in modality:
            packed = packing.load(
                where,
                data.joints,
                config.model.joints,
                impute=data.impute_test if split == "test" and data.impute_test else data.impute,
                modality=data.modality,
                cache_dir=data.cache_dir,
                listed=listed,
            )
            if data.rescale:
                packed = _fitted(packed, known, data.rescale)
            size = packed.poses.nbytes / 2**20
            if size <= data.device_budget_gb * 1024:
                frames = sharding.put(packed.poses, sharding.replicated(mesh))
            kept = "on each device" if frames is not None else "on the host"
            about.append(f"{size:.0f} MiB of float32 poses {kept}")
        if listed:
            files = images.image_files(listed, data.modality)
            files = {part: paths for part, paths in files.items() if part != "poses"}
            first = next(iter(files.values()))
            lengths = packed.lengths if packed else images.frame_counts(first)
            clips_of_images = images.ImageClips(files, lengths, data.image_cache_gb)
            about.append(f"{' and '.join(files)} read from disk")
        of, lengths = packed or listed, packed.lengths if packed else lengths
        assert of, "a modality has poses, or parts that are listed"
        poses = packed.poses if packed else None
        names = of.labels, of.types, of.views
        about = ", ".join(about)
        return cls(*names, lengths, frames, about, poses, clips_of_images, where.probe)

    @classmethod
    def in_memory(
        cls,
        parts: Mapping[str, Sequence[np.ndarray]],
        labels: Sequence[str] | None = None,
        mesh: Mesh | None = None,
    ) -> "Feed":
        """Sequences in memory as a data set.

        Args:
          parts: "poses", S arrays (T, V, 3) float32, "maps", S arrays (T, 64, 64, 2) uint8,
            and "silhouettes", S arrays (T, 64, W) uint8; at least one, of the same lengths.
          labels: S identities; default: each sequence is its own. Types and views are the
            sequences' numbers.
          mesh: where the poses are to be resident; default: they stay on the host.
        """
        others = {part: arrays for part, arrays in parts.items() if part != "poses"}

        def clips(rows: np.ndarray, windows: np.ndarray) -> dict[str, np.ndarray]:
            pairs = list(zip(rows, windows, strict=True))
            return {part: np.stack([a[row][w] for row, w in pairs]) for part, a in others.items()}

        lengths = np.array([len(a) for a in next(iter(parts.values()))], np.int32)
        numbers = np.arange(len(lengths)).astype(str)
        poses = np.concatenate(parts["poses"]) if "poses" in parts else None
        frames = None
        if mesh is not None and poses is not None:
            frames = sharding.put(poses, sharding.replicated(mesh))
        labels = numbers if labels is None else np.asarray(labels)
        read = clips if others else None
        return cls(labels, numbers, numbers, lengths, frames, "in memory", poses, read)

    def clips(self, rows: np.ndarray, windows: np.ndarray) -> dict[str, np.ndarray]:
        """Frames `windows` (N, T) of the sequences `rows` (N,), as host arrays.

        "index" (N, T) into `frames` where those are resident, else "poses" (N, T, V, 3);
        "maps" (N, T, 64, 64, 2) and "silhouettes" (N, T, 64, W) as the modality says.
        """
        batch = {}
        if self._poses is not None:
            index = self._offsets[rows][:, None] + windows
            batch = {"poses": self._poses[index]} if self.frames is None else {"index": index}
        return batch | (self._images(rows, windows) if self._images else {})

    @cached_property
    def knows(self) -> dict[str, list[float]] | None:
        """What its poses look like, see `gaitjax.data.familiar`; None without poses."""
        return familiar.measure(self.poses, len(self.lengths)) if self.has_poses else None

    @property
    def has_poses(self) -> bool:
        """Whether `poses` can be asked: not where the modality is maps."""
        return self._poses is not None

    def poses(self, row: int) -> np.ndarray:
        """The poses (T, V, 3) of one sequence, on the host."""
        assert self._poses is not None, "see has_poses"
        start = self._offsets[row]
        return self._poses[start : start + self.lengths[row]]

    def with_poses(self, poses: Callable[[int], np.ndarray]) -> "Feed":
        """The same sequences with other poses: row -> (T, V, 3) of the same shape."""
        assert self._poses is not None, "see has_poses"
        new = np.empty(self._poses.shape, np.float32)
        for row, start in enumerate(self._offsets):
            new[start : start + self.lengths[row]] = poses(row)
        if self.frames is None:
            return replace(self, _poses=new)
        where = self.frames.sharding
        assert isinstance(where, NamedSharding)
        return replace(self, _poses=new, frames=sharding.put(new, where))

    @cached_property
    def _offsets(self) -> np.ndarray:
        """First row of each sequence in the poses, (S,) int64."""
        return np.cumsum(self.lengths, dtype=np.int64) - self.lengths


def _fitted(packed: Packed, known: dict | None, how: str) -> Packed:
    """Every sequence brought to what is known, by default of themselves."""
    parts = [slice(o, o + n) for o, n in zip(packed.offsets, packed.lengths, strict=True)]
    known = known or familiar.measure(lambda row: packed.poses[parts[row]], len(parts))
    poses = np.empty(packed.poses.shape, np.float32)
    for part in parts:
        poses[part] = familiar.fit(packed.poses[part], known, how)
    return replace(packed, poses=poses)


def _with_root(data: ConfigDict) -> ConfigDict:
    """`data`, with synthetic walkers in the cache folder if it names them and no root."""
    if data.name != "walkers" or data.root:
        return data
    data = data.copy_and_resolve_references()
    data.root = str(walkers.generate(packing.cache_folder(data.cache_dir) / "walkers"))
    return data
