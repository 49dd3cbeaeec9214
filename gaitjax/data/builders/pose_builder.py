"""One builder class for every data set: the records, and writing them."""

import functools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gaitjax.data import listing, packing, partitions, poses, records, sets
from gaitjax.errors import DataError
from gaitjax.skeleton import joint_format

tfds: Any = records.load_tfds()  # its types come with TensorFlow

SIDES = ("train", "test")
_UNREGISTERED = {"skip_registration": True}


@dataclass
class Prepared:
    """A prepared folder, by fields of `config.data`."""

    name: str
    root: str
    partition: str
    joints: str
    links: str = "follow"


class PoseBuilder(tfds.core.GeneratorBasedBuilder, **_UNREGISTERED):
    """Poses, label, type and view of each sequence, in data-set order.

    Args:
      prepared: the prepared folder; not needed to read what has been built.
      Others: as of any builder.
    """

    VERSION = tfds.core.Version(sets.STORED_VERSION)
    pkg_dir_path = Path(__file__).parent

    def __init__(self, *, prepared: Prepared | None = None, **options):
        self.prepared = prepared
        # The default format needs TensorFlow.
        super().__init__(**{"file_format": "array_record", **options})

    def _info(self) -> tfds.core.DatasetInfo:
        if self.prepared is None and (Path(self.data_dir) / "features.json").exists():
            records.check_features(Path(self.data_dir))
            features = tfds.features.FeatureConnector.from_config(self.data_dir)
        else:
            joints = joint_format(self.prepared.joints).num_joints if self.prepared else None
            arrays = tfds.features.Tensor(shape=(None, joints, 3), dtype=np.float32)
            texts = {name: tfds.features.Text() for name in ("label", "type", "view")}
            features = tfds.features.FeaturesDict({"poses": arrays, **texts})
        return tfds.core.DatasetInfo(
            builder=self,
            description=f"Pose sequences for gait recognition: {sets.get(self.name).origin}.",
            features=features,
            disable_shuffling=True,  # keeps the order of the keys
        )

    def _split_generators(self, dl_manager):
        if self.prepared is None:
            raise DataError(
                f"{self.name} is built from a prepared folder: python -m gaitjax.data.builders "
                f"{self.name} --config.data.root=DIR --data_dir DIR"
            )
        splits = {side: partitions.open_split(self.prepared, side) for side in SIDES}
        ids = {f"{side.upper()}_SET": split.ids for side, split in splits.items()}
        ids["PROBE_SET"] = splits["test"].probe
        # Here `data_dir` is the folder that replaces the final one when all is written.
        path = Path(self.data_dir) / partitions.PARTITION_FILE
        path.write_text(json.dumps(ids) + "\n", encoding="utf-8")
        return {side: self._generate_examples(split) for side, split in splits.items()}

    def _generate_examples(self, split: partitions.Split) -> Iterator[tuple[int, dict]]:
        assert self.prepared, "see _split_generators"
        listed, joints = listing.scan(split), joint_format(self.prepared.joints)
        for row in range(len(listed.labels)):
            array, path = packing.read_file(listed, row, split.name, "pose")
            yield (
                row,
                {
                    "poses": poses.checked(array, path, joints),
                    "label": listed.labels[row],
                    "type": listed.types[row],
                    "view": listed.views[row],
                },
            )


@functools.cache  # the package refuses a second class of the same name
def builder(name: str) -> type[PoseBuilder]:
    """The builder class of a data set; DataError for one that is not stored this way."""
    known = [known for known, record in sets.SETS.items() if record.stored]
    if name not in known:
        raise DataError(f"no builder for {name!r}; there are: {', '.join(known)}")
    # tensorflow-datasets takes a builder's name from its module, unless the class has one.
    return type("Builder", (PoseBuilder,), {"name": name, "__module__": __name__})


def build(prepared: Prepared, data_dir: str) -> Path:
    """Writes a prepared set as array_record; returns its folder.

    Raises:
      DataError: as `listing.scan` and `poses.checked`; already built there; no space.
    """
    make = builder(prepared.name)
    target = sets.stored_folder(Path(data_dir).expanduser(), prepared.name)
    if target.exists():
        raise DataError(f"{target} exists: remove it to build it anew, or give another --data_dir")
    partitions.check_root(prepared.name, prepared.root)
    try:
        make(prepared=prepared, data_dir=Path(data_dir).expanduser()).download_and_prepare()
    except OSError as error:
        raise DataError(f"{error.filename or data_dir}: {error.strerror or error}") from error
    return target
