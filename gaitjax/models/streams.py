"""Network inputs made from poses: joint, velocity and bone channels (specification 4.6, 4.7).

All functions are pure JAX, take poses (..., T, V, 3) = x, y in pixels and confidence,
and keep every leading axis.
"""

import jax.numpy as jnp
from jax import Array

from gaitjax.skeleton import JointFormat

STEPS = 2  # frames after each that its motion is taken over, at most


def _displacement(xy: Array, frames: int, mask: Array | None = None) -> Array:
    """p(t + frames) - p(t), zero in the last two frames whatever `frames` is (KEEP).

    With `mask` (..., T) of the real frames, in the last two real ones and the padding.
    """
    t = xy.shape[-3]
    valid = max(t - STEPS, 0)
    moved = xy[..., frames : frames + valid, :, :] - xy[..., :valid, :, :]
    if mask is not None:
        moved = jnp.where(mask[..., STEPS:, None, None], moved, 0)
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


# The two joints between which a joint's angle is, or the one whose limb is held against the
# vertical (section 16.2).
_ANGLES = {
    "nose": ("left_eye", "right_eye"),
    "left_eye": ("nose", "left_ear"),
    "right_eye": ("right_ear", "nose"),
    "left_ear": ("left_eye",),
    "right_ear": ("right_eye",),
} | {
    f"{side}_{joint}": tuple(f"{side}_{other}" for other in others)
    for side in ("left", "right")
    for joint, others in {
        "shoulder": ("elbow", "hip"),
        "elbow": ("shoulder", "wrist"),
        "wrist": ("elbow",),
        "hip": ("shoulder", "knee"),
        "knee": ("hip", "ankle"),
        "ankle": ("knee",),
    }.items()
}


def gpgait_descriptors(poses: Array, fmt: JointFormat, leave_out: bool = True) -> Array:
    """GPGait's input, (..., T, V, 5): position, bone, and pi less the angle at each joint.

    A straight limb has the angle 0; at the ends of limbs it is that to the vertical. Sides of
    length 0 give pi, and frames whose joints are all in one place 0, as in the released models.
    With `leave_out` the bones and angles of joints that were missed, at the origin without
    confidence, are 0; after the reference's normalisation none of them is there any more, unless
    both shoulders were missed (section 16.2).
    """
    xy = poses[..., :2]
    index = {name: fmt.joints.index(name) for name in _ANGLES}
    first = jnp.array([index[_ANGLES[name][0]] for name in fmt.joints])
    second = jnp.array([index[_ANGLES[name][-1]] for name in fmt.joints])
    at_end = jnp.array([len(_ANGLES[name]) == 1 for name in fmt.joints])
    a = xy[..., first, :] - xy
    b = jnp.where(at_end[:, None], a * jnp.array([0.0, 1.0], a.dtype), xy[..., second, :] - xy)
    dot = (a * b).sum(axis=-1)
    cross = jnp.abs(a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0])
    nothing = ((a == 0).all(axis=-1)) | ((b == 0).all(axis=-1))
    # arctan2 of numbers that are not both 0, so that its gradient is finite too.
    angle = jnp.arctan2(jnp.where(nothing, 0, cross), jnp.where(nothing, 1, dot))
    bent = jnp.pi - angle
    one_place = (xy == xy[..., :1, :]).all(axis=(-1, -2), keepdims=False)[..., None]
    bent = jnp.where(one_place, 0, bent)
    bone = _bone(xy, fmt)
    if leave_out:
        gone = (poses == 0).all(axis=-1)
        parents = jnp.array(fmt.parents)
        bone = jnp.where((gone | gone[..., parents])[..., None], 0, bone)
        bent = jnp.where(gone | gone[..., first] | gone[..., second], 0, bent)
    return jnp.concatenate([xy, bone, bent[..., None]], axis=-1)
