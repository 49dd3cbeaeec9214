"""GaitTR on SUSTech1K poses.

Paper: Spatial Transformer Network on Skeleton-based Gait Recognition (arXiv 2204.03873).
Command:
    python -m gaitjax.train --config gaittr_sustech1k --workdir out --config.data.root=DIR
Published Rank-1: none in OpenGait's skeleton model zoo.
Differs from the shipped reference config: evaluation batches freely (reference: one sequence per
device).
"""

from ml_collections import ConfigDict

from configs import common


def get_config() -> ConfigDict:
    return common.gaittr("sustech1k")
