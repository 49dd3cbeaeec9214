"""GPGait on CASIA-B.

Paper: GPGait: Generalized Pose-based Gait Recognition (ICCV 2023).
Command:
    python -m gaitjax.train --config gpgait_casiab --workdir out --config.data.root=DIR
Published Rank-1: NM 93.60, BG 80.15, CL 69.29 with HRNet poses (FastPoseGait; published, not
reproduced here).
Differs from the shipped reference config: joints that were missed are left out of the height
(`compat` brings back the reference's); evaluation batches freely, padded and masked (reference: one
sequence per device).
"""

from ml_collections import ConfigDict

from configs import common


def get_config() -> ConfigDict:
    config = common.gpgait("casiab", widths=(64, 64, 128, 256), classes=74)
    config.data.normalise = "centred"
    config.train.update(steps=40_000, batch_size=128, per_identity=32, frames=60)
    config.augment.update(order=("swap_sides", "joint_noise"), swap_sides=0.1, joint_noise=0.3)
    config.loss.triplet.hard = True
    config.loss.cross_entropy.smoothing = 0.0
    config.schedule.pct_start = 0.5
    return config
