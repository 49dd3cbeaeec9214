"""GPGait on OUMVLP-Pose, 17 joints.

Paper: GPGait: Generalized Pose-based Gait Recognition (ICCV 2023).
Command:
    python -m gaitjax.train --config gpgait_oumvlp17 --workdir out --config.data.root=DIR
Published Rank-1: 59.11 (FastPoseGait; published, not reproduced here).
Differs from the shipped reference config: joints that were missed are left out of the height
(`compat` brings back the reference's); evaluation batches freely, padded and masked (reference: one
sequence per device).
"""

from ml_collections import ConfigDict

from configs import common


def get_config() -> ConfigDict:
    config = common.gpgait(
        "oumvlp17", widths=(64, 128, 128, 128, 128, 256, 256), classes=5_153, shared=4
    )
    config.data.normalise = "centred"
    config.train.update(steps=150_000, batch_size=512, per_identity=16, frames=30)
    config.augment.update(order=("swap_sides", "joint_noise"), swap_sides=0.01, joint_noise=0.3)
    config.loss.triplet.hard = True
    config.loss.cross_entropy.smoothing = 0.0
    config.loss.cross_entropy.weight = 0.5
    return config
