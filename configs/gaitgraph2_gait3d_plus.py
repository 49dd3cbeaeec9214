"""GaitGraph2 on Gait3D-Pose: the recipe that FastPoseGait improved.

Paper: Towards a Deeper Understanding of Skeleton-based Gait Recognition (CVPRW 2022).
Command:
    python -m gaitjax.train --config gaitgraph2_gait3d_plus --workdir out --config.data.root=DIR
Published Rank-1: 12.50 (FastPoseGait; published, not reproduced here).
Differs from gaitgraph2_gait3d: 64 identities x 2 sequences, four times the steps, only point noise
and a rarer reversal of time; the test window is the central one (recipe: random).
"""

from ml_collections import ConfigDict

from configs import common


def get_config() -> ConfigDict:
    config = common.gaitgraph2("gait3d", large=False)
    config.train.update(steps=8_000, batch_size=128, per_identity=2, shuffle=True)
    config.optimizer.name = "adamw"
    config.augment.order = ("point_noise", "flip_time")
    config.augment.update(swap_sides=0.0, joint_noise=0.0, move=(0.0, 0.0), flip_time=0.2)
    config.data.impute = "none"
    return config
