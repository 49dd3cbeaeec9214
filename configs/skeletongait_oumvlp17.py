"""SkeletonGait on OUMVLP-Pose, 17 joints.

Paper: SkeletonGait: Gait Recognition Using Skeleton Maps (AAAI 2024, arXiv 2311.13444).
Command:
    python -m gaitjax.train --config skeletongait_oumvlp17 --workdir out --config.data.root=DIR
Published Rank-1: 67.4 (OpenGait's skeleton model zoo; published, not reproduced here).
Differs from the shipped reference config: maps are drawn from poses on the device (reference: read
from disk); the dead key `loss_term_weights` is gone; evaluation batches freely (reference: one
sequence per device).
"""

from ml_collections import ConfigDict

from configs import common


def get_config() -> ConfigDict:
    config = common.skeletongait("oumvlp17", layers=(1, 1, 1, 1))
    config.train.update(steps=120_000, batch_size=256, per_identity=8)
    config.augment.order = ("horizontal_flip",)
    config.augment.update(perspective=0.0, horizontal_flip=0.5, rotate=0.0)
    config.schedule.milestones = (60_000, 80_000, 100_000)
    return config
