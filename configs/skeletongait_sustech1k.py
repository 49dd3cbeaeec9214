"""SkeletonGait on SUSTech1K poses.

Paper: SkeletonGait: Gait Recognition Using Skeleton Maps (AAAI 2024, arXiv 2311.13444).
Command:
    python -m gaitjax.train --config skeletongait_sustech1k --workdir out --config.data.root=DIR
Published Rank-1: none in OpenGait's skeleton model zoo.
Differs from the shipped reference config: maps are drawn from poses on the device (reference: read
from disk); evaluation batches freely (reference: one sequence per device).
"""

from ml_collections import ConfigDict

from configs import common


def get_config() -> ConfigDict:
    config = common.skeletongait("sustech1k", layers=(1, 1, 1, 1))
    config.train.update(
        steps=50_000, batch_size=64, per_identity=8, frames=10, clip="unordered", skip=0
    )
    return config
