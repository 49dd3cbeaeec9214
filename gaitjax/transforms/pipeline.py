"""From a batch of clips to the network's input, as a config says.

A batch is a dict: `poses` (N, T, V, 3) float32, or `maps` (N, T, 64, 64, 2) uint8, and for
SkeletonGait++ `silhouettes` (N, T, 64, 44 or 64) uint8.
"""

import jax
from jax import Array
from ml_collections import ConfigDict

from gaitjax.models import streams
from gaitjax.skeleton import joint_format
from gaitjax.transforms import images, maps, poses

IMAGE_MODELS = ("skeletongait", "skeletongaitpp")


def _image_clips(batch: dict[str, Array]) -> Array:
    """Maps (read or drawn from poses), with silhouettes as third channel: (N, T, H, W, C) uint8."""
    clips = batch["maps"] if "maps" in batch else maps.render(batch["poses"])
    if "silhouettes" in batch:
        clips = images.stack_silhouette(clips, batch["silhouettes"])
    return clips


def _pose_input(config: ConfigDict, clips: Array, mask: Array | None = None) -> Array:
    fmt = joint_format(config.model.joints)
    if config.model.name == "gaitgraph2":
        return streams.gaitgraph_streams(clips, fmt, config.model.input_centre)
    if config.model.name == "gaittr":
        return streams.gaittr_streams(clips, fmt, config.model.input_centre, mask)
    return clips


def eval_input(config: ConfigDict, batch: dict[str, Array]) -> Array:
    """The network's input without any random transform; `mask` (N, T) marks real frames."""
    if config.model.name in IMAGE_MODELS:
        return images.cut(_image_clips(batch))
    return _pose_input(config, batch["poses"], batch.get("mask"))


def train_input(config: ConfigDict, key: Array, batch: dict[str, Array]) -> Array:
    """The network's input with the transforms of `config.augment`, drawn from `key`.

    With `train.two_views` the first axis is doubled: all first views, then all second.
    `train.augment=False` keeps only what changes shapes (the first `augment.select` frames).
    """
    order = config.augment.order if config.train.augment else ()
    if config.model.name in IMAGE_MODELS:
        clips = _image_clips(batch)
        # The homography works on the full uint8 map, the rest on the cut one (section 4.8).
        for i, name in enumerate(order):
            if name != "perspective" and clips.dtype == "uint8":
                clips = images.cut(clips)
            step = getattr(images, name)
            clips = step(jax.random.fold_in(key, i), clips, config.augment[name])
        return images.cut(clips) if clips.dtype == "uint8" else clips

    fmt, clips = joint_format(config.model.joints), batch["poses"]
    if not config.train.augment and config.augment.select:
        clips = clips[:, : config.augment.select]
    if config.train.two_views:
        clips = poses.two_views(key, clips, order, config.augment, fmt, leak=config.compat)
    else:
        clips = poses.augment(key, clips, order, config.augment, fmt)
    return _pose_input(config, clips)
