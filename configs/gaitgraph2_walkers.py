"""GaitGraph2 on synthetic walkers: runs anywhere, with no data set at hand.

Paper: Towards a Deeper Understanding of Skeleton-based Gait Recognition (CVPRW 2022).
Command:
    python -m gaitjax.train --config gaitgraph2_walkers --workdir out
The walkers are made at the first start. The small network, short clips and P x K batches
keep training to minutes on two CPU cores; README says what came out.
"""

from ml_collections import ConfigDict

from configs import common


def get_config() -> ConfigDict:
    config = common.gaitgraph2("walkers", large=False)
    config.train.update(steps=200, batch_size=64, per_identity=4, frames=24)
    config.train.update(log_every=20, save_every=100)
    config.augment.swap_sides = 0.0
    config.eval.update(frames=24, window="mean", gallery_types=("nm-01",))
    return config
