"""Embedding a data set of sequences of many lengths: exact, in bounded memory, few programs."""

import jax
import numpy as np
import pytest

from gaitjax import models, sharding
from gaitjax.config import load
from gaitjax.data.feed import Feed
from gaitjax.evaluation import embedding
from gaitjax.training import step
from tests.helpers import tiny_sets

LENGTHS = (9, 17, 1, 24, 40, 24, 33, 9, 200, 21, 2)


def network(name: str, *lengths: int, **fields):
    """(config, model, variables, sequences): a small network, its statistics made of walks."""
    config = load(name)
    tiny_sets.shrink(config)
    config.eval.batch_size = 8
    config.model.update(**fields)
    model = models.build(config)
    rng = np.random.default_rng(0)
    walk = np.concatenate([tiny_sets.poses(i, 17) for i in range(8)])
    walk[..., :2] = (walk[..., :2] - 120) / 60  # so that no rounding grows in untrained layers
    walks = [np.resize(walk, (n, 17, 3)) for n in lengths]
    variables = jax.jit(
        lambda: step.init_variables(config, model, jax.random.key(0), step.example_clips(config))
    )()
    variables["batch_stats"] = jax.tree.map(
        lambda leaf: leaf - 0.1 * rng.uniform(size=leaf.shape).astype(np.float32),
        variables["batch_stats"],
    )
    return config, model, variables, walks


def assert_as_alone(config, model, variables, walks, together):
    """Within 1e-6 of what the network makes of each sequence by itself, unpadded."""
    alone = jax.jit(step.make_embed(config, model))
    for i, poses in enumerate(walks):
        single = alone(variables, None, {"poses": poses[None]})
        for name, value in together.items():
            difference = np.abs(value[i] - single[name][0]).max()
            assert np.abs(single[name]).max() > 1e-3
            assert difference < 1e-6 * np.abs(single[name]).max(), (name, len(poses))


@pytest.mark.parametrize("name", ["gaittr_gait3d", "skeletongait_gait3d"])
def test_every_sequence_has_the_embedding_it_has_alone(name):
    """In padded batches, and, where the memory is small, in pieces; each shape compiled once."""
    config, model, variables, walks = network(name, *LENGTHS)
    mesh, feed, shapes = sharding.make_mesh(), Feed.in_memory({"poses": walks}), []
    whole = embedding.embed_dataset(config, model, variables, feed, mesh)
    assert_as_alone(config, model, variables, walks, whole)

    made = embedding.programs(config, model, mesh)

    def traced(program):
        def run(variables, frames, batch):
            shapes.append(batch["mask"].shape)
            return program(variables, frames, batch)

        return jax.jit(run)

    small = made._replace(frames=64, embed=traced(made.embed), piece=traced(made.piece))
    pieces = embedding.embed_dataset(config, model, variables, feed, mesh, small)
    assert_as_alone(config, model, variables, walks, pieces)
    before, after = model.sees
    assert sorted(shapes) == sorted(set(shapes))
    each = [(n / mesh.size, t) for n, t in shapes]  # device
    assert all(n * t <= 64 or n == 1 for n, t in each)
    assert len(shapes) == 4 and max(t for _, t in shapes) <= 64 + before + after
