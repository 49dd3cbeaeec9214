"""The joints that a pose estimator missed, filled in where the network runs.

What `gaitjax.data.poses.for_network` does on the host, in JAX and for padded sequences: poses
(N, T, V, 3), and mask (N, T) of the real frames. Frames outside the mask come out as anything.
"""

from collections.abc import Callable

import jax.numpy as jnp
from jax import Array

from gaitjax.skeleton.conversion import Conversion

NEIGHBOURS = 4  # of `gaitjax.data.imputation.knn`


def converted(poses: Array, conversion: Conversion) -> Array:
    """`conversion` of poses (N, T, V, 3)."""
    if conversion.have.joints == conversion.want.joints:
        return poses

    def joint(source: tuple[int, ...]) -> Array:
        parts = poses[..., jnp.array(source or (0,)), :]
        if not source:
            return jnp.zeros_like(parts[..., 0, :])
        if len(source) == 1:
            return parts[..., 0, :]
        seen = (parts[..., :2] != 0).any(axis=-1).all(axis=-1, keepdims=True)
        xy, confidence = parts[..., :2].mean(axis=-2), parts[..., 2:].min(axis=-2)
        return jnp.where(seen, jnp.concatenate([xy, confidence], axis=-1), 0)

    return jnp.stack([joint(source) for source in conversion.sources], axis=-2)


def frame_mean(poses: Array, mask: Array) -> Array:
    """As `gaitjax.data.imputation.frame_mean`: the joints in order, each from those before it."""
    joints = poses.shape[-2]
    total, filled = poses[..., :2].sum(axis=-2), []
    for joint in range(joints):
        pose = poses[..., joint, :]
        mean = jnp.concatenate([total / joints, jnp.zeros_like(pose[..., 2:])], axis=-1)
        filled.append(jnp.where(pose[..., :1] == 0, mean, pose))
        total = total + filled[-1][..., :2] - pose[..., :2]
    return jnp.stack(filled, axis=-2)


def interpolate(poses: Array, mask: Array) -> Array:
    """As `gaitjax.data.imputation.interpolate`: the line from the last sighting to the next."""
    now = jnp.arange(poses.shape[1])
    seen = ((poses[..., :2] != 0).any(axis=-1) & mask[..., None])[:, None]  # (N, 1, T, V)
    earlier, later = ((way & seen) for way in _ways(now))
    before = jnp.where(earlier, now[:, None], -1).max(axis=2)  # (N, T, V)
    after = jnp.where(later, now[:, None], len(now)).min(axis=2)
    first = jnp.where(before < 0, after, before)
    last = jnp.where(after >= len(now), before, after)
    share = (now[:, None] - first) / jnp.maximum(last - first, 1)

    def at(place: Array) -> Array:
        """Poses at the frames `place` (N, T, V), by a product: an exact one of ones and zeros."""
        chosen = (place[:, :, None] == now[:, None]).astype(poses.dtype)
        return jnp.einsum("ntsv,nsvc->ntvc", chosen, poses, precision="highest")

    start = at(first)
    line = start + (at(last) - start) * share[..., None].astype(poses.dtype)
    sighted = earlier.any(axis=2) | later.any(axis=2)
    return jnp.where((sighted & ~seen[:, 0])[..., None], line, poses)


def _ways(now: Array) -> tuple[Array, Array]:
    """(T, T, 1) bool: whether the second frame is not after the first, and not before it."""
    return (now <= now[:, None])[..., None], (now >= now[:, None])[..., None]


def knn(poses: Array, mask: Array) -> Array:
    """As `gaitjax.data.imputation.knn`: from the 4 most similar frames, nearer ones more."""
    n, frames, joints, _ = poses.shape
    table = poses[..., :2].reshape(n, frames, 2 * joints)
    present = (table != 0) & mask[..., None]
    both = present[:, :, None] & present[:, None]  # (N, T, T, 2V)
    squares = jnp.where(both, jnp.square(table[:, :, None] - table[:, None]), 0).sum(axis=-1)
    shared = both.sum(axis=-1)
    distance = jnp.sqrt(squares * (2 * joints) / jnp.maximum(shared, 1))
    distance = jnp.where(shared > 0, distance, jnp.inf)

    columns = jnp.moveaxis(present, 1, 2)[:, None]  # (N, 1, 2V, T): what each frame could give
    left = jnp.where(columns, -distance[:, :, None], -jnp.inf)  # (N, T, 2V, T)
    known = jnp.where(present, table, 0)
    givers = jnp.moveaxis(known, 1, 2)[:, None]
    found = []
    # One by one, not by `lax.top_k`: TensorFlow cannot read that with an open number of walks.
    for _ in range(min(NEIGHBOURS, frames)):
        place = jnp.argmax(left, axis=-1, keepdims=True)
        chosen = jnp.arange(frames) == place
        value = (chosen * givers).sum(axis=-1)
        found.append((left.max(axis=-1), value))
        left = jnp.where(chosen, -jnp.inf, left)
    nearness, values = (jnp.stack(each, axis=-1) for each in zip(*found, strict=True))
    exact = nearness == 0
    weights = jnp.where(exact, 1, -1 / jnp.where(exact, 1, nearness))
    weights = jnp.where(exact.any(axis=-1, keepdims=True), exact, weights)
    total = weights.sum(axis=-1)
    mean = (weights * values).sum(axis=-1) / jnp.where(total > 0, total, 1)
    over_time = known.sum(axis=1) / jnp.maximum(present.sum(axis=1), 1)
    filled = jnp.where(total > 0, mean, over_time[:, None])
    filled = jnp.where(table == 0, filled, table)
    every = present.any(axis=1).all(axis=-1)  # (N,): each coordinate is there in some frame
    table = jnp.where(every[:, None, None], filled, table)
    return jnp.concatenate([table.reshape(n, frames, joints, 2), poses[..., 2:]], axis=-1)


FILL: dict[str, Callable[[Array, Array], Array]] = {  # by the names of `data.poses.IMPUTE`
    "none": lambda poses, mask: poses,
    "frame_mean": frame_mean,
    "interpolate": interpolate,
    "knn": knn,
}
