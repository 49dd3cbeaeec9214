"""What the builders of all data sets share: the records, writing and reading them."""

import importlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from ml_collections import ConfigDict

from gaitjax.data import builders, packing, partitions
from gaitjax.errors import DataError
from gaitjax.extras import optional
from gaitjax.skeleton import joint_format

tfds = optional("tensorflow_datasets", "tfds", "stores and reads these data sets")

SPLITS = ("train", "test")


class PoseBuilder(tfds.core.GeneratorBasedBuilder, skip_registration=True):
    """Poses, label, type and view of each sequence, in data-set order.

    Args:
      data: `config.data` of the prepared folder; not needed to read what has been built.
      Others: as of any builder.
    """

    VERSION = tfds.core.Version(builders.VERSION)

    def __init__(self, *, data: ConfigDict | None = None, **options):
        self.data = data
        # The default format needs TensorFlow.
        super().__init__(**{"file_format": "array_record", **options})

    def _info(self) -> tfds.core.DatasetInfo:
        if self.data is None and (Path(self.data_dir) / "features.json").exists():
            features = tfds.features.FeatureConnector.from_config(self.data_dir)
        else:
            joints = joint_format(self.data.joints).num_joints if self.data else None
            poses = tfds.features.Tensor(shape=(None, joints, 3), dtype=np.float32)
            texts = {name: tfds.features.Text() for name in ("label", "type", "view")}
            features = tfds.features.FeaturesDict({"poses": poses, **texts})
        return tfds.core.DatasetInfo(
            builder=self,
            description=f"Pose sequences for gait recognition: {partitions.origin(self.name)}.",
            features=features,
            disable_shuffling=True,  # keeps the order of the keys
        )

    def _split_generators(self, dl_manager):
        if self.data is None:
            raise DataError(
                f"{self.name} is built from a prepared folder: python -m gaitjax.data.builders "
                f"{self.name} --data.root DIR --data_dir DIR"
            )
        ids = {f"{split.upper()}_SET": partitions.split_ids(self.data, split) for split in SPLITS}
        ids["PROBE_SET"] = partitions.load(self.data).probe
        # Here `data_dir` is the folder that replaces the final one when all is written.
        path = Path(self.data_dir) / partitions.PARTITION_FILE
        path.write_text(json.dumps(ids) + "\n", encoding="utf-8")
        return {split: self._generate_examples(split) for split in SPLITS}

    def _generate_examples(self, split: str) -> Iterator[tuple[int, dict]]:
        index, joints = packing.scan(self.data, split), self.data.joints
        count = joint_format(joints).num_joints
        for row in range(len(index.labels)):
            poses, path = packing.file_poses(self.data, index, row)
            yield (
                row,
                {
                    "poses": packing.network_poses(poses, path, joints, count, count, "none"),
                    "label": index.labels[row],
                    "type": index.types[row],
                    "view": index.views[row],
                },
            )


def build(data: ConfigDict, data_dir: str) -> Path:
    """Writes the prepared set that `data` describes as array_record; returns its folder.

    Raises:
      DataError: as `packing.scan` and `packing.load`; already built there; no space.
    """
    if data.name not in builders.NAMES:
        raise DataError(f"no builder for {data.name!r}; there are: {', '.join(builders.NAMES)}")
    target = builders.folder(Path(data_dir).expanduser(), data.name)
    if target.exists():
        raise DataError(f"{target} exists: remove it to build it anew, or give another --data_dir")
    partitions.check_root(data)
    try:
        builder = _class(data.name)(data=data, data_dir=Path(data_dir).expanduser())
        builder.download_and_prepare()
    except OSError as error:
        raise DataError(f"{error.filename or data_dir}: {error.strerror or error}") from error
    return target


def read(
    data: ConfigDict, root: Path, split: str
) -> tuple[packing.Index, Callable[[int], tuple[np.ndarray, str]]]:
    """The sequences of a split in data-set order, and what gives poses and name of each.

    The index has no files of sequences; its stamps are those of the files of the records.
    """
    folder = builders.folder(root, data.name)
    paths = [folder, *sorted(folder.iterdir())]
    stamps = {str(path.relative_to(root)): packing.stamp(path) for path in paths}
    try:
        records = list(tfds.builder_from_directory(folder).as_data_source(split=split))
    except Exception as error:  # whatever damaged files provoke
        raise DataError(
            f"{folder}: cannot be read ({(str(error).splitlines() or [''])[0][:200]}); remove it "
            f"and build it again. {partitions.how_to_get(data.name, str(root))}"
        ) from error
    labels, types, views = (
        np.array([record[name].decode("utf-8") for record in records])
        for name in ("label", "type", "view")
    )

    def sequence(row: int) -> tuple[np.ndarray, str]:
        name = f"{labels[row]}/{types[row]}/{views[row]} in {folder}"
        return records[row]["poses"], name

    return packing.Index(root, labels, types, views, (), stamps), sequence


def _class(name: str) -> type[PoseBuilder]:
    return importlib.import_module(f"{builders.__name__}.{name}.{name}_dataset_builder").Builder
