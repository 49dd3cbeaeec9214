"""A synthetic data set for any config, held in memory: noise of the shapes of walks."""

import numpy as np
from jax.sharding import Mesh
from ml_collections import ConfigDict

from gaitjax.data.feed import Feed
from gaitjax.skeleton import joint_format

FRAMES = 80  # of each sequence, beside those of a training clip


def poses(config: ConfigDict, count: int, frames: int) -> np.ndarray:
    """Walks of the network's joints, (count, frames, V, 3) float32."""
    joints = joint_format(config.model.joints).num_joints
    noise = np.random.default_rng(config.seed).normal(size=(count, frames, joints, 3))
    return (noise * (20, 40, 0) + (300, 250, 0.9)).astype(np.float32)


def feed(config: ConfigDict, mesh: Mesh) -> Feed:
    """Two batches' worth of sequences, poses resident on the devices, as `config` feeds on."""
    count, train = 2 * config.train.batch_size, config.train
    frames = FRAMES + train.frames
    rng = np.random.default_rng(config.seed)
    parts = {}
    for part in config.data.modality.split("+"):
        if part == "pose":
            parts["poses"] = list(poses(config, count, frames))
            continue
        shape = (frames, 64, 64, 2) if part == "map" else (frames, 64, 64)
        # One sequence's images are as good as another's, and gigabytes fewer.
        parts[f"{part}s"] = [rng.integers(0, 256, shape, np.uint8)] * count
    labels = [f"{i // max(train.per_identity, 2):06d}" for i in range(count)]
    return Feed.in_memory(parts, labels, mesh)
