"""GaitGraph1 on Gait3D-Pose: the recipe that FastPoseGait improved.

Paper: GaitGraph: Graph Convolutional Network for Skeleton-Based Gait Recognition (ICIP 2021).
Command:
    python -m gaitjax.train --config gaitgraph1_gait3d_plus --workdir out --config.data.root=DIR
Published Rank-1: 14.60 (FastPoseGait; published, not reproduced here).
Differs from gaitgraph1_gait3d: 32 identities x 4 sequences, clips of 60 frames instead of 16
(test: 24), less mirroring, no reversal of time; the test window is the central one (recipe:
random).
"""

from ml_collections import ConfigDict

from configs import common


def get_config() -> ConfigDict:
    config = common.gaitgraph1("gait3d")
    config.model.embedding_dim = 128
    config.train.update(steps=20_000, per_identity=4, shuffle=True, frames=501)
    config.augment.order = ("mirror", "joint_noise", "select", "point_noise")
    config.augment.update(mirror=0.1, flip_time=0.0, select=60)
    config.eval.frames = 60
    return config
