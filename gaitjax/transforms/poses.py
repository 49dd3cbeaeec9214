"""Random pose transforms as pure functions of (key, clips) (specification 4.1, 4.2).

Each takes a PRNG key, poses (N, T, V, 3), its strength and the joint format, and
draws for the whole batch at once. `POSE_TRANSFORMS` names them as configs do.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import Array

from gaitjax.errors import DataError
from gaitjax.skeleton import JointFormat, bones


def _hits(key: Array, shape: tuple[int, ...], probability: float) -> Array:
    return jax.random.uniform(key, shape) < probability


def flip_time(key: Array, poses: Array, probability: float, fmt: JointFormat) -> Array:
    """Reverse time, per clip."""
    hit = _hits(key, (poses.shape[0], 1, 1, 1), probability)
    return jnp.where(hit, poses[:, ::-1], poses)


def swap_sides(key: Array, poses: Array, probability: float, fmt: JointFormat) -> Array:
    """Exchange left and right joints, per frame; coordinates are not mirrored."""
    hit = _hits(key, (*poses.shape[:2], 1, 1), probability)
    return jnp.where(hit, poses[:, :, jnp.array(fmt.swap)], poses)


def mirror(key: Array, poses: Array, probability: float, fmt: JointFormat) -> Array:
    """x := 2 mean(x) - x about each frame's mean over all joints, per clip."""
    hit = _hits(key, (poses.shape[0], 1, 1), probability)
    x = poses[..., 0]
    mirrored = 2 * x.mean(axis=-1, keepdims=True) - x
    return poses.at[..., 0].set(jnp.where(hit, mirrored, x))


def joint_noise(key: Array, poses: Array, std: float, fmt: JointFormat) -> Array:
    """Shift each joint by N(0, std) pixels in x and y, constant over the clip."""
    n, _, v, _ = poses.shape
    noise = std * jax.random.normal(key, (n, 1, v, 2), poses.dtype)
    return poses + jnp.pad(noise, [(0, 0), (0, 0), (0, 0), (0, 1)])


def point_noise(key: Array, poses: Array, std: float, fmt: JointFormat) -> Array:
    """Add N(0, std) to every element, the confidence included."""
    return poses + std * jax.random.normal(key, poses.shape, poses.dtype)


def move(key: Array, poses: Array, reach: tuple[float, float], fmt: JointFormat) -> Array:
    """Shift each clip by U(-reach, reach) pixels in x and y."""
    shift = jax.random.uniform(key, (poses.shape[0], 1, 1, 2), poses.dtype, -1.0, 1.0)
    shift = shift * jnp.asarray(reach, poses.dtype)
    return poses + jnp.pad(shift, [(0, 0), (0, 0), (0, 0), (0, 1)])


def stretch(key: Array, poses: Array, reach: tuple[float, float], fmt: JointFormat) -> Array:
    """Each clip as a camera nearer, further, higher or aslant may show it.

    About the clip's middle x and y are multiplied by exp(a + b) and exp(a - b), and x is
    sheared by c y: a from U(-reach[0], reach[0]), b and c from U(-reach[1], reach[1]). Joints at
    (0, 0) are missed, and stay there.
    """
    size, form = reach
    a, b, c = jnp.moveaxis(
        jax.random.uniform(key, (poses.shape[0], 1, 1, 3), poses.dtype, -1.0, 1.0), -1, 0
    )
    xy = poses[..., :2]
    seen = (xy != 0).any(axis=-1, keepdims=True)
    middle = (xy * seen).sum(axis=(1, 2), keepdims=True) / jnp.maximum(
        seen.sum(axis=(1, 2), keepdims=True), 1
    )
    x, y = jnp.moveaxis(xy - middle, -1, 0)
    x, y = jnp.exp(size * a + form * b) * (x + form * c * y), jnp.exp(size * a - form * b) * y
    xy = jnp.where(seen, jnp.stack([x, y], axis=-1) + middle, xy)
    return jnp.concatenate([xy, poses[..., 2:]], axis=-1)


