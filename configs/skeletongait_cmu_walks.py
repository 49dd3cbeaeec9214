"""SkeletonGait on walks of the CMU motion-capture database, seen by virtual cameras.

Paper: SkeletonGait: Gait Recognition Using Skeleton Maps (AAAI 2024, arXiv 2311.13444).
Commands (docs/cmu_walks.md says what DIR then holds):
    python -m gaitjax.prepare cmu_walks --output DIR
    python -m gaitjax.train --config skeletongait_cmu_walks --workdir out --config.data.root=DIR
A small network and short training: minutes on a laptop.
"""

from ml_collections import ConfigDict

from configs import common


def get_config() -> ConfigDict:
    config = common.skeletongait("cmu_walks", layers=(1, 1, 1, 1))
    config.data.impute = "interpolate"
    config.model.channels = (16, 32, 48, 64)
    config.train.update(steps=120, batch_size=14, per_identity=2, frames=8)
    config.train.update(log_every=20, save_every=60)
    config.schedule.update(lr=0.05, milestones=(80, 105))
    config.eval.update(limit=24, gallery_types=("00",))
    return config
