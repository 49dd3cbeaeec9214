"""SkeletonGait on Gait3D-Pose.

Paper: SkeletonGait: Gait Recognition Using Skeleton Maps (AAAI 2024, arXiv 2311.13444).
Command:
    python -m gaitjax.train --config skeletongait_gait3d --workdir out --config.data.root=DIR
Published Rank-1: 38.1 (OpenGait's skeleton model zoo; published, not reproduced here).
Differs from the shipped reference config: maps are drawn from poses on the device (reference: read
from disk); the dead key `loss_term_weights` is gone; evaluation batches freely (reference: one
sequence per device).
"""

from ml_collections import ConfigDict

from configs import common


def get_config() -> ConfigDict:
    return common.skeletongait("gait3d", layers=(1, 4, 4, 1))
