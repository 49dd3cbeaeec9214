"""GPGait++ on SUSTech1K.

Paper: GPGait++ (IEEE TPAMI 2025).
Command:
    python -m gaitjax.train --config gpgaitpp_sustech1k --workdir out --config.data.root=DIR
Published Rank-1: its repository gives none; the paper's was not read here.
Differs from the shipped reference config: frames are turned by a true rotation and joints that were
missed are left out (`compat` brings back the reference's); evaluation batches freely, padded and
masked (reference: one sequence per device); the protocol is SUSTech1K's (reference: CCPG's, which
fails).
"""

from ml_collections import ConfigDict

from configs import common


def get_config() -> ConfigDict:
    config = common.gpgaitpp("sustech1k", widths=(64, 64, 128, 256), classes=250, masked=False)
    config.data.normalise = "oriented"
    config.train.update(steps=40_000, batch_size=64, per_identity=8, frames=30)
    config.loss.triplet.hard = True
    config.loss.cross_entropy.smoothing = 0.0
    return config
