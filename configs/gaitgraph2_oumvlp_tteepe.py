"""GaitGraph2 on OUMVLP-Pose, 18 joints, as its authors released it (github.com/tteepe/GaitGraph2).

Paper: Towards a Deeper Understanding of Skeleton-based Gait Recognition (CVPRW 2022).
Command:
    python -m converters.tteepe --config gaitgraph2_oumvlp_tteepe --checkpoint CKPT \
        --output weights.npz
    python -m gaitjax.evaluate --config gaitgraph2_oumvlp_tteepe --checkpoint weights.npz \
        --config.data.root=DIR
Published Rank-1: in the paper; not reproduced here.
Differs from gaitgraph2_oumvlp: the input's centre joint is the neck, as in the test-time views;
gallery and probe change places.
"""

from ml_collections import ConfigDict

from configs import gaitgraph2_oumvlp


def get_config() -> ConfigDict:
    config = gaitgraph2_oumvlp.get_config()
    config.model.input_centre = 1  # the neck
    config.eval.update(gallery_types=("00",), probe_types=("01",))
    return config
