"""GPGait++ on Gait3D-Pose.

Paper: GPGait++ (IEEE TPAMI 2025).
Command:
    python -m gaitjax.train --config gpgaitpp_gait3d --workdir out --config.data.root=DIR
Published Rank-1: its repository gives none; the paper's was not read here.
Differs from the shipped reference config: frames are turned by a true rotation and joints that were
missed are left out (`compat` brings back the reference's); evaluation batches freely, padded and
masked (reference: one sequence per device).
"""

from ml_collections import ConfigDict

from configs import common


def get_config() -> ConfigDict:
    config = common.gpgaitpp("gait3d", widths=(64, 64, 128, 128, 256), classes=3_000, masked=False)
    config.data.normalise = "oriented"
    config.train.update(steps=60_000, batch_size=128, per_identity=4, frames=30, skip=2)
    return config
