"""GaitGraph2 on walks of the CMU motion-capture database, seen by virtual cameras.

Paper: Towards a Deeper Understanding of Skeleton-based Gait Recognition (CVPRW 2022).
Commands (docs/cmu_walks.md says what DIR then holds):
    python -m gaitjax.prepare cmu_walks --output DIR
    python -m gaitjax.train --config gaitgraph2_cmu_walks --workdir out --config.data.root=DIR
The small network and short training: minutes on a laptop. The walks are a set to prove the whole
path on, too small to rank models with.
"""

from ml_collections import ConfigDict

from configs import common


def get_config() -> ConfigDict:
    config = common.gaitgraph2("cmu_walks", large=False)
    config.data.impute = "interpolate"
    config.train.update(steps=150, batch_size=24, frames=40, log_every=20, save_every=100)
    config.optimizer.name = "adamw"
    config.eval.update(frames=40, gallery_types=("00",))
    return config
