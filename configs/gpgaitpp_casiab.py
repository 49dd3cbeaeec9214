"""GPGait++ on CASIA-B.

Paper: GPGait++ (IEEE TPAMI 2025).
Command:
    python -m gaitjax.train --config gpgaitpp_casiab --workdir out --config.data.root=DIR
Published Rank-1: its repository gives none; the paper's was not read here.
Differs from the shipped reference config: joints that were missed are left out of the height
(`compat` brings back the reference's); evaluation batches freely, padded and masked (reference: one
sequence per device).
"""

from ml_collections import ConfigDict

from configs import common


def get_config() -> ConfigDict:
    config = common.gpgaitpp("casiab", widths=(64, 64, 128, 256), classes=74, masked=True)
    config.data.normalise = "centred"
    config.train.update(steps=40_000, batch_size=128, per_identity=32, frames=30)
    config.augment.update(order=("swap_sides", "joint_noise"), swap_sides=0.1, joint_noise=0.3)
    config.loss.triplet.hard = True
    config.loss.cross_entropy.smoothing = 0.0
    return config
