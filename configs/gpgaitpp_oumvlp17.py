"""GPGait++ on OUMVLP-Pose, 17 joints.

Paper: GPGait++ (IEEE TPAMI 2025).
Command:
    python -m gaitjax.train --config gpgaitpp_oumvlp17 --workdir out --config.data.root=DIR
Published Rank-1: its repository gives none; the paper's was not read here.
Differs from the shipped reference config: joints that were missed are left out of the height
(`compat` brings back the reference's); evaluation batches freely, padded and masked (reference: one
sequence per device); `share_num: 4` is ignored by the reference: the trunk has 3 blocks.
"""

from ml_collections import ConfigDict

from configs import common


def get_config() -> ConfigDict:
    config = common.gpgaitpp(
        "oumvlp17", widths=(64, 128, 128, 128, 128, 256, 256), classes=5_153, masked=False
    )
    config.data.normalise = "centred"
    config.train.update(steps=150_000, batch_size=512, per_identity=16, frames=15)
    return config
