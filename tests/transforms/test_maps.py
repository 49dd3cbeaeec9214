"""Skeleton maps against recorded ones, in both precisions."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gaitjax.transforms import maps

GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "heatmap.npz")
CASES = sorted(name.split("/")[0] for name in GOLDEN if name.endswith("/maps"))
# Imputed poses (28, 17, 3) float64 and their maps (28, 64, 64, 2); all have one shape here,
# so that each precision is compiled once.
POSES = np.concatenate([GOLDEN[f"{case}/padded"] for case in CASES])
MAPS = np.moveaxis(np.concatenate([GOLDEN[f"{case}/maps"] for case in CASES]), 1, -1)
_render = jax.jit(maps.render)


def render(poses):
    return np.asarray(_render(np.asarray(poses, np.float32)))


def test_float64_equals_the_recorded_maps():
    assert np.array_equal(maps.render_exact(POSES), MAPS)


def test_float32_differs_by_one_level_in_few_pixels():
    difference = np.abs(render(POSES).astype(int) - MAPS)
    assert difference.max() == 1
    assert (difference > 0).mean() < 0.02


def test_quantisation_loses_a_level_where_matplotlib_does():
    exponent = -jnp.log((jnp.arange(256) + 0.5) / 256)
    table = (np.linspace(0, 1, 256) * 255).astype(np.uint8)
    assert np.array_equal(maps._quantise(exponent), table)
    assert np.array_equal(maps._quantise(jnp.array([-1.0, 0.0, jnp.inf])), [255, 255, 0])


def test_long_sequences_are_drawn_in_chunks_alike(monkeypatch):
    monkeypatch.setattr(maps, "FRAMES_AT_ONCE", 8)
    clips = POSES.reshape(4, 7, 17, 3).astype(np.float32)
    chunked = jax.jit(lambda x: maps.render(x))(clips)  # two frames at once, and one left over
    assert chunked.shape == (4, 7, 64, 64, 2) and chunked.dtype == np.uint8
    assert np.array_equal(chunked.reshape(-1, 64, 64, 2), render(POSES))


def test_memory_does_not_grow_with_every_pixel_of_every_limb():
    poses = jax.ShapeDtypeStruct((64, 30, 17, 3), jnp.float32)
    used = _render.lower(poses).compile().memory_analysis().temp_size_in_bytes
    assert used < 200e6  # 64 x 30 frames x 17 limbs x 128 x 128 floats would be 2 GB


@pytest.mark.parametrize("draw", [render, maps.render_exact])
def test_frames_without_height_are_empty(draw):
    poses = POSES.copy()
    poses[0] = 0
    poses[1, :, 1] = 77.0
    drawn = draw(poses)
    assert not drawn[:2].any()
    assert drawn[2:].any(axis=(1, 2)).all()


def test_joints_without_confidence_are_not_drawn_but_give_the_height():
    poses = POSES.copy()
    poses[:, 15:, 2] = 0.0009  # ankles
    drawn = render(poses)
    assert not np.array_equal(drawn, render(POSES))
    poses[:, 15:, 2] = 0
    assert np.array_equal(render(poses), drawn)
    moved = poses.copy()
    moved[:, 15:, 1] += 100
    assert not np.array_equal(render(moved), drawn)
    assert not render(POSES * [1, 1, 0]).any()


def test_limbs_shorter_than_a_pixel_become_their_start_joint():
    poses = POSES.copy()
    poses[..., 2] = 0
    poses[:, 9, :2] = poses[:, 7, :2]  # wrist and elbow
    poses[:, [7, 9], 2] = 0.9, 0.4
    limb = maps.render_exact(poses)[..., 0]
    poses[:, 9, 2] = 0
    joint = maps.render_exact(poses)[..., 1]
    assert joint.any() and np.array_equal(limb, joint)


def test_other_skeletons_are_refused():
    with pytest.raises(ValueError, match="17, 3.*COCO-17 when packing"):
        maps.render(jnp.zeros((2, 18, 3)))


@pytest.mark.parametrize("height", [127, 101, 65, 64, 50])
def test_area_weights_equal_opencv(height):
    cv2 = pytest.importorskip("cv2")
    width = 2 * (height // 2) + 1
    crop = np.random.default_rng(height).random((height, width))
    expected = cv2.resize(crop, (64, 64), interpolation=cv2.INTER_AREA)
    with jax.enable_x64(True):
        starts, sizes = jnp.array([1, 0]), jnp.array([height, width])
        heights = jnp.array([height, height])
        rows, columns = np.asarray(maps._resize(starts, sizes, heights, jnp.dtype("float64")))
    assert not rows[:, 0].any() and not rows[:, 1 + height :].any()
    found = rows[:, 1 : 1 + height] @ crop @ columns[:, :width].T
    np.testing.assert_allclose(found, expected, atol=1e-12)
