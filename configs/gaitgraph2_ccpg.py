"""GaitGraph2 on CCPG poses.

Paper: Towards a Deeper Understanding of Skeleton-based Gait Recognition (CVPRW 2022).
Command:
    python -m gaitjax.train --config gaitgraph2_ccpg --workdir out --config.data.root=DIR
Published Rank-1: none in OpenGait's skeleton model zoo.
Differs from the shipped reference config: the test window is the central one (reference: random);
evaluation batches freely (reference: one sequence per device).
"""

from ml_collections import ConfigDict

from configs import common


def get_config() -> ConfigDict:
    config = common.gaitgraph2("ccpg", large=False)
    config.model.reduction = 4
    config.train.update(steps=2_000)
    config.augment.update(joint_noise=0.1, move=(3.0, 1.0))
    config.schedule.three_phase = True
    config.eval.frames = 30
    return config
