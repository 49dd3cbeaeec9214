"""GPGait on CCPG.

Paper: GPGait: Generalized Pose-based Gait Recognition (ICCV 2023).
Command:
    python -m gaitjax.train --config gpgait_ccpg --workdir out --config.data.root=DIR
Published Rank-1: CL 54.75, UP 65.60, DN 71.06 with HRNet poses, ReID style (FastPoseGait;
published, not reproduced here).
Differs from the shipped reference config: frames are turned by a true rotation and joints that were
missed are left out (`compat` brings back the reference's); evaluation batches freely, padded and
masked (reference: one sequence per device); 18-joint files are converted to 17 joints (reference:
HRNet's 17).
"""

from ml_collections import ConfigDict

from configs import common


def get_config() -> ConfigDict:
    config = common.gpgait("ccpg", widths=(64, 64, 128, 256), classes=100)
    config.data.normalise = "oriented"
    config.train.update(steps=40_000, batch_size=128, per_identity=32, frames=60)
    config.loss.triplet.hard = True
    config.loss.cross_entropy.smoothing = 0.0
    config.schedule.pct_start = 0.5
    config.schedule.lr = 0.002
    return config
