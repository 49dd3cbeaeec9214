"""SkeletonGait++ on GREW-Pose.

Paper: SkeletonGait: Gait Recognition Using Skeleton Maps (AAAI 2024, arXiv 2311.13444).
Command:
    python -m gaitjax.train --config skeletongaitpp_grew --workdir out --config.data.root=DIR
Published Rank-1: none in OpenGait's skeleton model zoo.
Differs from the shipped reference config: maps are drawn from poses on the device (reference: read
from disk); the dead key `loss_term_weights` is gone; evaluation batches freely (reference: one
sequence per device).
"""

from ml_collections import ConfigDict

from configs import common


def get_config() -> ConfigDict:
    config = common.skeletongaitpp("grew", layers=(1, 4, 4, 1))
    config.train.steps = 180_000
    config.schedule.milestones = (80_000, 120_000, 150_000)
    return config
