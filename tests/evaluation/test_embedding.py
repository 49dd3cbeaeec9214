"""Embedding a data set of sequences of many lengths: exact, and compiled few times."""

import jax
import numpy as np

from gaitjax import models, sharding
from gaitjax.config import load
from gaitjax.data.feed import Feed
from gaitjax.evaluation import embedding
from gaitjax.training import step
from tests.helpers import tiny_sets

LENGTHS = (9, 17, 11, 24, 40, 24, 33, 9, 60, 21)


def test_every_sequence_has_the_embedding_it_has_alone(monkeypatch):
    config = load("gaittr_gait3d")
    tiny_sets.shrink(config)
    config.eval.batch_size = 8
    model = models.build(config)
    key, example = jax.random.key(0), step.example_clips(config)
    variables = jax.jit(lambda: step.init_variables(config, model, key, example))()
    rng = np.random.default_rng(0)
    sequences = [
        np.abs(rng.normal(60, 20, (length, 17, 3))).astype(np.float32) for length in LENGTHS
    ]

    traces = []
    make_embed = step.make_embed

    def counted(*args):
        embed = make_embed(*args)

        def traced(variables, frames, batch):
            traces.append(batch["mask"].shape)
            return embed(variables, frames, batch)

        return traced

    monkeypatch.setattr(step, "make_embed", counted)
    mesh, feed = sharding.make_mesh(), Feed.in_memory({"poses": sequences})
    together = embedding.embed_dataset(config, model, variables, feed, mesh)
    assert sorted(traces) == [(8, 16), (8, 24), (8, 40), (8, 64)]  # each compiled once

    alone = jax.jit(make_embed(config, model))
    for i, poses in enumerate(sequences):
        single = alone(variables, None, {"poses": poses[None]})["embed_1"]
        np.testing.assert_allclose(
            together["embed_1"][i], single[0], rtol=2e-5, atol=2e-5 * np.abs(single).max()
        )
