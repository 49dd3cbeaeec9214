"""GaitTR on Gait3D-Pose: the recipe that FastPoseGait improved.

Paper: Spatial Transformer Network on Skeleton-based Gait Recognition (arXiv 2204.03873).
Command:
    python -m gaitjax.train --config gaittr_gait3d_plus --workdir out --config.data.root=DIR
Published Rank-1: 9.70 (FastPoseGait; published, not reproduced here).
Differs from gaittr_gait3d: reversal of time in place of every noise.
"""

from ml_collections import ConfigDict

from configs import common


def get_config() -> ConfigDict:
    config = common.gaittr("gait3d")
    config.augment.order = ("flip_time",)
    config.augment.update(flip_time=0.5, point_noise=0.0, swap_sides=0.0, joint_noise=0.0)
    return config
