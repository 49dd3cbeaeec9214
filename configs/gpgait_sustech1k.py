"""GPGait on SUSTech1K.

Paper: GPGait: Generalized Pose-based Gait Recognition (ICCV 2023).
Command:
    python -m gaitjax.train --config gpgait_sustech1k --workdir out --config.data.root=DIR
Published Rank-1: 47.38 overall (ViTPose poses) (FastPoseGait; published, not reproduced here).
Differs from the shipped reference config: joints that were missed are left out of the height
(`compat` brings back the reference's); evaluation batches freely, padded and masked (reference: one
sequence per device).
"""

from ml_collections import ConfigDict

from configs import common


def get_config() -> ConfigDict:
    config = common.gpgait("sustech1k", widths=(64, 64, 128, 256), classes=250)
    config.data.normalise = "centred"
    config.train.update(steps=40_000, batch_size=64, per_identity=8, frames=60)
    config.loss.triplet.hard = True
    config.loss.cross_entropy.smoothing = 0.0
    config.schedule.pct_start = 0.5
    return config
