"""GaitTR on walks of the CMU motion-capture database, seen by virtual cameras.

Paper: Spatial Transformer Network on Skeleton-based Gait Recognition (arXiv 2204.03873).
Commands (docs/cmu_walks.md says what DIR then holds):
    python -m gaitjax.prepare cmu_walks --output DIR
    python -m gaitjax.train --config gaittr_cmu_walks --workdir out --config.data.root=DIR
A small network and short training: minutes on a laptop.
"""

from ml_collections import ConfigDict

from configs import common


def get_config() -> ConfigDict:
    config = common.gaittr("cmu_walks")
    config.data.impute = "interpolate"
    config.model.update(widths=(10, 32, 32, 64), embedding_dim=64)
    config.schedule.lr = 3e-3
    config.train.update(steps=700, batch_size=28, frames=40, log_every=20, save_every=100)
    config.eval.update(batch_size=16, gallery_types=("00",))
    return config
