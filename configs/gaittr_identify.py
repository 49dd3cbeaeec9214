"""The network that `python -m gaitjax.identify` brings along: a small GaitTR.

Paper: Spatial Transformer Network on Skeleton-based Gait Recognition (arXiv 2204.03873).
Command, which makes the data, trains and writes gaitjax/identification/network/:
    python docs/make_network.py --output DIR --cmu CMU
Trained on synthetic walkers and on walks of the CMU motion-capture database, in one folder
(docs/identify.md). Every frame is brought to one place and height, so that the camera, its
distance and the image's size do not matter; walks of any length are embedded whole.
"""

from ml_collections import ConfigDict

from configs import common


def get_config() -> ConfigDict:
    config = common.gaittr("walkers")
    config.data.update(impute="interpolate", normalise="centred")
    config.model.update(widths=(10, 32, 32, 64), embedding_dim=96, dropout=0.0)
    config.loss = ConfigDict(dict(supcon_lp=dict(temperature=0.05)))
    config.optimizer.update(name="adamw", weight_decay=1e-3)
    config.schedule.lr = 3e-3
    config.train.update(steps=800, batch_size=32, per_identity=4, frames=25)
    config.train.update(log_every=20, save_every=100)
    config.augment.order = ("mirror", "joint_noise", "point_noise")
    config.augment.update(mirror=0.5, joint_noise=1.5, point_noise=0.5)
    config.eval.update(metric="cos", batch_size=32, gallery_types=("nm-01", "00"))
    return config
