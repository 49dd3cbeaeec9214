"""GaitTR on Gait3D-Pose.

Paper: Spatial Transformer Network on Skeleton-based Gait Recognition (arXiv 2204.03873).
Command:
    python -m gaitjax.train --config gaittr_gait3d --workdir out --config.data.root=DIR
Published Rank-1: 7.20 (OpenGait's skeleton model zoo; published, not reproduced here).
Differs from the shipped reference config: evaluation batches freely (reference: one sequence per
device).
"""

from ml_collections import ConfigDict

from configs import common


def get_config() -> ConfigDict:
    return common.gaittr("gait3d")