def bodies(key: Array, poses: Array, labels: Array, std: float, fmt: JointFormat) -> Array:
    """Each person of the batch with other limbs: bones longer or shorter by exp N(0, std).

    The same for all clips of a label (N,), on both sides and in all frames; what hangs on a bone
    moves along. Bones with an end that is missed, at (0, 0), keep their length, and missed joints
    stay there.
    """

    def drawn(label: Array) -> Array:
        return jax.random.normal(jax.random.fold_in(key, label), (fmt.num_joints + 1,))

    both = jnp.minimum(jnp.arange(fmt.num_joints + 1), bones.mirrored(fmt))
    factors = jnp.exp(std * jax.vmap(drawn)(labels)[:, both])  # (N, V + 1)
    xy = poses[..., :2]
    seen = (xy != 0).any(axis=-1, keepdims=True)
    neck, pelvis = (jnp.array(pair) for pair in bones.middles(fmt))
    middles = [xy[..., pair, :].mean(axis=-2, keepdims=True) for pair in (neck, pelvis)]
    there = [seen[..., pair, :].all(axis=-2, keepdims=True) for pair in (neck, pelvis)]
    points, there = (
        jnp.concatenate([x, *more], axis=-2) for x, more in ((xy, middles), (seen, there))
    )
    start = bones.starts(fmt)
    known = there[..., :-1, :] & there[..., start, :]
    vectors = points[..., :-1, :] - points[..., start, :]
    vectors = vectors * jnp.where(known, factors[:, None, :, None], 1).astype(xy.dtype)
    moved = points[..., -1:, :] + jnp.einsum("vb,ntbc->ntvc", bones.chains(fmt), vectors)
    return jnp.concatenate([jnp.where(seen, moved, xy), poses[..., 2:]], axis=-1)


def select(key: Array, poses: Array, frames: int, fmt: JointFormat) -> Array:
    """A random sub-window of `frames` frames per clip; the last start is never drawn (KEEP)."""
    n, t, _, _ = poses.shape
    if t <= frames:
        raise DataError(
            f"augment.select={frames} needs clips longer than that, but train.frames={t}; "
            f"set --config.train.frames to at least {frames + 1}"
        )
    start = jax.random.randint(key, (n, 1), 0, t - frames)
    index = start + jnp.arange(frames)
    return jnp.take_along_axis(poses, index[:, :, None, None], axis=1)


POSE_TRANSFORMS: dict[str, Callable[..., Array]] = {
    "flip_time": flip_time,
    "swap_sides": swap_sides,
    "mirror": mirror,
    "joint_noise": joint_noise,
    "point_noise": point_noise,
    "move": move,
    "stretch": stretch,
    "select": select,
}

CAMERAS = ("stretch",)  # as other cameras show a clip, in pixels

# The reference changes these in place, so in its two-view training they leak (section 4.2).
IN_PLACE = ("swap_sides", "mirror", "move")


def augment(key: Array, poses: Array, order, strengths, fmt: JointFormat, first: int = 0) -> Array:
    """Apply the transforms named in `order` with their `strengths`.

    The key of each follows its position, counted from `first`.
    """
    places = jnp.arange(first, first + len(order))
    keys = jax.vmap(jax.random.fold_in, (None, 0))(key, places)  # a generator's program once
    for i, name in enumerate(order):
        poses = POSE_TRANSFORMS[name](keys[i], poses, strengths[name], fmt)
    return poses


def two_views(
    key: Array, poses: Array, order, strengths, fmt: JointFormat, leak: bool = False
) -> Array:
    """Two augmented copies of every clip, (2N, T', V, 3): all first views, then all second.

    With `leak` the second view starts from what the leading in-place transforms made of
    the first, as the reference does.
    """
    keys = jax.random.split(key)
    views, leading = [poses, poses], 0
    while leak and leading < len(order) and order[leading] in IN_PLACE:
        leading += 1
    if leading:
        views[0] = augment(keys[0], poses, order[:leading], strengths, fmt)
        views[1] = augment(keys[1], views[0], order[:leading], strengths, fmt)

    def rest(key: Array, view: Array) -> Array:
        return augment(key, view, order[leading:], strengths, fmt, first=leading)

    both = jax.vmap(rest)(keys, jnp.stack(views))  # drawn for both in one program
    return both.reshape(-1, *both.shape[2:])
