"""GPGait++ on CCPG.

Paper: GPGait++ (IEEE TPAMI 2025).
Command:
    python -m gaitjax.train --config gpgaitpp_ccpg --workdir out --config.data.root=DIR
Published Rank-1: its repository gives none; the paper's was not read here.
Differs from the shipped reference config: frames are turned by a true rotation and joints that were
missed are left out (`compat` brings back the reference's); evaluation batches freely, padded and
masked (reference: one sequence per device); 18-joint files are converted to 17 joints (reference:
HRNet's 17).
"""

from ml_collections import ConfigDict

from configs import common


def get_config() -> ConfigDict:
    config = common.gpgaitpp("ccpg", widths=(64, 64, 128, 256), classes=100, masked=False)
    config.data.normalise = "oriented"
    config.train.update(steps=40_000, batch_size=128, per_identity=16, frames=30)
    config.loss.triplet.hard = True
    config.loss.cross_entropy.smoothing = 0.0
    config.schedule.lr = 0.002
    return config
