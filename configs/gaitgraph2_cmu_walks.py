"""GaitGraph2 on walks of the CMU motion-capture database, seen by virtual cameras.

Paper: Towards a Deeper Understanding of Skeleton-based Gait Recognition (CVPRW 2022).
Command:
    python -m gaitjax.train --config gaitgraph2_cmu_walks --workdir out --config.data.root=DIR
"""

from ml_collections import ConfigDict

from configs import common


def get_config() -> ConfigDict:
    config = common.gaitgraph2("cmu_walks", large=False)
    config.train.update(steps=300, batch_size=64, log_every=20, save_every=100)
    config.optimizer.name = "adamw"
    config.eval.gallery_types = ("00",)
    return config
