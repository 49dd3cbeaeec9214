"""GaitGraph1 on Gait3D-Pose.

Paper: GaitGraph: Graph Convolutional Network for Skeleton-Based Gait Recognition (ICIP 2021).
Command:
    python -m gaitjax.train --config gaitgraph1_gait3d --workdir out --config.data.root=DIR
Published Rank-1: 9.00 (OpenGait's skeleton model zoo; published, not reproduced here).
Differs from the shipped reference config: the test window is the central one (reference: random);
any evaluation batch size.
"""

from ml_collections import ConfigDict

from configs import common


def get_config() -> ConfigDict:
    config = common.gaitgraph1("gait3d")
    config.model.embedding_dim = 128
    config.train.update(steps=20_000, frames=130)
    config.eval.update(frames=130, select=24)
    return config
