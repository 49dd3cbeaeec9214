"""GaitGraph2 on SUSTech1K poses.

Paper: Towards a Deeper Understanding of Skeleton-based Gait Recognition (CVPRW 2022).
Command:
    python -m gaitjax.train --config gaitgraph2_sustech1k --workdir out --config.data.root=DIR
Published Rank-1: none in OpenGait's skeleton model zoo.
Differs from the shipped reference config: the test window is the central one (reference: random);
evaluation batches freely (reference: one sequence per device).
"""

from ml_collections import ConfigDict

from configs import common


def get_config() -> ConfigDict:
    config = common.gaitgraph2("sustech1k", large=False)
    config.train.update(steps=2_000)
    config.optimizer.name = "adamw"
    config.data.impute = "none"
    return config
