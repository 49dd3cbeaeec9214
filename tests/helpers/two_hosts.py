"""One of two processes of tests.training.test_hosts: what must be the same on both.

`python -m tests.helpers.two_hosts FILE`, with JAX_COORDINATOR_ADDRESS and so on, checks that both
processes draw the same batches and gather the same embeddings; the first one writes them.
"""

import sys
from pathlib import Path

import jax
import numpy as np
from jax.experimental.multihost_utils import process_allgather

from gaitjax import models, sharding
from gaitjax.data.feed import Feed
from gaitjax.evaluation import embedding
from gaitjax.training import setup, step
from tests.helpers import tiny


def embeddings(config) -> np.ndarray:
    """Of the test set, by the network's first weights, over all devices of all processes."""
    model, mesh = models.build(config), sharding.make_mesh()
    example = step.example_clips(config)
    variables = jax.jit(
        lambda: step.init_variables(config, model, jax.random.key(0), example),
        out_shardings=sharding.replicated(mesh),
    )()
    variables = jax.tree.map(np.asarray, variables)
    feed = Feed.open(config, "test", mesh)
    return embedding.embed_dataset(config, model, variables, feed, mesh)["embed_1"]


def batches(config) -> np.ndarray:
    """Labels and frames of the first three batches."""
    mesh = sharding.make_mesh()
    batch_at = setup.batches(config, Feed.open(config, "train", mesh), mesh)
    drawn = [process_allgather(batch_at(t), tiled=True) for t in range(3)]
    return np.stack([np.column_stack([batch["labels"], batch["index"]]) for batch in drawn])


def main() -> None:
    sharding.start(multihost=True)
    assert jax.process_count() == 2
    path = Path(sys.argv[-1])
    config = tiny.config(path.parent, "--config.eval.batch_size=30")  # the last one: 4 of 64
    for made in (batches(config), embeddings(config)):
        ours, other = process_allgather(made)
        np.testing.assert_array_equal(ours, other)
    if jax.process_index() == 0:
        np.save(path, made)


if __name__ == "__main__":
    main()
