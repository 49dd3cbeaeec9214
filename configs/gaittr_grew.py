"""GaitTR on GREW-Pose.

Paper: Spatial Transformer Network on Skeleton-based Gait Recognition (arXiv 2204.03873).
Command:
    python -m gaitjax.train --config gaittr_grew --workdir out --config.data.root=DIR
Published Rank-1: 48.60 (OpenGait's skeleton model zoo; published, not reproduced here).
Differs from the shipped reference config: evaluation batches freely (reference: one sequence per
device); the local split is scored (reference: a submission file;
`--config.eval.protocol=grew_submission`).
"""

from ml_collections import ConfigDict

from configs import common


def get_config() -> ConfigDict:
    config = common.gaittr("grew")
    config.model.embedding_dim = 256
    config.train.update(steps=150_000, batch_size=256, per_identity=8)
    return config
