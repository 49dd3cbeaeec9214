"""GaitGraph1 on OUMVLP-Pose, 18 joints: the recipe that FastPoseGait improved.

Paper: GaitGraph: Graph Convolutional Network for Skeleton-Based Gait Recognition (ICIP 2021).
Command:
    python -m gaitjax.train --config gaitgraph1_oumvlp_plus --workdir out --config.data.root=DIR
Published Rank-1: 51.24 (FastPoseGait; published, not reproduced here).
Differs from gaitgraph1_oumvlp: 256 identities x 2 sequences, longer clips, no reversal of time;
the test window is the central one (recipe: random).
"""

from ml_collections import ConfigDict

from configs import common


def get_config() -> ConfigDict:
    config = common.gaitgraph1("oumvlp")
    config.train.update(steps=150_000, batch_size=512, per_identity=2, shuffle=True, frames=50)
    config.augment.order = ("mirror", "select", "point_noise", "joint_noise")
    config.augment.update(flip_time=0.0, select=30)
    config.eval.update(frames=50, select=30)
    return config
