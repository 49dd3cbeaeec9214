"""GaitGraph2 on Gait3D-Pose.

Paper: Towards a Deeper Understanding of Skeleton-based Gait Recognition (CVPRW 2022).
Command:
    python -m gaitjax.train --config gaitgraph2_gait3d --workdir out --config.data.root=DIR
Published Rank-1: 11.00 (OpenGait's skeleton model zoo; published, not reproduced here).
Differs from the shipped reference config: the test window is the central one (reference: random);
evaluation batches freely (reference: one sequence per device).
"""

from ml_collections import ConfigDict

from configs import common


def get_config() -> ConfigDict:
    config = common.gaitgraph2("gait3d", large=False)
    config.train.update(steps=2_000)
    config.optimizer.name = "adamw"
    config.data.impute = "none"
    return config
