"""GPGait on GREW-Pose.

Paper: GPGait: Generalized Pose-based Gait Recognition (ICCV 2023).
Command:
    python -m gaitjax.train --config gpgait_grew --workdir out --config.data.root=DIR
Published Rank-1: 57.04 (which protocol is not told) (FastPoseGait; published, not reproduced here).
Differs from the shipped reference config: frames are turned by a true rotation and joints that were
missed are left out (`compat` brings back the reference's); evaluation batches freely, padded and
masked (reference: one sequence per device).
"""

from ml_collections import ConfigDict

from configs import common


def get_config() -> ConfigDict:
    config = common.gpgait("grew", widths=(64, 128, 128, 128, 128, 256, 256), classes=20_000)
    config.data.normalise = "oriented"
    config.train.update(steps=200_000, batch_size=256, per_identity=8, frames=60)
    config.augment.update(order=("swap_sides", "joint_noise"), swap_sides=0.01, joint_noise=0.3)
    config.loss.cross_entropy.weight = 0.1
    return config
