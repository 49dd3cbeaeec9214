"""GaitGraph1 on GREW-Pose: the recipe that FastPoseGait improved.

Paper: GaitGraph: Graph Convolutional Network for Skeleton-Based Gait Recognition (ICIP 2021).
Command:
    python -m gaitjax.train --config gaitgraph1_grew_plus --workdir out --config.data.root=DIR
Published Rank-1: 36.08 (FastPoseGait; published, not reproduced here).
Differs from gaitgraph1_grew: 32 identities x 8 sequences, clips of 60 frames instead of 16, no
reversal of time; the test window is the central one (recipe: random); the local split is scored
(recipe: a submission file; `--config.eval.protocol=grew_submission`).
"""

from ml_collections import ConfigDict

from configs import common


def get_config() -> ConfigDict:
    config = common.gaitgraph1("grew")
    config.train.update(steps=150_000, batch_size=256, per_identity=8, shuffle=True, frames=501)
    config.augment.order = ("mirror", "select", "point_noise", "joint_noise")
    config.augment.update(flip_time=0.0, select=60)
    config.eval.update(frames=501, select=60)
    return config
