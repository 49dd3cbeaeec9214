"""GaitGraph2 on CASIA-B poses: the recipe that FastPoseGait improved.

Paper: Towards a Deeper Understanding of Skeleton-based Gait Recognition (CVPRW 2022).
Command:
    python -m gaitjax.train --config gaitgraph2_casiab_plus --workdir out --config.data.root=DIR
Published Rank-1: 83.60 / 72.80 / 67.01 (NM / BG / CL) (FastPoseGait; published, not reproduced
here).
Differs from gaitgraph2_casiab: 64 identities x 2 sequences, six times the steps, only point noise,
missing joints filled for testing alone; the test window is the central one (recipe: random).
"""

from ml_collections import ConfigDict

from configs import common


def get_config() -> ConfigDict:
    config = common.gaitgraph2("casiab", large=False)
    config.train.update(steps=3_000, batch_size=128, per_identity=2, shuffle=True)
    config.optimizer.name = "adamw"
    config.augment.order = ("point_noise",)
    config.augment.update(swap_sides=0.0, joint_noise=0.0, move=(0.0, 0.0), flip_time=0.0)
    config.data.update(impute="none", impute_test="frame_mean")
    return config
