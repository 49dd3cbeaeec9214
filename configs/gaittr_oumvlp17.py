"""GaitTR on OUMVLP-Pose, 17 joints.

Paper: Spatial Transformer Network on Skeleton-based Gait Recognition (arXiv 2204.03873).
Command:
    python -m gaitjax.train --config gaittr_oumvlp17 --workdir out --config.data.root=DIR
Published Rank-1: 39.78 (OpenGait's skeleton model zoo; published, not reproduced here).
Differs from the shipped reference config: evaluation batches freely (reference: one sequence per
device).
"""

from ml_collections import ConfigDict

from configs import common


def get_config() -> ConfigDict:
    config = common.gaittr("oumvlp17")
    config.model.embedding_dim = 256
    config.train.update(steps=150_000, batch_size=512, per_identity=16)
    return config
