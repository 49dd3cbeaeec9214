"""GPGait on Gait3D-Pose.

Paper: GPGait: Generalized Pose-based Gait Recognition (ICCV 2023).
Command:
    python -m gaitjax.train --config gpgait_gait3d --workdir out --config.data.root=DIR
Published Rank-1: 22.40 (FastPoseGait; published, not reproduced here).
Differs from the shipped reference config: frames are turned by a true rotation and joints that were
missed are left out (`compat` brings back the reference's); evaluation batches freely, padded and
masked (reference: one sequence per device).
"""

from ml_collections import ConfigDict

from configs import common


def get_config() -> ConfigDict:
    config = common.gpgait("gait3d", widths=(64, 64, 128, 128, 256), classes=3_000)
    config.data.normalise = "oriented"
    config.train.update(steps=60_000, batch_size=128, per_identity=4, frames=60)
    config.augment.update(order=("swap_sides",), swap_sides=0.01)
    config.loss.cross_entropy.weight = 0.01
    return config
