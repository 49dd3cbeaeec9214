"""GaitGraph on CASIA-B poses, as its authors released it (github.com/tteepe/GaitGraph).

Paper: GaitGraph: Graph Convolutional Network for Skeleton-Based Gait Recognition (ICIP 2021).
Command:
    python -m converters.tteepe --config gaitgraph1_casiab_tteepe \
        --checkpoint gaitgraph_resgcn-n39-r8_coco_seq_60.pth --output weights.npz
    python -m gaitjax.evaluate --config gaitgraph1_casiab_tteepe --checkpoint weights.npz \
        --config.data.root=DIR
Published Rank-1: NM 87.7, BG 74.8, CL 66.3 (the paper; published, not reproduced here).
Differs from gaitgraph1_casiab: the embedding is that of the clip alone (the authors' test-time
flip reverses an axis of length 1), and of length 1.
"""

from ml_collections import ConfigDict

from configs import gaitgraph1_casiab


def get_config() -> ConfigDict:
    config = gaitgraph1_casiab.get_config()
    config.model.joints = "coco_tteepe"
    config.model.tta = False
    return config
