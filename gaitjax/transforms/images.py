"""Random transforms of image clips (maps, maps with a silhouette), on the device.

Source: specification section 4.8. Clips are (N, T, H, W, C), uint8 until `cut`, float
in [0, 1] after it. A random transform takes (key, clips, probability) and draws for each
clip by itself; all frames and channels of a clip are warped alike. `IMAGE_TRANSFORMS` names
them as configs do. The part without chance stands beside it.
"""

import jax
import jax.numpy as jnp

from gaitjax.errors import DataError

MAX_DEGREES = 10.0
SUBPIXELS = 32  # OpenCV's warps interpolate at multiples of 1/32 pixel


def perspective(key: jax.Array, clips: jax.Array, probability: float) -> jax.Array:
    """Stretches a random quadrilateral of the full height to the whole image.

    Its corners' x are uniform integers among the first (left corners) or last (right)
    10 columns, of images from 44 to 87 wide.
    """
    n, width = clips.shape[0], clips.shape[-2]
    margin = width // 44 * 10
    chosen_key, corner_key = jax.random.split(key)
    chosen = jax.random.bernoulli(chosen_key, probability, (n,))
    corners = jax.random.randint(corner_key, (n, 4), 0, margin)
    corners += jnp.array([0, width - margin, 0, width - margin])
    whole = jnp.array([0, width, 0, width])
    corners = jnp.where(chosen[:, None], corners, whole)
    return _if_any(chosen, warp_perspective, clips, corners)


def horizontal_flip(key: jax.Array, clips: jax.Array, probability: float) -> jax.Array:
    """Mirrors clips left to right."""
    chosen = jax.random.bernoulli(key, probability, clips.shape[:1])
    return jnp.where(chosen[:, None, None, None, None], jnp.flip(clips, axis=-2), clips)


def rotate(key: jax.Array, clips: jax.Array, probability: float) -> jax.Array:
    """Rotates clips by an angle uniform in [-10, 10] degrees; see `rotate_by`."""
    n = clips.shape[0]
    chosen_key, angle_key = jax.random.split(key)
    chosen = jax.random.bernoulli(chosen_key, probability, (n,))
    degrees = jax.random.uniform(angle_key, (n,), minval=-MAX_DEGREES, maxval=MAX_DEGREES)
    degrees = jnp.where(chosen, degrees, 0.0)
    return _if_any(chosen, rotate_by, clips, degrees)


def cut(clips: jax.Array) -> jax.Array:
    """uint8 grey levels to float32 in [0, 1], without 10 columns a side for each 64 of width.

    64 wide becomes 44, 128 becomes 88; narrower images than 64 keep their width.
    """
    width = clips.shape[-2]
    side = width // 64 * 10
    return clips[..., side : width - side, :].astype(jnp.float32) / 255


def stack_silhouette(maps: jax.Array, silhouettes: jax.Array) -> jax.Array:
    """Maps (..., H, W, 2) and silhouettes (..., H, w) as one image (..., H, w, 3), section 5.7.

    Before augmentation, so that both are warped alike. Square maps are cropped about
    their middle to silhouettes that are not. Raises DataError if frames or sizes differ.
    """
    height, width = silhouettes.shape[-2:]
    if height != width and maps.shape[-3] == maps.shape[-2]:
        side = (height - width) // 2
        maps = maps[..., side : maps.shape[-2] - side, :]
    if maps.shape[:-1] != silhouettes.shape:
        raise DataError(
            f"maps {maps.shape} and silhouettes {silhouettes.shape} do not lie on each other; "
            "both need the same clips, frames, height and (after cropping square maps) width"
        )
    return jnp.concatenate([maps, silhouettes[..., None].astype(maps.dtype)], axis=-1)


IMAGE_TRANSFORMS = {
    "perspective": perspective,
    "horizontal_flip": horizontal_flip,
    "rotate": rotate,
}


def warp_perspective(clips: jax.Array, corners: jax.Array) -> jax.Array:
    """Maps the quadrilateral with `corners` onto the whole image, as OpenCV to one level.

    Args:
      clips: (N, T, H, W, C).
      corners: (N, 4) x of top left, top right, bottom left, bottom right; their y are 0
        and H. (0, W, 0, W) leaves a clip exactly as it is.
    """
    height, width = clips.shape[-3:-1]
    corners = corners.astype(_float_type(clips))[..., None, None]
    top_left, top_right, bottom_left, bottom_right = jnp.moveaxis(corners, 1, 0)
    v, u = jnp.arange(height)[:, None] / height, jnp.arange(width) / width
    # The homography from the unit square; top and bottom stay horizontal.
    h = (top_right - top_left) / (bottom_right - bottom_left) - 1
    w = 1 + h * v
    x = (top_left + (top_right - top_left) * u + ((1 + h) * bottom_left - top_left) * v) / w
    y = (1 + h) * height * v / w
    return _sample(clips, x, jnp.broadcast_to(y, x.shape))


def rotate_by(clips: jax.Array, degrees: jax.Array) -> jax.Array:
    """Rotates clips (N, T, H, W, C) counterclockwise by degrees (N,), as OpenCV to one level.

    The centre is (x, y) = (H // 2, W // 2), off the body's axis unless the image is
    square: the reference swaps the two, and published weights were trained so. An angle
    of 0 leaves a clip exactly as it is.
    """
    height, width = clips.shape[-3:-1]
    angle = jnp.deg2rad(degrees.astype(_float_type(clips)))[:, None, None]
    cos, sin = jnp.cos(angle), jnp.sin(angle)
    x = jnp.arange(width) - height // 2
    y = jnp.arange(height)[:, None] - width // 2
    return _sample(clips, height // 2 + cos * x - sin * y, width // 2 + sin * x + cos * y)


def _if_any(chosen: jax.Array, warp, clips: jax.Array, draws: jax.Array) -> jax.Array:
    """warp(clips, draws) unless no clip is chosen.

    Even where one always is, the branch keeps XLA from fusing successive warps, which
    would compute the first one anew for each of the second one's four neighbours.
    """
    return jax.lax.cond(chosen.any(), warp, lambda clips, _: clips, clips, draws)


def _float_type(clips: jax.Array) -> jnp.dtype:
    return clips.dtype if jnp.issubdtype(clips.dtype, jnp.floating) else jnp.dtype(jnp.float32)


def _sample(clips: jax.Array, x: jax.Array, y: jax.Array) -> jax.Array:
    """Bilinear values at positions (N, H, W) of all frames and channels; zero outside."""
    n, t, height, width, c = clips.shape
    # Pixels first: each position fetches all frames and channels at once.
    pixels = jnp.moveaxis(clips, 1, 3).reshape(n, height * width, t * c)
    x, y = (jnp.round(p.reshape(n, -1) * SUBPIXELS) / SUBPIXELS for p in (x, y))
    left, top = jnp.floor(x), jnp.floor(y)

    def neighbour(right: int, down: int) -> jax.Array:
        column, row = left + right, top + down
        inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
        weight = (1 - jnp.abs(x - column)) * (1 - jnp.abs(y - row)) * inside
        index = jnp.where(inside, row * width + column, 0).astype(jnp.int32)
        value = jnp.take_along_axis(pixels, index[..., None], axis=1)
        return weight[..., None] * value.astype(weight.dtype)

    out = neighbour(0, 0) + neighbour(1, 0) + neighbour(0, 1) + neighbour(1, 1)
    if clips.dtype == jnp.uint8:
        out = jnp.floor(out + 0.5).astype(jnp.uint8)
    return jnp.moveaxis(out.reshape(n, height, width, t, c), 3, 1)
