"""GaitGraph1 on OUMVLP-Pose, 17 joints.

Paper: GaitGraph: Graph Convolutional Network for Skeleton-Based Gait Recognition (ICIP 2021).
Command:
    python -m gaitjax.train --config gaitgraph1_oumvlp17 --workdir out --config.data.root=DIR
Published Rank-1: 4.25 (OpenGait's skeleton model zoo; published, not reproduced here).
Differs from the shipped reference config: the test window is the central one (reference: random);
any evaluation batch size.
"""

from ml_collections import ConfigDict

from configs import common


def get_config() -> ConfigDict:
    config = common.gaitgraph1("oumvlp17")
    config.train.update(steps=150_000, frames=25)
    config.eval.update(frames=25, select=17)
    return config
