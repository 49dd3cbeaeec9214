"""GaitGraph2 on Van Criekinge's walks, seen by virtual cameras.

Paper: Towards a Deeper Understanding of Skeleton-based Gait Recognition (CVPRW 2022).
Commands (docs/open_walks.md says what DIR then holds):
    python -m gaitjax.prepare van_criekinge --source figshare --output DIR
    python -m gaitjax.train --config gaitgraph2_van_criekinge --workdir out --config.data.root=DIR
The small network and a short training, as on the CMU walks; never run on the real archives.
"""

from ml_collections import ConfigDict

from configs import common


def get_config() -> ConfigDict:
    config = common.gaitgraph2("van_criekinge", large=False)
    config.data.impute = "interpolate"
    config.train.update(steps=1500, batch_size=64, frames=40, log_every=50, save_every=500)
    config.optimizer.name = "adamw"
    config.eval.frames = 40
    return config
