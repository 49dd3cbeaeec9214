"""Image transforms: what they do against recorded results, what they draw against the facts."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gaitjax.transforms import images

GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "images.npz")
TRANSFORMS = (images.perspective, images.horizontal_flip, images.rotate)
LEVEL = 1 / 255


def clips(name):
    """A recorded (T, C, H, W) array as one clip (1, T, H, W, C)."""
    return np.moveaxis(GOLDEN[name], 1, -1)[None]


@pytest.mark.parametrize("case", ["0", "1", "2", "3channels"])
def test_perspective_equals_opencv_within_one_level(case):
    name = f"RandomPerspective_{case}"
    warped = images.warp_perspective(clips(f"{name}/in"), GOLDEN[f"{name}/corners"][None])
    difference = np.abs(np.asarray(warped).astype(int) - clips(f"{name}/out"))
    assert warped.dtype == jnp.uint8
    # In 0 and 2 no position lies halfway between two multiples of 1/32 pixel.
    assert difference.max() <= (0 if case in "02" else 1)


@pytest.mark.parametrize("case", range(3))
def test_rotation_equals_opencv_within_one_level(case):
    name = f"RandomRotate_{case}"
    source = clips(f"{name}/in").astype(np.float32)
    turned = images.rotate_by(source, GOLDEN[f"{name}/degree"][None])
    difference = np.abs(turned - clips(f"{name}/out"))
    assert difference.max() < 1.1 * LEVEL
    assert (difference > 1e-6).mean() < 0.03


def test_flip_equals_the_recorded_one():
    name = "RandomHorizontalFlip"
    flipped = images.horizontal_flip(jax.random.key(0), clips(f"{name}/in"), 1.0)
    assert np.array_equal(flipped, clips(f"{name}/out"))


@pytest.mark.parametrize("width", [64, 44])
def test_cut_equals_the_recorded_one(width):
    found = images.cut(jnp.asarray(clips(f"BaseSilCuttingTransform_{width}/in")))
    recorded = clips(f"BaseSilCuttingTransform_{width}/out")
    assert found.dtype == jnp.float32 and found.shape == recorded.shape
    np.testing.assert_allclose(found, recorded, atol=1e-7)


def test_cut_takes_twenty_columns_of_128():
    found = images.cut(jnp.asarray(GOLDEN["BaseSilCuttingTransform_128/in"])[..., None])
    np.testing.assert_allclose(found[..., 0], GOLDEN["BaseSilCuttingTransform_128/out"], atol=1e-7)


@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_probability_zero_changes_nothing(transform, dtype):
    x = np.random.default_rng(0).integers(0, 256, (3, 2, 64, 44, 3)).astype(dtype)
    out = transform(jax.random.key(1), x, 0.0)
    assert out.dtype == dtype and np.array_equal(out, x)


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_frames_and_channels_are_warped_alike_and_clips_are_not(transform):
    frame = np.random.default_rng(0).integers(0, 256, (64, 44)).astype(np.uint8)
    x = np.broadcast_to(frame[None, None, ..., None], (12, 2, 64, 44, 3))
    if transform is images.rotate:
        x = images.cut(jnp.asarray(x))
    out = np.asarray(jax.jit(transform)(jax.random.key(3), x, 0.5))
    assert np.array_equal(out, np.broadcast_to(out[:, :1, ..., :1], out.shape))
    changed = (out != np.asarray(x)).any(axis=(1, 2, 3, 4))
    assert changed.any() and not changed.all()


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_a_clip_is_chosen_with_the_given_probability(transform):
    x = np.broadcast_to(np.arange(44, dtype=np.float32)[:, None], (5000, 1, 8, 44, 1))
    out = np.asarray(transform(jax.random.key(0), x, 0.2))
    # Three standard errors.
    assert (out != x).any(axis=(1, 2, 3, 4)).mean() == pytest.approx(0.2, abs=0.017)


def test_corners_are_uniform_integers_of_the_outer_columns():
    n, height, width = 4000, 16, 64
    ramp = np.broadcast_to(np.arange(width, dtype=np.float32)[:, None], (n, 1, height, width, 1))
    out = np.asarray(images.perspective(jax.random.key(0), ramp, 1.0))[:, 0, ..., 0]
    # A ramp shows where its pixels came from: the corners follow from two points in two rows.
    column, row = 48, height - 2
    u, v = column / width, row / height
    top_left = out[:, 0, 0]
    top = (out[:, 0, column] - top_left) / u
    shrink = u * top / (out[:, row, column] - out[:, row, 0])
    bottom = top / (1 + (shrink - 1) / v)
    bottom_left = (out[:, row, 0] * shrink - top_left * (1 - v)) / v * bottom / top
    corners = np.stack([top_left, top_left + top, bottom_left, bottom_left + bottom], axis=1)
    drawn = np.rint(corners).astype(int)
    assert np.abs(corners - drawn).max() < 0.2
    assert drawn.min(axis=0).tolist() == [0, 54, 0, 54]
    assert drawn.max(axis=0).tolist() == [9, 63, 9, 63]
    for values in drawn.T:
        counts = np.unique(values, return_counts=True)[1]
        assert len(counts) == 10 and np.abs(counts - n / 10).max() < 4.5 * np.sqrt(n / 10)
    assert np.abs(np.corrcoef(drawn.T) - np.eye(4)).max() < 0.06


def test_angles_are_uniform_between_minus_and_plus_ten_degrees():
    n, height, width = 1500, 64, 44
    ramp = np.broadcast_to(np.arange(width, dtype=np.float32)[:, None], (n, 1, height, width, 1))
    out = np.asarray(images.rotate(jax.random.key(0), ramp, 1.0))[:, 0, ..., 0]
    # The centre is x = 32, y = 22; 30 rows below it the ramp shows 30 times the sine.
    assert np.abs(out[:, 22, 32] - 32).max() < 1e-4
    degrees = np.rad2deg(np.arcsin((32 - out[:, 52, 32]) / 30))
    assert -10.1 < degrees.min() < -9.8 and 9.8 < degrees.max() < 10.1
    assert degrees.mean() == pytest.approx(0, abs=3 * 5.77 / np.sqrt(n))
    assert degrees.std() == pytest.approx(20 / np.sqrt(12), rel=0.04)


def test_square_maps_are_cropped_to_narrow_silhouettes():
    rng = np.random.default_rng(0)
    maps = rng.integers(0, 256, (2, 3, 64, 64, 2)).astype(np.uint8)
    narrow = rng.integers(0, 256, (2, 3, 64, 44)).astype(np.uint8)
    stacked = np.asarray(images.stack_silhouette(maps, narrow))
    assert stacked.shape == (2, 3, 64, 44, 3) and stacked.dtype == np.uint8
    assert np.array_equal(stacked[..., :2], maps[..., 10:54, :])
    assert np.array_equal(stacked[..., 2], narrow)
    square = maps[..., 0]
    assert images.stack_silhouette(maps, square).shape == (2, 3, 64, 64, 3)


def test_maps_and_silhouettes_of_other_frames_are_refused():
    with pytest.raises(ValueError, match="same clips, frames"):
        images.stack_silhouette(
            np.zeros((2, 3, 64, 64, 2), np.uint8), np.zeros((2, 4, 64, 64), np.uint8)
        )
