"""Small made-up data sets in the forms that their owners give them."""

import json
from pathlib import Path

import numpy as np

from tests.helpers import tiny_sets

FIRST = 95  # number of the first frame: names cross from two digits to three


def text_frames(folder: Path, poses: np.ndarray, name: str) -> Path:
    """One text a frame: two numbers, then x, y, confidence; `name` has a {} for the number."""
    folder.mkdir(parents=True)
    for number, frame in enumerate(poses, start=FIRST):
        numbers = [311, 438, *frame.ravel().round(3).tolist()]
        (folder / name.format(number)).write_text(",".join(map(str, numbers)) + "\n")
    return folder


def written(poses: np.ndarray) -> np.ndarray:
    """What is read of `poses` from the text."""
    return np.asarray(poses.ravel().round(3).tolist(), np.float32).reshape(poses.shape)


def grew(root: Path, train: int = 4, test: int = 20) -> Path:
    """GREW's folders; sequence names whose natural order is not that of strings."""
    name, number = "{}_2d_pose.txt", 0
    for i in range(train):
        for view in ("seq9", "seq10"):
            number += 1
            text_frames(root / "train" / f"{i:05d}" / view, tiny_sets.poses(number, 17), name)
    for i in range(test):
        for view in ("8v", "10v"):
            number += 1
            folder = root / "test" / "gallery" / f"{i:05d}" / view
            text_frames(folder, tiny_sets.poses(number, 17), name)
            (folder / "00001_3d_pose.txt").write_text("1,2,3")
    for i in range(3):
        text_frames(root / "test" / "probe" / f"p{i}", tiny_sets.poses(900 + i, 17), name)
    return root


def gait3d(root: Path) -> tuple[Path, Path]:
    """Gait3D's folders, and its partition in a file beside them."""
    labels = [f"{i:04d}" for i in range(6)]
    kinds = ("camid0_videoid1", "camid2_videoid3")
    for i, label in enumerate(labels):
        for j, kind in enumerate(kinds):
            folder = root / label / kind / "seq0"
            text_frames(folder, tiny_sets.poses(10 * i + j, 17), "human_crop_f{}.txt")
    partition = root.with_name("Gait3D.json")
    probes = [f"{label}-{kinds[0]}-seq0" for label in labels[4:]]
    sets = dict(TRAIN_SET=labels[:4], TEST_SET=labels[4:], PROBE_SET=probes)
    partition.write_text(json.dumps(sets))
    return root, partition


def many(root: Path, sequences: int) -> Path:
    """Gait3D's folders with ten frames each, all the same: quick to make."""
    first = text_frames(
        root / "0000" / "camid0_videoid0" / "seq0",
        tiny_sets.poses(0, 17)[:10],
        "human_crop_f{}.txt",
    )
    for i in range(1, sequences):
        folder = root / f"{i // 4:04d}" / f"camid{i % 4}_videoid0" / "seq0"
        folder.mkdir(parents=True)
        for name in first.iterdir():
            (folder / name.name).hardlink_to(name)
    return root
