"""GaitGraph1 on CASIA-B poses: the recipe that FastPoseGait improved.

Paper: GaitGraph: Graph Convolutional Network for Skeleton-Based Gait Recognition (ICIP 2021).
Command:
    python -m gaitjax.train --config gaitgraph1_casiab_plus --workdir out --config.data.root=DIR
Published Rank-1: 88.47 / 77.52 / 67.95 (NM / BG / CL) (FastPoseGait; published, not reproduced
here).
Differs from gaitgraph1_casiab: longer training clips, more steps and noise; the test window is the
central one (recipe: random); the recipe draws its 128 sequences from up to 74 identities with up
to 110 sequences each, which is all of the training set, so they are drawn uniformly here.
"""

from ml_collections import ConfigDict

from configs import common


def get_config() -> ConfigDict:
    config = common.gaitgraph1("casiab")
    config.model.embedding_dim = 128
    config.train.update(steps=14_000, frames=307)
    config.augment.order = ("swap_sides", "flip_time", "select", "point_noise", "joint_noise")
    config.augment.update(mirror=0.0, swap_sides=0.1, select=60, point_noise=0.1, joint_noise=0.2)
    config.eval.frames = 60
    return config
