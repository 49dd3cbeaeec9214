"""GaitTR on walks of the CMU database, by the best recipe for cameras and people never seen.

Paper: Spatial Transformer Network on Skeleton-based Gait Recognition (arXiv 2204.03873).
Commands (docs/cmu_walks.md compares the recipe with others, on people who chose nothing too):
    CAMERAS=$(seq -s, -f %03g 0 10 350)
    python -m gaitjax.prepare cmu_walks --output DIR --vary --seed 4 --cameras $CAMERAS
    python -m gaitjax.train --config gaittr_cmu_walks_best --workdir out --config.data.root=DIR
The small network on oriented poses, each frame upright, of one size and place; walks filmed by
random cameras all around; batches of few clips of every person: two minutes of one core. Rank-1
across views, mean of seeds 0, 1, 2 (limb lengths alone): six cameras 93.2 (58.8), six others 96.4
(69.2), bodies a fifth as large, seen from higher 85.5 (59.3), random cameras 86.3 (63.7). On the
seven people by whom nothing was chosen: 87.3 (30.4), 91.0 (39.0), 73.6 (30.5), 84.3 (41.1).
For walks of one's own: --config.data.name=own --config.data.root=DIR.
"""

from ml_collections import ConfigDict

from configs import gaittr_cmu_walks


def get_config() -> ConfigDict:
    config = gaittr_cmu_walks.get_config()
    config.data.normalise = "oriented"
    config.train.update(steps=240, batch_size=28, per_identity=4, frames=30)
    return config
