"""tensorflow-datasets builders: one package folder a data set, one class for all.

    python -m gaitjax.data.builders walkers --data.root walkers --data_dir tfds
    python -m gaitjax.train --config gaitgraph2_walkers --config.data.name=tfds:walkers \\
        --config.data.root=tfds --workdir out

The first command reads the prepared folder and writes array_record files, the second trains
from them; TensorFlow itself is not needed. Records are the sequences of the folder in its
order, poses as they are in the files: joints are chosen and imputed when they are packed,
so that training gets the same arrays from either.
"""

import os
from pathlib import Path

PREFIX = "tfds:"  # of data.name
VERSION = "1.0.0"
NAMES = ("oumvlp", "grew", "gait3d", "casiab", "sustech1k", "ccpg", "walkers", "cmu_walks")


def folder(data_dir: str | os.PathLike, name: str) -> Path:
    """Where the files of data set `name` (with or without PREFIX) lie."""
    return Path(data_dir) / name.removeprefix(PREFIX) / VERSION
