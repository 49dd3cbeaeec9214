"""GaitGraph2 on OUMVLP-Pose, 18 joints: the recipe that FastPoseGait improved.

Paper: Towards a Deeper Understanding of Skeleton-based Gait Recognition (CVPRW 2022).
Command:
    python -m gaitjax.train --config gaitgraph2_oumvlp_plus --workdir out --config.data.root=DIR
Published Rank-1: 64.53 (FastPoseGait; published, not reproduced here).
Differs from gaitgraph2_oumvlp: 256 identities x 2 sequences, more steps, only point noise, the
neck as centre joint of the input; the test window is the central one (recipe: random).
"""

from ml_collections import ConfigDict

from configs import common


def get_config() -> ConfigDict:
    config = common.gaitgraph2("oumvlp", large=True)
    config.model.input_centre = 1  # the neck
    config.train.update(steps=120_000, batch_size=512, per_identity=2, shuffle=True, frames=30)
    config.augment.order = ("point_noise",)
    config.augment.update(swap_sides=0.0, joint_noise=0.0, move=(0.0, 0.0), flip_time=0.0)
    config.schedule.three_phase = True
    config.eval.frames = 30
    return config
