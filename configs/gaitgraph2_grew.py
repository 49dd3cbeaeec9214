"""GaitGraph2 on GREW-Pose.

Paper: Towards a Deeper Understanding of Skeleton-based Gait Recognition (CVPRW 2022).
Command:
    python -m gaitjax.train --config gaitgraph2_grew --workdir out --config.data.root=DIR
Published Rank-1: 34.61 (OpenGait's skeleton model zoo; published, not reproduced here).
Differs from the shipped reference config: the test window is the central one (reference: random);
evaluation batches freely (reference: one sequence per device); the local split is scored
(reference: a submission file; `--config.eval.protocol=grew_submission`).
"""

from ml_collections import ConfigDict

from configs import common


def get_config() -> ConfigDict:
    config = common.gaitgraph2("grew", large=True)
    config.train.update(steps=50_000)
    config.schedule.three_phase = True
    return config
