"""GaitGraph2 on CU Denver's walks, seen by virtual cameras: the Kinect's 20 joints.

Paper: Towards a Deeper Understanding of Skeleton-based Gait Recognition (CVPRW 2022).
Commands (docs/open_walks.md says what DIR then holds):
    python -m gaitjax.prepare cu_denver --source gait --output DIR --joints 20
    python -m gaitjax.train --config gaitgraph2_cu_denver20 --workdir out --config.data.root=DIR
As gaitgraph2_cu_denver, centred on the point between the shoulders.
"""

from ml_collections import ConfigDict

from configs import common


def get_config() -> ConfigDict:
    config = common.gaitgraph2("cu_denver20", large=False)
    config.model.input_centre = config.model.tta_centre
    config.data.impute = "interpolate"
    config.train.update(steps=1500, batch_size=64, frames=40, log_every=50, save_every=500)
    config.optimizer.name = "adamw"
    config.eval.update(frames=40, gallery_types=("00",))
    return config
