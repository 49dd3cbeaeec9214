"""GaitTR on CASIA-B poses: the recipe that FastPoseGait improved.

Paper: Spatial Transformer Network on Skeleton-based Gait Recognition (arXiv 2204.03873).
Command:
    python -m gaitjax.train --config gaittr_casiab_plus --workdir out --config.data.root=DIR
Published Rank-1: 95.02 / 90.70 / 89.67 (NM / BG / CL), on SimCC poses (FastPoseGait; published,
not reproduced here).
Differs from gaittr_gait3d: 4 identities x 64 sequences, hard triplets, mirroring in place of point
noise.
"""

from ml_collections import ConfigDict

from configs import common


def get_config() -> ConfigDict:
    config = common.gaittr("casiab")
    config.train.update(batch_size=256, per_identity=64)
    config.augment.order = ("swap_sides", "mirror", "joint_noise")
    config.augment.update(mirror=0.1, point_noise=0.0)
    config.loss.triplet.hard = True
    return config
