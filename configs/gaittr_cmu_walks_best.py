"""GaitTR on walks of the CMU database, by the best of three recipes on cameras never seen.

Paper: Spatial Transformer Network on Skeleton-based Gait Recognition (arXiv 2204.03873).
Commands (docs/cmu_walks.md says what DIR then holds, and compares the recipe with others):
    python -m gaitjax.prepare cmu_walks --output DIR
    python -m gaitjax.train --config gaittr_cmu_walks_best --workdir out --config.data.root=DIR
The small network on poses of one size and place, and batches of few clips of every person: two
minutes of one core. Rank-1 across views, seed 0: 91.7, on azimuths not trained on 93.2, on bodies
a fifth as large 71.2 (limb lengths alone: 58.8, 69.2, 59.3).
For walks of one's own: --config.data.name=own --config.data.root=DIR.
"""

from ml_collections import ConfigDict

from configs import gaittr_cmu_walks


def get_config() -> ConfigDict:
    config = gaittr_cmu_walks.get_config()
    config.data.normalise = "centred"
    config.train.update(steps=240, batch_size=28, per_identity=4, frames=30)
    return config
