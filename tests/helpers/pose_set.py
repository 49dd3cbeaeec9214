"""A small set of files of poses, as a set that was downloaded lies there."""

import json
import os
import pickle
from pathlib import Path

import numpy as np
from ml_collections import ConfigDict

TRAIN, TEST = ["b", "a"], ["c"]


def sequence(seed: int, frames: int = 5, joints: int = 17) -> np.ndarray:
    return np.random.default_rng(seed).uniform(1, 200, (frames, joints, 3)).astype(np.float32)


def put(path, value) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps(value))


def generate(tmp_path: Path) -> ConfigDict:
    """Three identities with 2 types x 2 views of 4 to 6 frames."""
    root = tmp_path / "root"
    for i, label in enumerate(TRAIN + TEST):
        for j, kind in enumerate(["nm", "bg"]):
            for k, view in enumerate(["090", "000"]):
                seed = 100 * i + 10 * j + k
                put(root / label / kind / view / f"{view}.pkl", sequence(seed, 4 + seed % 3))
    (root / "partition.json").write_text(json.dumps(dict(TRAIN_SET=TRAIN, TEST_SET=TEST)))
    return section(root, tmp_path / "cache")


def section(root: Path, cache_dir: Path) -> ConfigDict:
    """config.data of poses under `root`, packed in `cache_dir`, with nothing imputed."""
    return ConfigDict(
        dict(
            name="walkers",
            root=str(root),
            partition="",
            links="follow",
            modality="pose",
            joints="coco",
            impute="none",
            impute_test="",
            cache_dir=str(cache_dir),
        )
    )


def caches(data) -> list[str]:
    return sorted(os.listdir(data.cache_dir))


def check(packed, data) -> None:
    """The packed training set is what the files hold, in data-set order."""
    expected = [(i, t, v) for i in TRAIN for t in ("bg", "nm") for v in ("000", "090")]
    names = zip(packed.labels, packed.types, packed.views, strict=True)
    assert [tuple(map(str, n)) for n in names] == expected
    assert packed.poses.dtype == np.float32 and packed.num_joints == 17
    assert packed.offsets.dtype == np.int64 and packed.lengths.dtype == np.int32
    assert len(packed.poses) == packed.lengths.sum()
    for row, (label, kind, view) in enumerate(expected):
        with open(f"{data.root}/{label}/{kind}/{view}/{view}.pkl", "rb") as file:
            poses = pickle.load(file)
        start = packed.offsets[row]
        np.testing.assert_array_equal(packed.poses[start : start + packed.lengths[row]], poses)
