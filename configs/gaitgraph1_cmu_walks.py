"""GaitGraph1 on walks of the CMU motion-capture database, seen by virtual cameras.

Paper: GaitGraph: Graph Convolutional Network for Skeleton-Based Gait Recognition (ICIP 2021).
Commands (docs/cmu_walks.md says what DIR then holds):
    python -m gaitjax.prepare cmu_walks --output DIR
    python -m gaitjax.train --config gaitgraph1_cmu_walks --workdir out --config.data.root=DIR
A small network and short training: minutes on a laptop.
"""

from ml_collections import ConfigDict

from configs import common


def get_config() -> ConfigDict:
    config = common.gaitgraph1("cmu_walks")
    config.data.impute = "interpolate"
    config.model.update(branch=(3, 64, 32), main=(32, 128, 256), embedding_dim=128)
    config.train.update(steps=600, batch_size=24, frames=60, log_every=20, save_every=100)
    config.schedule.lr = 2e-3
    config.augment.select = 30
    config.eval.update(frames=60, select=30, gallery_types=("00",))
    return config
