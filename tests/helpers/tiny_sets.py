"""Tiny data sets with the folders, types and views that each protocol needs, and tiny networks."""

import json
import pickle
from pathlib import Path

import numpy as np
from ml_collections import ConfigDict

from gaitjax.data import walkers
from gaitjax.skeleton import COCO, KINECT, convert, joint_format

# COCO joint i is 18-joint index TO_COCO[i]; the neck is dropped (section 10.1).
TO_COCO = (0, 15, 14, 17, 16, 5, 2, 6, 3, 7, 4, 11, 8, 12, 9, 13, 10)
TRAIN, FRAMES = 4, 24  # identities; longest sequence
# data set -> test identities, types, views
LAYOUTS = {
    "oumvlp": (2, ("00", "01"), ("000", "090")),
    "casiab": (2, ("nm-01", "nm-05"), ("000", "090")),
    "grew": (20, ("01", "02"), ("000",)),  # Rank-20 needs as many in the gallery
    "gait3d": (2, ("camera1", "camera2"), ("seq0", "seq1")),
    "ccpg": (2, ("U0_D0", "U1_D1"), ("1_0", "2_0")),
    "sustech1k": (2, ("00-nm", "01-nm"), ("000", "090")),
    "walkers": (2, ("nm-01", "nm-02"), ("000", "090")),
    "cmu_walks": (2, ("00", "01"), ("000", "090")),
    "van_criekinge": (2, ("ab-00", "ab-01"), ("000", "090")),
    "cu_denver": (2, ("00", "01"), ("000", "090")),
}
DATASETS = tuple(LAYOUTS)
BATCH = 8  # one clip for each simulated device


def poses(number: int, joints: int) -> np.ndarray:
    """A walk of FRAMES - 3 to FRAMES frames of 17 joints; 18, with a neck; 20, the Kinect's."""
    rng = np.random.default_rng(number)
    walk = walkers.identity(0, number, FRAMES)[0][number % 4][
        : rng.integers(FRAMES - 3, FRAMES + 1)
    ]
    if joints == 17:
        return walk
    if joints == 20:
        return convert(COCO, KINECT, partial=True)(walk)
    out = np.zeros((len(walk), 18, 3), np.float32)
    out[:, list(TO_COCO)] = walk
    neck = joint_format("alphapose").joints.index("neck")
    shoulders = [
        joint_format("coco").joints.index(f"{side}_shoulder") for side in ("left", "right")
    ]
    out[:, neck] = walk[:, shoulders].mean(axis=1)
    return out


def arrays(number: int, modality: str, joints: int, width: int) -> list[np.ndarray]:
    """What the files of one folder hold, in order."""
    walk = poses(number, joints)
    rng = np.random.default_rng(number)
    parts = {
        "pose": walk,
        "map": rng.integers(0, 256, (len(walk), 2, 64, 64), np.uint8),
        "silhouette": rng.integers(0, 2, (len(walk), 64, width), np.uint8) * 255,
    }
    return [parts[part] for part in modality.split("+")]


def generate(root: Path, data: ConfigDict, width: int = 44) -> Path:
    """Write the data set that `data` (`config.data`) describes under `root`."""
    tests, types, views = LAYOUTS[data.name]
    train = [f"{i:05d}train" if data.name == "grew" else f"t{i:02d}" for i in range(TRAIN)]
    test = [f"{i:05d}" for i in range(tests)]
    joints = joint_format(data.joints).num_joints
    number = 0
    for label in train + test:
        for kind in types:
            for view in views:
                number += 1
                folder = root / label / kind / view
                folder.mkdir(parents=True)
                for i, array in enumerate(arrays(number, data.modality, joints, width)):
                    (folder / f"{i}_{view}.pkl").write_bytes(pickle.dumps(array))
    partition = dict(TRAIN_SET=train, TEST_SET=test)
    if data.name == "gait3d":
        partition["PROBE_SET"] = [f"{label}-{types[0]}-{views[0]}" for label in test]
    (root / "partition.json").write_text(json.dumps(partition))
    return root


def shrink(config: ConfigDict) -> ConfigDict:
    """The config with a small network, small batches and three steps."""
    model, train = config.model, config.train
    frames = 14
    if "branch" in model:
        model.update(branch=(model.branch[0], 8), main=(8, 16), reduction=2, embedding_dim=8)
    elif model.name in ("gpgait", "gpgaitpp"):
        model.update(widths=(8, 12), shared=1, classes=TRAIN)
    elif "widths" in model:
        model.update(widths=(10, *[32] * (len(model.widths) - 4), 64), embedding_dim=8)
    else:
        frames = 5
        model.update(layers=(1, 1, 1, 1), channels=(16, 16, 16, 16), classes=TRAIN)
    train.update(steps=3, batch_size=BATCH, frames=frames, save_minutes=0.0)
    train.update(log_every=1, save_every=3, per_identity=min(train.per_identity, 2))
    config.eval.update(batch_size=BATCH, frames=frames)
    if config.augment.select:
        config.augment.select = 8
    if config.eval.select:
        config.eval.select = 8
    return config
