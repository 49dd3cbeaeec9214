"""One device and several: the same training step, the same embeddings, one checkpoint for all.

Several devices are simulated on the CPU.
"""

import jax
import numpy as np
import pytest

from gaitjax import models, sharding
from gaitjax.config import load
from gaitjax.data.feed import Feed
from gaitjax.evaluation import embedding
from gaitjax.evaluation.of_checkpoint import Wishes, evaluate_checkpoint
from gaitjax.train import train
from gaitjax.training import checkpoint, optim, step
from gaitjax.transforms import pipeline
from tests.helpers import tiny, tiny_sets
from tests.helpers.devices import mesh_of
from tests.programs import devices

MODELS = ("gaitgraph1", "gaitgraph2", "gaittr", "skeletongait", "skeletongaitpp")


@pytest.fixture(autouse=True)
def unoptimised(request):
    """Compiling takes most of the time: without optimisation where that changes no result."""
    # The gradient of a maximum is 0/0 if the compiler rounds what it compares in two ways.
    optimised = "skeletongait" in request.node.name or "training_on" in request.node.name
    jax.config.update("jax_disable_most_optimizations", not optimised)
    yield
    jax.config.update("jax_disable_most_optimizations", False)


def tiny_config(name: str):
    config = tiny_sets.shrink(load(f"{name}_gait3d"))
    if name.startswith("skeletongait"):
        config.data.modality = config.data.modality.replace("pose", "map")
        config.augment.order = ("horizontal_flip",)  # the warps take long to compile
        config.train.frames = 2  # and double convolutions to run
    return config


def clips(config, count: int, frames: int) -> dict[str, np.ndarray]:
    """What the config's files would hold, as clips (count, frames, ...)."""
    rng, shape = np.random.default_rng(0), (count, frames, 64)
    made = {
        "pose": lambda: np.stack([tiny_sets.poses(i, 17)[:frames] for i in range(count)]),
        "map": lambda: rng.integers(0, 256, (*shape, 64, 2), np.uint8),
        "silhouette": lambda: rng.integers(0, 2, (*shape, 44), np.uint8) * 255,
    }
    return {f"{part}s": made[part]() for part in config.data.modality.split("+")}


@pytest.mark.parametrize("name", MODELS)
def test_a_training_step_is_the_same_on_eight_devices(name):
    """Input, loss, gradients and batch statistics: all over the global batch.

    In double precision, where the comparison is sharp: at temperature 0.01 single precision
    magnifies the order of a sum to percents of a gradient, and at a tie of two maxima it
    sends a gradient elsewhere.
    """
    config = tiny_config(name)
    model, key = models.build(config), jax.random.key(0)
    labels = np.arange(tiny_sets.BATCH) // 2

    def run(variables, batch, labels):
        x = pipeline.train_input(config, model, key, batch)
        grads, stats, metrics = step.gradients(config, model, variables, x, labels, key)
        return {"gradients": grads, "statistics": stats, "metrics": metrics}

    example = step.example_clips(config)
    variables = jax.jit(lambda: step.init_variables(config, model, key, example))()
    batch = clips(config, tiny_sets.BATCH, config.train.frames)
    results = []
    with jax.enable_x64(True):
        variables = jax.tree.map(lambda a: np.asarray(a, np.float64), variables)
        if "poses" in batch:
            batch["poses"] = batch["poses"].astype(np.float64)
        for count in (1, 8):
            whole, split = sharding.replicated(mesh_of(count)), sharding.batched(mesh_of(count))
            program = jax.jit(run, in_shardings=(whole, split, split), out_shardings=whole)
            args = sharding.put_tree((batch, labels), split)
            results.append(jax.device_get(program(sharding.put_tree(variables, whole), *args)))
    one, eight = results
    assert one["metrics"]["loss"].dtype == np.float64
    scale = max(float(np.abs(leaf).max()) for leaf in jax.tree.leaves(one["gradients"]))
    for part, size in (("gradients", scale), ("statistics", 1), ("metrics", 1)):
        jax.tree.map(
            lambda a, b, atol=1e-10 * size: np.testing.assert_allclose(a, b, rtol=1e-8, atol=atol),
            one[part],
            eight[part],
        )


def test_ten_steps_on_eight_devices_differ_by_rounding_alone(tmp_path):
    """The whole step: single precision drifts apart, double precision by no more than its own."""
    config = tiny.config(tmp_path, "--config.train.steps=10")
    apart = devices.apart(config, 10)
    assert len(apart) == 10 and apart.max() < 1e-9


@pytest.mark.parametrize("name", MODELS)
def test_embeddings_are_the_same_on_eight_devices(name):
    """Eleven sequences in batches of eight: the last batch is not full."""
    config = tiny_config(name)
    config.eval.batch_size = 7  # made a multiple of the devices
    model, key, example = models.build(config), jax.random.key(0), step.example_clips(config)
    variables = jax.jit(lambda: step.init_variables(config, model, key, example))()
    sequences = clips(config, 11, config.eval.frames)
    feed = Feed.in_memory(sequences)
    one, eight = (
        embedding.embed_dataset(config, model, variables, feed, mesh_of(count)) for count in (1, 8)
    )
    for part, expected in one.items():
        assert len(expected) == 11 and not np.allclose(expected[0], expected[10])
        scale = np.abs(expected).max()
        np.testing.assert_allclose(eight[part], expected, rtol=1e-5, atol=1e-5 * scale)


@pytest.mark.parametrize("count", [1, 2])
def test_a_checkpoint_of_eight_devices_is_restored(tmp_path, count):
    config = tiny_sets.shrink(load("gaitgraph2_gait3d"))
    model = models.build(config)
    tx = optim.optimizer(config, step.variable_shapes(config, model)["params"])
    many, few = sharding.replicated(mesh_of(8)), sharding.replicated(mesh_of(count))
    state = jax.jit(lambda: step.init_state(config, model, tx), out_shardings=many)()
    with checkpoint.manager(tmp_path, keep=1) as checkpoints:
        checkpoint.save(checkpoints, 3, state, config)
        checkpoints.wait_until_finished()
        template = jax.tree.map(
            lambda a: jax.ShapeDtypeStruct(a.shape, a.dtype, sharding=few), state
        )
        restored = checkpoint.restore(checkpoints, template)
    assert jax.tree.structure(restored) == jax.tree.structure(state)
    for ours, saved in zip(jax.tree.leaves(restored), jax.tree.leaves(state), strict=True):
        assert ours.sharding == few and ours.dtype == saved.dtype
        np.testing.assert_array_equal(ours, saved)


def test_training_on_eight_devices_goes_on_and_is_evaluated_on_one(tmp_path, monkeypatch, capsys):
    config = tiny.config(tmp_path, "--config.train.steps=2")
    train(config, tmp_path / "out")
    plain = Wishes(figures=False)
    there = evaluate_checkpoint(config, tmp_path / "out", tmp_path / "a", plain)
    assert "devices: 8 x" in capsys.readouterr().out
    monkeypatch.setattr(sharding, "make_mesh", lambda: mesh_of(1))
    here = evaluate_checkpoint(config, tmp_path / "out", tmp_path / "b", plain)
    assert here["headline"]["Rank-1"] == pytest.approx(there["headline"]["Rank-1"], abs=2.1)
    _, last = train(config, tmp_path / "out")  # finished: nothing more to do
    said = capsys.readouterr().out
    assert "devices: 1 x" in said and "at step 2" in said and last == {}
