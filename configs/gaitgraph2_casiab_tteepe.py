"""GaitGraph2 on CASIA-B poses, as its authors released it (github.com/tteepe/GaitGraph2).

Paper: Towards a Deeper Understanding of Skeleton-based Gait Recognition (CVPRW 2022).
Command:
    python -m converters.tteepe --config gaitgraph2_casiab_tteepe --checkpoint CKPT \
        --output weights.npz
    python -m gaitjax.evaluate --config gaitgraph2_casiab_tteepe --checkpoint weights.npz \
        --config.data.root=DIR
Published Rank-1: NM 82.0, BG 73.2, CL 63.6 (the paper; published, not reproduced here).
Differs from gaitgraph2_casiab: the bone of the nose ends at the nose itself.
"""

from ml_collections import ConfigDict

from configs import gaitgraph2_casiab


def get_config() -> ConfigDict:
    config = gaitgraph2_casiab.get_config()
    config.model.joints = "coco_tteepe"
    return config
