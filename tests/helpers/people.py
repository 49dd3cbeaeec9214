"""People whose embedding stands in their poses, for tests of galleries: no network is needed."""

import json
from pathlib import Path

import numpy as np

from gaitjax import api
from gaitjax import config as configs
from gaitjax.data import walkers

D = 4  # of an embedding: the confidences of the first joints


class Seer(api.Model):
    """A model that reads the embedding out of the poses; `number` makes it other weights."""

    def __init__(self, number: float = 0.0):
        self.config = configs.load("gaittr_identify")
        self.config.eval.metric = "euc"
        self.variables = {"params": {"w": np.full(3, number, np.float32)}, "batch_stats": {}}
        self.metadata = {"source": "test"}

    def embed(self, sequences, batch_size=None, joints=None):
        return np.stack([p[..., :D, 2].mean(axis=0) for p in sequences])[..., None].astype("f4")


def walk(*embedding: float, frames: int = 60, number: int = 1) -> np.ndarray:
    """Poses (T, 17, 3) of a synthetic walker whose embedding is this one, padded with 0.5."""
    poses = np.array(walkers.identity(0, number, 80)[0][3][:frames], np.float64)
    poses[(poses == 0).all(axis=-1)] = poses[..., :2].max() / 2, poses[..., 1].max() / 2, 0.5
    poses[:, :D, 2] = [*embedding, *[0.5] * (D - len(embedding))]
    return poses


def write_results(path: Path, *people: np.ndarray) -> Path:
    """The people (T, 17, 3) as AlphaPose's results of one video."""
    rows = [
        {"image_id": f"{t}.jpg", "keypoints": poses[t].ravel().tolist(), "idx": i}
        for i, poses in enumerate(people, start=1)
        for t in range(len(poses))
    ]
    path.write_text(json.dumps(rows))
    return path
