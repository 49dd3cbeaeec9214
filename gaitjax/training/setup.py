"""The parts of a training run, made in one place: network, optimiser, step, batches.

Training, dry run, benchmark, scaling and the ahead-of-time table all take them from here, so
what they measure is what is run.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import linen as nn
from jax import ShapeDtypeStruct
from jax.sharding import Mesh
from ml_collections import ConfigDict

from gaitjax import models, sharding
from gaitjax.data import sampling
from gaitjax.data.feed import Feed
from gaitjax.training import optim, step


class Setup(NamedTuple):
    """What a config says about training, ready to be used on the devices of a mesh.

    Attributes:
      mesh: the devices; they may belong to a machine that is not there.
      model: the network; `optimizer`, `lr`: its optimiser, and the rate as a function of the step.
      shapes: shapes and dtypes of the state.
    """

    config: ConfigDict
    mesh: Mesh
    model: nn.Module
    optimizer: optax.GradientTransformation
    lr: Callable
    shapes: dict


def make(config: ConfigDict, mesh: Mesh) -> Setup:
    """The setup of `config`; nothing is computed or compiled.

    Raises:
      DataError: unknown network, optimiser, schedule, or a `train.freeze` that matches nothing.
    """
    model = models.build(config)
    optimizer = optim.optimizer(config, step.variable_shapes(config, model)["params"])
    lr, _ = optim.schedule(config.schedule, config.train.steps)
    shapes = jax.eval_shape(lambda: step.init_state(config, model, optimizer))
    return Setup(config, mesh, model, optimizer, lr, shapes)


def initial_state(setup: Setup) -> dict:
    """The state before the first step, on every device; depends on `config.seed` alone."""
    config, _, model, optimizer, *_ = setup
    whole = sharding.replicated(setup.mesh)
    start = partial(step.init_state, config, model, optimizer)
    return sharding.jit(start, setup.mesh, out_shardings=whole)()


def update(setup: Setup) -> jax.stages.Wrapped:
    """The training step, jitted: (state, frames, tuple of batches) -> (state, metrics).

    As many steps as there are batches are made in one program; the state is consumed.
    """
    whole, split = sharding.replicated(setup.mesh), sharding.batched(setup.mesh)
    one = step.make_update(setup.config, setup.model, setup.optimizer, setup.lr)
    return sharding.jit(
        step.several(one, loop=not sharding.on_cpu(setup.mesh)),
        setup.mesh,
        donate_argnums=(0,),
        in_shardings=(whole, whole, split),
        out_shardings=(whole, whole),
    )


def embed(setup: Setup) -> jax.stages.Wrapped:
    """The embedding of a batch, jitted: (variables, frames, batch) -> {"embed_1": (N, D, P)}."""
    whole = sharding.replicated(setup.mesh)
    embed = step.make_embed(setup.config, setup.model)
    return sharding.jit(embed, setup.mesh, out_shardings=whole)


def variables(state: dict) -> dict:
    """The weights to evaluate in a state: the averaged parameters where it keeps an average."""
    return {"params": state.get("ema", state["params"]), "batch_stats": state["batch_stats"]}


def batches(config: ConfigDict, feed: Feed, mesh: Mesh) -> Callable[[int], dict]:
    """The batch of step t, on the devices, as a function of t (and the seed) alone.

    A batch is {"labels": (N,) int32, ...} with the clips as `Feed.clips` gives them.
    """
    train, split = config.train, sharding.batched(mesh)
    class_ids = np.unique(feed.labels, return_inverse=True)[1].astype(np.int32)

    def batch_at(t: int) -> dict:
        rows = sampling.rows(
            class_ids, train.batch_size, train.per_identity, train.shuffle, config.seed, t
        )
        windows = sampling.windows(
            feed.lengths, rows, train.frames, train.skip, train.clip, config.seed, t
        )
        return sharding.put_tree({"labels": class_ids[rows], **feed.clips(rows, windows)}, split)

    return batch_at


def shapes(
    setup: Setup, resident: int = 0, size: tuple[int, int] | None = None
) -> tuple[dict, ShapeDtypeStruct | None, dict]:
    """Shapes of (state, frames, batch) as `update` takes them, placed on the mesh.

    Args:
      size: sequences and frames of a batch; default: those of training.
      resident: rows of the poses that live on the devices, with batches of indices into them;
        0, or a modality without poses: the clips come with the batch.
    """
    whole, split = sharding.replicated(setup.mesh), sharding.batched(setup.mesh)
    n, t = size or (setup.config.train.batch_size, setup.config.train.frames)
    clip = jax.eval_shape(lambda: step.example_clips(setup.config, t))
    batch = {
        k: ShapeDtypeStruct((n, *a.shape[1:]), a.dtype, sharding=split) for k, a in clip.items()
    }
    batch["labels"] = ShapeDtypeStruct((n,), jnp.int32, sharding=split)
    frames = None
    if resident and "poses" in batch:
        joints = batch.pop("poses").shape[2:]
        frames = ShapeDtypeStruct((resident, *joints), jnp.float32, sharding=whole)
        batch["index"] = ShapeDtypeStruct((n, t), jnp.int32, sharding=split)
    state = jax.tree.map(
        lambda leaf: ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=whole), setup.shapes
    )
    return state, frames, batch
