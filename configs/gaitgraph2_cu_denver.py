"""GaitGraph2 on CU Denver's walks, seen by virtual cameras: 17 joints of COCO without a face.

Paper: Towards a Deeper Understanding of Skeleton-based Gait Recognition (CVPRW 2022).
Commands (docs/open_walks.md says what DIR then holds):
    python -m gaitjax.prepare cu_denver --source gait --output DIR
    python -m gaitjax.train --config gaitgraph2_cu_denver --workdir out --config.data.root=DIR
The small network and a short training, as on the CMU walks; never run on the real files. The
nose, GaitGraph2's usual centre, is never there: the left shoulder takes its place.
gaitgraph2_cu_denver20 knows the Kinect's own joints, none of which is missing.
"""

from ml_collections import ConfigDict

from configs import common
from gaitjax.skeleton import COCO


def get_config() -> ConfigDict:
    config = common.gaitgraph2("cu_denver", large=False)
    config.model.input_centre = config.model.tta_centre = COCO.joints.index("left_shoulder")
    config.data.impute = "interpolate"
    config.train.update(steps=1500, batch_size=64, frames=40, log_every=50, save_every=500)
    config.optimizer.name = "adamw"
    config.eval.update(frames=40, gallery_types=("00",))
    return config
