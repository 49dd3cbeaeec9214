"""Poses independent of camera, place and size: GPGait's human-oriented transform (section 16.1).

Every frame by itself: `upright` turns it about the neck until the spine is vertical, `rescaled`
makes it 225 high and puts the neck at the origin. Poses (..., V, 3) = x, y in pixels (y down) and
confidence, which is not looked at by the reference: joints that were missed, at (0, 0), are turned
and measured like the others. Here they are left out, and come out at (0, 0); `compat` keeps them,
and the reference's rotation.
"""

import jax.numpy as jnp
from jax import Array

from gaitjax.errors import DataError
from gaitjax.skeleton import JointFormat

HEIGHT = 225.0
SHOULDERS = ("left_shoulder", "right_shoulder")
HIPS = ("left_hip", "right_hip")


def _middle(poses: Array, joints: tuple[str, ...], fmt: JointFormat) -> Array:
    """Mean position (..., 1, 2) of the joints with these names.

    DataError if the format lacks one.
    """
    if missing := [name for name in joints if name not in fmt.joints]:
        raise DataError(
            f"joint format {fmt.name} has no {' and '.join(missing)}, by which poses are "
            "normalised; set data.normalise='' or work on coco (model.joints)"
        )
    index = jnp.array([fmt.joints.index(name) for name in joints])
    return poses[..., index, :2].mean(axis=-2, keepdims=True)


def missed(poses: Array) -> Array:
    """(..., V) bool: joints at (0, 0), as estimators write what they did not find."""
    return (poses[..., 0] == 0) & (poses[..., 1] == 0)


def upright(poses: Array, fmt: JointFormat, compat: bool = False) -> Array:
    """Each frame turned about the middle of its shoulders until the hips are below or above it.

    The turn is the short one: who stands on the head stays so. Shoulders and hips at one height
    are not turned. With `compat` y is computed from the x that was already turned, which shortens
    a torso of tilt a by cos(a), as in the released weights' training.
    """
    neck = _middle(poses, SHOULDERS, fmt)
    spine = _middle(poses, HIPS, fmt) - neck
    dx, dy = spine[..., 0], spine[..., 1]
    turned = dy != 0
    length = jnp.sqrt(dx**2 + jnp.where(turned, dy, 1) ** 2)
    cos = jnp.where(turned, jnp.abs(dy) / length, 1)
    sin = jnp.where(turned, dx * jnp.sign(dy) / length, 0)
    offset = poses[..., :2] - neck
    x = cos * offset[..., 0] - sin * offset[..., 1]
    y = sin * (x if compat else offset[..., 0]) + cos * offset[..., 1]
    xy = jnp.stack([x, y], axis=-1) + neck
    if not compat:
        xy = jnp.where(missed(poses)[..., None], 0, xy)
    return jnp.concatenate([xy, poses[..., 2:]], axis=-1)


def rescaled(
    poses: Array,
    fmt: JointFormat,
    compat: bool = False,
    height: float = HEIGHT,
    centre: tuple[str, ...] = SHOULDERS,
) -> Array:
    """Each frame made `height` high, with the middle of the joints `centre` at the origin.

    A frame without height (no joint, or all of them on one line) becomes zeros; the reference
    makes numbers of it that are not finite.
    """
    y, gone = poses[..., 1], missed(poses)
    if compat:
        gone = jnp.zeros_like(gone)
    top = jnp.where(gone, jnp.inf, y).min(axis=-1)
    bottom = jnp.where(gone, -jnp.inf, y).max(axis=-1)
    flat = ~(bottom > top)  # true also where every joint is missed
    scale = jnp.where(flat, 0, height / jnp.where(flat, 1, bottom - top))[..., None, None]
    xy = (poses[..., :2] - _middle(poses, centre, fmt)) * scale
    return jnp.concatenate([jnp.where(gone[..., None], 0, xy), poses[..., 2:]], axis=-1)


def oriented(poses: Array, fmt: JointFormat, turn: bool = True, compat: bool = False) -> Array:
    """`upright` (if `turn`), then `rescaled`."""
    return rescaled(upright(poses, fmt, compat) if turn else poses, fmt, compat)
