"""SkeletonGait++ on SUSTech1K poses.

Paper: SkeletonGait: Gait Recognition Using Skeleton Maps (AAAI 2024, arXiv 2311.13444).
Command:
    python -m gaitjax.train --config skeletongaitpp_sustech1k --workdir out --config.data.root=DIR
Published Rank-1: none in OpenGait's skeleton model zoo.
Differs from the shipped reference config: maps are drawn from poses on the device (reference: read
from disk); evaluation batches freely (reference: one sequence per device); training starts at step
0 (reference: `restore_hint: 20000`).
The released folders hold 16 files each, the pose being 03-*.pkl: link it and the silhouettes that
go with it into a folder of their own, as 0_pose.pkl and 1_sil.pkl.
"""

from ml_collections import ConfigDict

from configs import common


def get_config() -> ConfigDict:
    config = common.skeletongaitpp("sustech1k", layers=(1, 1, 1, 1))
    config.train.update(steps=50_000, batch_size=64, per_identity=8, frames=10)
    return config
