"""Skeleton maps: poses drawn as two grey images, limbs and joints, on the device.

Source: specification section 11, steps 4 to 13 (SkeletonGait, Fan et al., AAAI 2024).
Every pixel of the 128 x 128 canvas holds the largest of 17 Gaussians. Its exponent is
minimised over the shapes instead and exponentiated once; confidences enter as logarithms
and windows as infinities.
"""

import contextlib
import importlib
import math
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from gaitjax.skeleton import COCO, LIMBS

CANVAS = 128
SIZE = 64
SIGMA = 8.0
RADIUS = 3 * SIGMA  # Gaussians end here
BODY = 85.0  # pixels of the canvas between a body's highest and lowest joint
MIN_CONFIDENCE = 1e-3
FRAMES_AT_ONCE = 256  # bounds the memory: at most 0.5 MiB each

_LEFT_HIP, _RIGHT_HIP = COCO.joints.index("left_hip"), COCO.joints.index("right_hip")
_STARTS, _ENDS = np.array(LIMBS, np.int32).T


def render(poses: jax.Array) -> jax.Array:
    """Draws imputed COCO-17 poses; pure JAX, in bounded memory.

    Computes in the float type of `poses`. float64 (needs 64-bit JAX, see `render_exact`)
    gives the reference's maps but for one grey level in about one pixel per million, and
    in some tens per million of crops smaller than the canvas. float32 differs by one level
    in about 1 % of the pixels, nearly all of them accidents of rounding in the last step.

    Args:
      poses: (..., T, 17, 3) x, y in pixels and confidence, missing joints already imputed.
        Joints with confidence below 0.001 are not drawn but count for centre and height.

    Returns:
      (..., T, 64, 64, 2) uint8: channel 0 limbs, channel 1 joints. Frames without height
      (all joints on one line of pixels, or all zero) are zeros.
    """
    if poses.ndim < 3 or poses.shape[-2:] != (COCO.num_joints, 3):
        raise ValueError(
            f"maps are drawn from poses (..., T, {COCO.num_joints}, 3), got {poses.shape}; "
            "convert 18-joint poses to COCO-17 when packing"
        )
    frames = jnp.moveaxis(poses, -3, 0)
    clips = math.prod(frames.shape[1:-2])
    # A number of clips that is not known yet (`gaitjax.export`) has no bound either.
    if not isinstance(clips, int) or frames.shape[0] * clips <= FRAMES_AT_ONCE:
        maps = _draw(frames)
    else:
        # Over time, never over clips: those may lie on different devices.
        maps = jax.lax.map(_draw, frames, batch_size=max(1, FRAMES_AT_ONCE // max(1, clips)))
    return jnp.moveaxis(maps, 0, -4)


def render_exact(poses: np.ndarray) -> np.ndarray:
    """`render` in float64, from the host: numpy in, numpy out, not for use under `jit`."""
    with _float64():
        return np.asarray(_render_jit(np.asarray(poses, np.float64)))


_render_jit = jax.jit(render)


def _float64() -> contextlib.AbstractContextManager:
    """Inside, JAX has 64-bit types; before JAX 0.8 that was experimental."""
    home = jax if hasattr(jax, "enable_x64") else importlib.import_module("jax.experimental")
    return home.enable_x64(True)


def _draw(poses: jax.Array) -> jax.Array:
    """(..., 17, 3) -> (..., 64, 64, 2) uint8."""
    xy, confidence = _normalise(poses)
    planes = [_limbs(xy, confidence), _joints(xy, confidence)]
    return jnp.stack([_align(_quantise(plane), poses.dtype) for plane in planes], axis=-1)


def _normalise(poses: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Hips to the middle of the canvas, the body's height to BODY pixels (step 4)."""
    xy, confidence = poses[..., :2], poses[..., 2]
    y = xy[..., 1]
    height = y.max(axis=-1) - y.min(axis=-1)
    upright = height > 0
    scale = BODY / jnp.where(upright, height, 1.0)
    hips = (xy[..., _LEFT_HIP, :] + xy[..., _RIGHT_HIP, :]) / 2
    xy = (xy - hips[..., None, :]) * scale[..., None, None] + CANVAS / 2
    return xy, jnp.where(upright[..., None], confidence, 0.0)


def _joints(xy: jax.Array, confidence: jax.Array) -> jax.Array:
    """Exponents of the joint map, (..., 128, 128) rows then columns (step 5)."""
    axes = _offsets(xy) ** 2 / (2 * SIGMA**2) + _window(xy, xy)
    across = axes[..., 0, :]
    down = axes[..., 1, :] + _cost(confidence)[..., None]
    exponent: jax.Array | float = jnp.inf
    # Written out joint by joint, so that it compiles to one loop over the pixels.
    for j in range(xy.shape[-2]):
        exponent = jnp.minimum(exponent, down[..., j, :, None] + across[..., j, None, :])
    return jnp.asarray(exponent)


def _limbs(xy: jax.Array, confidence: jax.Array) -> jax.Array:
    """Exponents of the limb map, (..., 128, 128): distances to segments (step 6)."""
    start, end = xy[..., _STARTS, :], xy[..., _ENDS, :]
    start_confidence = confidence[..., _STARTS]
    weakest = jnp.minimum(start_confidence, confidence[..., _ENDS])
    length2 = ((end - start) ** 2).sum(axis=-1)
    # Shorter than a pixel: the start joint is drawn instead, if the limb is seen at all.
    dot = length2 < 1
    end = jnp.where(dot[..., None], start, end)
    drawn_with = jnp.where(dot & (weakest >= MIN_CONFIDENCE), start_confidence, weakest)

    offset = _offsets(start)
    bone = (end - start)[..., None]
    along = offset * bone / jnp.where(dot, 1.0, length2)[..., None, None]
    window = _window(jnp.minimum(start, end), jnp.maximum(start, end))
    cost = _cost(drawn_with)[..., None]
    window = jnp.stack([window[..., 0, :], window[..., 1, :] + cost], axis=-2)
    exponent: jax.Array | float = jnp.inf
    for i in range(len(LIMBS)):
        x, y = _row(offset, i), _column(offset, i)
        t = jnp.clip(_row(along, i) + _column(along, i), 0.0, 1.0)
        distance2 = (x - t * _row(bone, i)) ** 2 + (y - t * _column(bone, i)) ** 2
        outside = _row(window, i) + _column(window, i)
        exponent = jnp.minimum(exponent, distance2 / (2 * SIGMA**2) + outside)
    return jnp.asarray(exponent)


def _row(axes: jax.Array, i: int) -> jax.Array:
    """The x part of shape i of (..., shapes, 2, pixels), to spread over rows."""
    return axes[..., i, 0, None, :]


def _column(axes: jax.Array, i: int) -> jax.Array:
    """The y part of shape i of (..., shapes, 2, pixels), to spread over columns."""
    return axes[..., i, 1, :, None]


def _offsets(points: jax.Array) -> jax.Array:
    """Pixel minus coordinate for every pixel of an axis: (...) -> (..., 128)."""
    return jnp.arange(CANVAS, dtype=points.dtype) - points[..., None]


def _window(low: jax.Array, high: jax.Array) -> jax.Array:
    """0 within RADIUS of [low, high], infinity outside: (...) -> (..., 128).

    Bounds are cut toward zero, so that a shape ending just left of or above the canvas
    still reaches its first pixel.
    """
    pixels = jnp.arange(CANVAS, dtype=low.dtype)
    first = jnp.trunc(low - RADIUS)[..., None]
    last = jnp.trunc(high + RADIUS)[..., None]
    return jnp.where((pixels >= first) & (pixels <= last), 0.0, jnp.inf).astype(low.dtype)


def _cost(confidence: jax.Array) -> jax.Array:
    """-log(confidence), infinite where it is too low to be drawn."""
    seen = confidence >= MIN_CONFIDENCE
    return jnp.where(seen, -jnp.log(jnp.where(seen, confidence, 1.0)), jnp.inf)


def _quantise(exponent: jax.Array) -> jax.Array:
    """exp(-exponent) to uint8 grey levels as matplotlib's `gray` gives them (step 8).

    Its 256 entries k / 255 come back from floats one level low for 24 values of k: every
    4th of 33..61, every 8th of 66..122, every 16th of 132..244.
    """
    value = jnp.exp(-exponent).astype(jnp.float32)
    k = jnp.minimum(value * 256, 255).astype(jnp.int32)
    low = (k > 32) & (k < 64) & (k % 4 == 1)
    low |= (k > 64) & (k < 128) & (k % 8 == 2)
    low |= (k > 128) & (k % 16 == 4)
    return (k - low).astype(jnp.uint8)


def _align(canvas: jax.Array, dtype: jnp.dtype) -> jax.Array:
    """Crops (..., 128, 128) uint8 to its own extent and resizes to (..., 64, 64) (steps 10-12).

    Rows from the first to the last that holds anything, as many columns about the
    middle; nearly always that is all of the canvas, and the resize a mean over 2 x 2.
    """
    drawn = (canvas > 0).any(axis=-1)
    top = jnp.argmax(drawn, axis=-1)
    height = CANVAS - jnp.argmax(drawn[..., ::-1], axis=-1) - top
    left = jnp.maximum(CANVAS // 2 - height // 2, 0)
    width = jnp.minimum(CANVAS // 2 + height // 2 + 1, CANVAS) - left

    if dtype == jnp.float64:
        # As the reference: levels / 255, whose rounding costs some means a level. From a
        # table, since XLA would multiply by the inverse.
        levels, unit = jnp.asarray(np.arange(256) / 255)[canvas.astype(jnp.int32)], 255.0
    else:
        levels, unit = canvas.astype(dtype), 1.0
    a, b = levels[..., 0::2, 0::2], levels[..., 0::2, 1::2]
    c, d = levels[..., 1::2, 0::2], levels[..., 1::2, 1::2]
    halved = (((a + b) + c) + d) / 4
    rows = _resize(top, height, height, dtype)
    columns = _resize(left, width, height, dtype)
    matmul = partial(jnp.matmul, precision="highest")
    resized = matmul(rows, matmul(levels, jnp.swapaxes(columns, -1, -2)))
    full = (height == CANVAS)[..., None, None]
    return (jnp.where(full, halved, resized) * unit).astype(jnp.uint8)


def _resize(start: jax.Array, length: jax.Array, height: jax.Array, dtype: jnp.dtype) -> jax.Array:
    """Weights (..., 64, 128) that take `length` pixels from `start` to SIZE pixels.

    OpenCV's area mode: the share of each output cell that a source pixel covers, rounded
    to float32. Crops lower than SIZE are enlarged on both axes, by its interpolation.
    """
    start, length = start[..., None, None], length[..., None, None]
    scale = length.astype(dtype) / SIZE
    cell = jnp.arange(SIZE, dtype=dtype)[:, None]
    pixel = (jnp.arange(CANVAS) - start).astype(dtype)

    low = cell * scale
    high = low + scale
    overlap = jnp.minimum(high, pixel + 1) - jnp.maximum(low, pixel)
    area = jnp.where(overlap > 1e-3, overlap, 0.0) / jnp.minimum(scale, length - low)

    source = jnp.floor(low)
    fraction = jnp.maximum(cell + 1 - (source + 1) / scale, 0.0)
    fraction = jnp.where(source >= length - 1, 0.0, fraction - jnp.floor(fraction))
    fraction = fraction.astype(jnp.float32).astype(dtype)
    linear = jnp.where(pixel == source, 1 - fraction, 0.0)
    linear += jnp.where(pixel == source + 1, fraction, 0.0)

    weights = jnp.where(height[..., None, None] < SIZE, linear, area)
    inside = (pixel >= 0) & (pixel < length)
    return jnp.where(inside, weights, 0.0).astype(jnp.float32).astype(dtype)
