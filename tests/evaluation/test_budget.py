"""Frames of a batch: from a device's memory, and what the compiler says of the scratch."""

import jax
import pytest

from gaitjax import models, sharding
from gaitjax.config import load
from gaitjax.evaluation import budget
from gaitjax.training import step
from tests.helpers import tiny_sets

GIB = 2**30


def scratch(config, model, rows: int, frames: int) -> int:
    """Bytes that the compiled embedding of a batch needs, as the compiler tells."""
    clips = jax.eval_shape(lambda: step.example_clips(config, frames))
    batch = {
        k: jax.ShapeDtypeStruct((rows, *leaf.shape[1:]), leaf.dtype) for k, leaf in clips.items()
    }
    if model.any_length:
        batch["mask"] = jax.ShapeDtypeStruct((rows, frames), bool)
    variables = step.variable_shapes(config, model)
    program = jax.jit(step.make_embed(config, model)).lower(variables, None, batch).compile()
    return program.memory_analysis().temp_size_in_bytes


@pytest.mark.parametrize(
    "name", ["gaittr_gait3d", "gaitgraph2_grew", "gaitgraph1_gait3d", "gpgait_gait3d"]
)
def test_a_full_batch_needs_no_more_than_its_budget(name):
    config = load(name)
    tiny_sets.shrink(config)
    model = models.build(config)
    config.eval.memory_gb = 1 / 64
    frames = budget.frames_in_batch(config, model, sharding.make_mesh())
    assert scratch(config, model, max(1, frames // 32), 32) < GIB / 64


def test_of_the_largest_layer():
    """SkeletonGait's first maps, 64 x 44 x 64 float32; GaitTR's queries, keys and values.

    On a TPU GaitTR's eight heads of 17 x 17 weights are larger, each filled up to 24 x 128.
    """
    for name, expected, on_tpu in (
        ("skeletongait_gait3d", 64 * 44 * 64 * 4, 64 * 48 * 128 * 4),
        ("gaittr_gait3d", 17 * (2 * 64 + 256) * 4, 8 * 24 * 128 * 4),
    ):
        config = load(name)
        assert budget.bytes_of_frame(config, models.build(config)) == expected
        assert budget.bytes_of_frame(config, models.build(config), budget.TILE) == on_tpu
        half = config.copy_and_resolve_references()
        half.eval.memory_gb = 1.0
        mesh = sharding.make_mesh()
        expected_frames = int(GIB / (budget.LAYERS * expected))
        assert budget.frames_in_batch(half, models.build(half), mesh) == expected_frames


def test_by_default_a_share_of_the_device(monkeypatch):
    config = load("skeletongait_gait3d")
    model, mesh = models.build(config), sharding.make_mesh()
    frame = budget.LAYERS * budget.bytes_of_frame(config, model)
    for there, expected in ((8 * GIB, 2 * GIB), (80 * GIB, 4 * GIB), (0, 4 * GIB)):
        total = there * jax.local_device_count("cpu")
        monkeypatch.setattr(sharding, "memory_of", lambda device, total=total: total)
        monkeypatch.setattr(budget, "UNKNOWN", 16 * GIB * jax.local_device_count("cpu"))
        assert budget.frames_in_batch(config, model, mesh) == int(expected / frame)
