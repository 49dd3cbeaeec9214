"""Network inputs made from poses: joint, velocity and bone channels (specification 4.6, 4.7).

All functions are pure JAX, take poses (..., T, V, 3) = x, y in pixels and confidence,
and keep every leading axis.
"""

import jax.numpy as jnp
from jax import Array

from gaitjax.skeleton import JointFormat


def _displacement(xy: Array, frames: int, mask: Array | None = None) -> Array:
    """p(t + frames) - p(t), zero in the last two frames whatever `frames` is (KEEP).

    With `mask` (..., T) of the real frames, in the last two real ones and the padding.
    """
    t = xy.shape[-3]
    valid = max(t - 2, 0)
    moved = xy[..., frames : frames + valid, :, :] - xy[..., :valid, :, :]
    if mask is not None:
        moved = jnp.where(mask[..., 2:, None, None], moved, 0)
    pad = [(0, 0)] * (xy.ndim - 3) + [(0, t - valid), (0, 0), (0, 0)]
    return jnp.pad(moved, pad)


def _bone(xy: Array, fmt: JointFormat) -> Array:
    return xy - xy[..., jnp.array(fmt.parents), :]


def gaitgraph_streams(poses: Array, fmt: JointFormat, centre: int) -> Array:
    """GaitGraph2's input, (..., T, V, 3, 5): joint, velocity and bone streams.

    The confidence overwrites one velocity and one bone channel, and another stays
    zero, as in the released models (section 4.7).
    """
    xy, conf = poses[..., :2], poses[..., 2:]
    zero = jnp.zeros_like(conf)
    step1, step2 = _displacement(xy, 1), _displacement(xy, 2)
    bone = _bone(xy, fmt)
    bx, by = bone[..., :1], bone[..., 1:]
    # arccos(by / (|b| + 1e-4)) without the cancellation near vertical bones.
    length = jnp.sqrt(bx**2 + by**2)
    angle = jnp.arctan2(jnp.sqrt(bx**2 + 2e-4 * length + 1e-8), by)
    joint = jnp.concatenate([poses, xy - xy[..., centre : centre + 1, :]], axis=-1)
    velocity = jnp.concatenate([step1, zero, conf, step2[..., 1:]], axis=-1)
    bones = jnp.concatenate([bone, zero, conf, angle], axis=-1)
    return jnp.stack([joint, velocity, bones], axis=-2)


def gaittr_streams(
    poses: Array, fmt: JointFormat, centre: int = 0, mask: Array | None = None
) -> Array:
    """GaitTR's input, (..., T, V, 10): position, offset to `centre`, motion, bone (section 4.6).

    With `mask` (..., T), real frames come out as they would without the padding after them.
    """
    xy = poses[..., :2]
    offset = xy - xy[..., centre : centre + 1, :]
    moved = [_displacement(xy, frames, mask) for frames in (1, 2)]
    parts = [xy, offset, *moved, _bone(xy, fmt)]
    return jnp.concatenate(parts, axis=-1)
