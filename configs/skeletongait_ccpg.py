"""SkeletonGait on CCPG poses.

Paper: SkeletonGait: Gait Recognition Using Skeleton Maps (AAAI 2024, arXiv 2311.13444).
Command:
    python -m gaitjax.train --config skeletongait_ccpg --workdir out --config.data.root=DIR
Published Rank-1: none in OpenGait's skeleton model zoo.
Differs from the shipped reference config: maps are drawn from poses on the device (reference: read
from disk); the dead key `loss_term_weights` is gone; evaluation batches freely (reference: one
sequence per device); embed_2 as shipped (`use_emb2: true`).
"""

from ml_collections import ConfigDict

from configs import common


def get_config() -> ConfigDict:
    config = common.skeletongait("ccpg", layers=(1, 1, 1, 1))
    config.train.update(batch_size=128, per_identity=16)
    config.eval.embedding = "embed_2"
    return config
