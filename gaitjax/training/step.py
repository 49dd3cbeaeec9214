"""The training state, and the pure functions that update it and embed with it.

State is a plain dict: `step` (int32), `params`, `batch_stats`, `opt_state` and, with
`train.ema`, `ema` (averaged parameters). A batch is a dict of global arrays: `labels` (N,)
int32 and either `index` (N, T) into the resident frames or the clips themselves.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import optax
from flax import linen as nn
from jax import Array
from ml_collections import ConfigDict

from gaitjax import models
from gaitjax.models.ops import keep_products
from gaitjax.skeleton import joint_format
from gaitjax.training import vectors
from gaitjax.training.losses import total_loss
from gaitjax.transforms import pipeline


def clips_of(frames: Array | None, batch: dict) -> dict:
    """The batch with its clips: gathered from the resident `frames` where it only has indices."""
    if "index" not in batch or frames is None:
        return batch
    return {**batch, "poses": frames[batch["index"]]}


def init_variables(config: ConfigDict, model: nn.Module, key: Array, clips: dict) -> dict:
    """{"params", "batch_stats"} for clips of the shapes in `clips` (pytree of arrays)."""
    x = pipeline.eval_input(config, model, clips)
    return models.init(model, key, x)


def example_clips(config: ConfigDict, frames: int = 0) -> dict:
    """One clip of zeros with the shapes that `config` feeds its network; 0 frames: as trained."""
    frames = frames or config.augment.select or config.train.frames
    if config.data.modality.startswith("map"):
        clips = {"maps": jnp.zeros((1, frames, 64, 64, 2), jnp.uint8)}
    else:
        joints = joint_format(config.model.joints).num_joints
        clips = {"poses": jnp.zeros((1, frames, joints, 3), jnp.float32)}
    if config.data.modality.endswith("silhouette"):
        clips["silhouettes"] = jnp.zeros((1, frames, 64, 64), jnp.uint8)
    return clips


def variable_shapes(config: ConfigDict, model: nn.Module) -> dict:
    """Shapes and dtypes of {"params", "batch_stats"}, nothing computed."""
    x = jax.eval_shape(lambda: pipeline.eval_input(config, model, example_clips(config)))
    return models.shapes(model, x)


def init_state(config: ConfigDict, model: nn.Module, tx: optax.GradientTransformation) -> dict:
    """The state before the first step; depends on `config.seed` alone."""
    key = jax.random.fold_in(jax.random.key(config.seed), 0)
    variables = init_variables(config, model, key, example_clips(config))
    state = {"step": jnp.int32(0), **variables, "opt_state": tx.init(variables["params"])}
    if config.train.ema:
        state["ema"] = jax.tree.map(jnp.copy, variables["params"])
    return state


def gradients(
    config: ConfigDict, model: nn.Module, state: dict, x: Array, labels: Array, key: Array
) -> tuple[dict, dict, dict]:
    """Forward and backward on the network's input `x`.

    Returns:
      (gradients of the parameters, batch statistics after the step, {"loss", "loss_<part>"}).
    """

    def forward(params, x):
        return model.apply(
            {"params": params, "batch_stats": state["batch_stats"]},
            x,
            train=True,
            mutable=["batch_stats"],
            rngs={"dropout": key},
        )

    def loss_of(params):
        # Keeping nothing of the whole network would spare no memory: to go back through its last
        # layer, all of it is computed again.
        again = jax.checkpoint(forward, policy=keep_products) if config.train.remat else forward
        outputs, changed = again(params, x)
        loss, parts = total_loss(outputs, labels, config.loss)
        return loss, (changed.get("batch_stats", {}), parts)

    (loss, (stats, parts)), grads = jax.value_and_grad(loss_of, has_aux=True)(state["params"])
    return grads, stats, {"loss": loss, **{f"loss_{name}": part for name, part in parts.items()}}


def apply_gradients(
    config: ConfigDict, tx: optax.GradientTransformation, state: dict, grads: dict, stats: dict
) -> dict:
    """The state after one optimiser step."""
    updates, opt_state = tx.update(grads, state["opt_state"], state["params"])
    params = optax.apply_updates(state["params"], updates)
    new = {"step": state["step"] + 1, "params": params, "batch_stats": stats}
    if config.train.ema:
        new["ema"] = optax.incremental_update(params, state["ema"], 1 - config.train.ema)
    return {**new, "opt_state": opt_state}


def make_update(
    config: ConfigDict, model: nn.Module, tx: optax.GradientTransformation, lr: Callable
) -> Callable[[dict, Array | None, dict], tuple[dict, dict]]:
    """The training step: (state, frames, batch) -> (state, metrics), to be jitted.

    Everything random at step t is drawn from (seed, t).
    """
    base = jax.random.fold_in(jax.random.key(config.seed), 1)

    def update(state: dict, frames: Array | None, batch: dict) -> tuple[dict, dict]:
        augment_key, dropout_key = jax.random.split(jax.random.fold_in(base, state["step"]))
        clips = clips_of(frames, batch)
        x = pipeline.train_input(config, model, augment_key, clips)
        grads, stats, metrics = gradients(config, model, state, x, batch["labels"], dropout_key)
        metrics |= {"lr": lr(state["step"]), "grad_norm": optax.global_norm(vectors.pack(grads))}
        if "poses" in clips:
            metrics["missing_joints"] = jnp.mean(clips["poses"][..., 2] == 0)
        return apply_gradients(config, tx, state, grads, stats), metrics

    return update


def several(update: Callable, loop: bool) -> Callable[[dict, Array | None, tuple], tuple]:
    """The steps of a tuple of batches in one program: (state, frames, batches) -> as `update`.

    The metrics are the last step's. With `loop` the steps are one compiled loop, else they are
    written out one after another: a convolution in a loop is 15 to 30 times slower on the CPU.
    """

    def run(state: dict, frames: Array | None, batches: tuple[dict, ...]) -> tuple[dict, dict]:
        if not loop or len(batches) == 1:
            for batch in batches:
                state, metrics = update(state, frames, batch)
            return state, metrics
        stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *batches)
        state, metrics = jax.lax.scan(lambda s, batch: update(s, frames, batch), state, stacked)
        return state, jax.tree.map(lambda metric: metric[-1], metrics)

    return run


def make_embed(config: ConfigDict, model: nn.Module) -> Callable:
    """(variables, frames, batch) -> {"embed_1": (N, D, P), ...}, to be jitted.

    The batch may hold `mask` (N, T) for padded sequences.
    """

    def embed(variables: dict, frames: Array | None, batch: dict) -> dict:
        x = pipeline.eval_input(config, model, clips_of(frames, batch))
        return models.embed(model, variables, x, batch.get("mask"))

    return embed


def make_piece(config: ConfigDict, model: nn.Module) -> Callable:
    """(variables, frames, batch) -> the pool of a piece of sequences, to be jitted.

    The batch holds `mask` and `own` (N, T); for networks with pieces, see `gaitjax.models`.
    """

    def piece(variables: dict, frames: Array | None, batch: dict) -> Array | tuple:
        x = pipeline.eval_input(config, model, clips_of(frames, batch))
        return models.piece(model, variables, x, batch["mask"], batch["own"])

    return piece


def make_finish(model: nn.Module) -> Callable:
    """(variables, pool of all pieces) -> {"embed_1": (N, D, P), ...}, to be jitted."""

    def finish(variables: dict, pool: Array | tuple) -> dict:
        return models.finish(model, variables, pool)

    return finish
