"""GaitGraph2 on GREW-Pose: the recipe that FastPoseGait improved.

Paper: Towards a Deeper Understanding of Skeleton-based Gait Recognition (CVPRW 2022).
Command:
    python -m gaitjax.train --config gaitgraph2_grew_plus --workdir out --config.data.root=DIR
Published Rank-1: 44.41 (FastPoseGait; published, not reproduced here).
Differs from gaitgraph2_grew: 128 identities x 2 sequences, four times the steps, only point noise
and a rarer reversal of time, missing joints filled for testing alone; the test window is the
central one (recipe: random); the local split is scored (recipe: a submission file;
`--config.eval.protocol=grew_submission`).
"""

from ml_collections import ConfigDict

from configs import common


def get_config() -> ConfigDict:
    config = common.gaitgraph2("grew", large=True)
    config.train.update(steps=200_000, batch_size=256, per_identity=2, shuffle=True)
    config.augment.order = ("point_noise", "flip_time")
    config.augment.update(swap_sides=0.0, joint_noise=0.0, move=(0.0, 0.0), flip_time=0.2)
    config.schedule.three_phase = True
    config.data.update(impute="none", impute_test="frame_mean")
    return config
