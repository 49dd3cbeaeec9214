"""GaitTR on OUMVLP-Pose, 18 joints: the recipe that FastPoseGait improved.

Paper: Spatial Transformer Network on Skeleton-based Gait Recognition (arXiv 2204.03873).
Command:
    python -m gaitjax.train --config gaittr_oumvlp_plus --workdir out --config.data.root=DIR
Published Rank-1: 43.61 (FastPoseGait; published, not reproduced here).
Differs from gaittr_oumvlp: seven blocks instead of four, reversal of time in place of every noise,
the neck as centre joint.
"""

from ml_collections import ConfigDict

from configs import common


def get_config() -> ConfigDict:
    config = common.gaittr("oumvlp")
    config.model.embedding_dim = 256
    config.model.widths = (10, 64, 64, 128, 128, 128, 128, 256)
    config.model.input_centre = 1  # the neck
    config.train.update(steps=150_000, batch_size=512, per_identity=16)
    config.augment.order = ("flip_time",)
    config.augment.update(flip_time=0.5, point_noise=0.0, swap_sides=0.0, joint_noise=0.0)
    return config
