"""GaitGraph1 on CASIA-B poses.

Paper: GaitGraph: Graph Convolutional Network for Skeleton-Based Gait Recognition (ICIP 2021).
Command:
    python -m gaitjax.train --config gaitgraph1_casiab --workdir out --config.data.root=DIR
Published Rank-1: none in OpenGait's skeleton model zoo.
Differs from the shipped reference config: the test window is the central one (reference: random);
any evaluation batch size; the side swap of one view no longer leaks into the other (`compat`
restores it).
"""

from ml_collections import ConfigDict

from configs import common


def get_config() -> ConfigDict:
    config = common.gaitgraph1("casiab")
    config.model.embedding_dim = 128
    config.train.update(steps=6_000, frames=100)
    config.augment.order = ("swap_sides", "flip_time", "select", "point_noise", "joint_noise")
    config.augment.update(mirror=0.0, swap_sides=0.1, select=60, joint_noise=0.2)
    config.eval.frames = 60
    return config
