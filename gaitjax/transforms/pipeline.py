"""From a batch of clips to what the network declares it takes, transformed as a config says.

A batch is a dict: `poses` (N, T, V, 3) float32 or `maps` (N, T, 64, 64, 2) uint8, perhaps with
`silhouettes` (N, T, 64, 44 or 64) uint8. What a network declares: see `gaitjax.models`.
"""

import jax
from flax import linen as nn
from jax import Array
from ml_collections import ConfigDict

from gaitjax.errors import DataError
from gaitjax.skeleton import joint_format
from gaitjax.transforms import images, maps, orientation, poses

BODIES, SEEN = 1000, 1001  # folded into the key for what comes before the transforms in order


def _clips(config: ConfigDict, network: nn.Module, batch: dict[str, Array]) -> Array:
    """The clips of the batch that `network` takes: poses, or uint8 images (N, T, H, W, C).

    Maps are read or drawn from poses; silhouettes become their third channel.
    """
    clips = {name: batch[name] for name in ("poses", "maps", "silhouettes") if name in batch}
    if config.data.normalise:
        clips["poses"] = _normalised(config, network, batch)
    if "maps" in network.inputs and "poses" in clips:
        clips = {"maps": maps.render(clips.pop("poses")), **clips}
    if tuple(clips) != network.inputs:
        raise DataError(
            f"the network takes {' and '.join(network.inputs)}, but data.modality="
            f"{config.data.modality} gives {' and '.join(clips)}"
        )
    if "silhouettes" in clips:
        return images.stack_silhouette(clips["maps"], clips["silhouettes"])
    return clips[network.inputs[0]]


def _normalised(config: ConfigDict, network: nn.Module, batch: dict[str, Array]) -> Array:
    """The poses of the batch as `data.normalise` says."""
    if network.inputs != ("poses",):
        raise DataError(
            f"data.normalise={config.data.normalise} is of poses, and the network takes "
            f"{' and '.join(network.inputs)}, which are normalised when they are drawn; set "
            "data.normalise=''"
        )
    turn = config.data.normalise == "oriented"
    fmt = joint_format(config.model.joints)
    return orientation.oriented(batch["poses"], fmt, turn, compat=config.compat)


def eval_input(config: ConfigDict, network: nn.Module, batch: dict[str, Array]) -> Array:
    """The network's input without any random transform."""
    clips = _clips(config, network, batch)
    return clips if network.inputs == ("poses",) else images.cut(clips)


def train_input(
    config: ConfigDict, network: nn.Module, key: Array, batch: dict[str, Array]
) -> Array:
    """The network's input with the transforms of `config.augment`, drawn from `key`.

    What other cameras would show is drawn before `data.normalise` takes place and size away.
    With `train.two_views` the first axis is doubled: all first views, then all second.
    `train.augment=False` keeps only what changes shapes (the first `augment.select` frames).
    """
    if config.train.augment and config.augment.bodies:
        fmt, strength = joint_format(config.model.joints), config.augment.bodies
        changed = poses.bodies(
            jax.random.fold_in(key, BODIES), batch["poses"], batch["labels"], strength, fmt
        )
        batch = {**batch, "poses": changed}
    order = config.augment.order if config.train.augment else ()
    seen = [name for name in order if name in poses.CAMERAS and config.data.normalise]
    if seen:
        order = [name for name in order if name not in seen]
        fmt, moved = joint_format(config.model.joints), jax.random.fold_in(key, SEEN)
        batch = {**batch, "poses": poses.augment(moved, batch["poses"], seen, config.augment, fmt)}
    clips = _clips(config, network, batch)
    if network.inputs == ("poses",):
        fmt = joint_format(config.model.joints)
        if not config.train.augment and config.augment.select:
            clips = clips[:, : config.augment.select]
        if config.train.two_views:
            return poses.two_views(key, clips, order, config.augment, fmt, leak=config.compat)
        return poses.augment(key, clips, order, config.augment, fmt)

    # The homography works on the full uint8 map, the rest on the cut one (section 4.8).
    for i, name in enumerate(order):
        if name != "perspective" and clips.dtype == "uint8":
            clips = images.cut(clips)
        step = images.IMAGE_TRANSFORMS[name]
        clips = step(jax.random.fold_in(key, i), clips, config.augment[name])
    return images.cut(clips) if clips.dtype == "uint8" else clips
