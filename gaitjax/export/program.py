"""A trained network as one function of raw poses, of which every kind of file is made.

Sequences are padded to T frames, and their numbers of frames go in beside them; the number of
sequences N is left open.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax import Array, export
from ml_collections import ConfigDict

from gaitjax import digest, models
from gaitjax.command import origin
from gaitjax.data.sampling import MEAN_WINDOWS
from gaitjax.errors import ConfigError, DataError
from gaitjax.export import filling
from gaitjax.skeleton import convert, joint_format
from gaitjax.training import step

FRAMES = 60  # T, unless told otherwise or a window is longer
SILHOUETTE = (64, 64)
# Of their metadata; `fetched` is the address on a hub, hf://owner/name@COMMIT.
OF_WEIGHTS = ("step", "sha256", "hub", "commit", "fetched")


class Program(NamedTuple):
    """What is exported.

    Attributes:
      run: (poses, lengths, perhaps silhouettes) -> embeddings (N, D, P) float32.
      inputs: name -> (shape, type) of its arguments in order: `poses` (N, T, V, 3) float32, x and
        y in pixels and confidence; `lengths` (N,) int32, the frames of each that are real;
        `silhouettes` (N, T, 64, 64) uint8. N is a symbol.
      about: what a user of the file has to know, JSON-able.
    """

    run: Callable[..., Array]
    inputs: dict[str, jax.ShapeDtypeStruct]
    about: dict[str, Any]


def make(config: ConfigDict, variables: dict, metadata: dict, frames: int = 0) -> Program:
    """The program of a network with its weights.

    Args:
      variables: that fit the network of `config`.
      metadata: of the weights.
      frames: T, that sequences are padded to; 0: `FRAMES`, or a window if that is longer.

    Raises:
      ConfigError, DataError: what depends on more than the sequence itself.
    """
    e, data = config.eval, config.data
    windows = e.clip == "ordered"
    frames = frames or max(FRAMES, e.frames if windows else 0)
    _check(config, frames)
    network = models.build(config)
    have, want = joint_format(data.joints), joint_format(config.model.joints)
    conversion, fill = convert(have, want), filling.FILL[data.impute_test or data.impute]
    embed = step.make_embed(config, network)

    def run(poses: Array, lengths: Array, *images: Array) -> Array:
        lengths = jnp.clip(lengths, 1, frames)
        mask = jnp.arange(frames) < lengths[:, None]
        poses = jnp.where(mask[..., None, None], poses, 0)
        batch = {"poses": fill(filling.converted(poses, conversion), mask)}
        batch |= dict(zip(["silhouettes"], images, strict=False))
        if not windows:
            limit = min(e.limit or frames, frames)
            batch = {name: value[:, :limit] for name, value in batch.items()}
            return embed(variables, None, batch | {"mask": mask[:, :limit]})[e.embedding]
        index = _windows(lengths, config)
        batch = {name: _taken(value, index) for name, value in batch.items()}
        embeddings = embed(variables, None, batch)[e.embedding]
        return embeddings.reshape(-1, index.shape[1], *embeddings.shape[1:]).mean(axis=1)

    inputs = _inputs(network, frames, have.num_joints)
    _, d, p = jax.eval_shape(run, *inputs.values()).shape
    about = {
        "gaitjax": origin.version("gaitjax"),
        "network": config.model.name,
        "inputs": {name: [str(spec.dtype), *map(str, spec.shape)] for name, spec in inputs.items()},
        "joints": list(have.joints),
        "frames": frames,
        "embedding": {"name": e.embedding, "shape": ["n", d, p], "compared_by": e.metric},
        "weights": {
            "digest": digest.of_json(digest.of_tree(variables)),
            **{key: metadata[key] for key in OF_WEIGHTS if key in metadata},
        },
    }
    return Program(run, inputs, about)


def _check(config: ConfigDict, frames: int) -> None:
    e, data = config.eval, config.data
    if frames < 1:
        raise DataError(f"--frames {frames}: expected a number from 1")
    if e.clip == "ordered" and e.window == "random":
        raise ConfigError(
            "eval.window=random draws windows by the place of a sequence in its test set, which "
            "an exported network does not know; set --config.eval.window=center (or mean)"
        )
    if data.rescale:
        raise ConfigError(
            f"data.rescale={data.rescale} is done on the host; set --config.data.rescale='' and "
            "call gaitjax.data.familiar.fit on the poses before"
        )


def _inputs(network: nn.Module, frames: int, joints: int) -> dict[str, jax.ShapeDtypeStruct]:
    (n,) = export.symbolic_shape("n")
    inputs = {
        "poses": jax.ShapeDtypeStruct((n, frames, joints, 3), jnp.float32),
        "lengths": jax.ShapeDtypeStruct((n,), jnp.int32),
    }
    if "silhouettes" in network.inputs:
        inputs["silhouettes"] = jax.ShapeDtypeStruct((n, frames, *SILHOUETTE), jnp.uint8)
    return inputs


def _windows(lengths: Array, config: ConfigDict) -> Array:
    """Frames (N, windows, T) of the test windows, as `sampling.eval_starts` has them."""
    e = config.eval
    last = lengths * jnp.maximum(1, -(-e.frames // lengths)) - e.frames
    if e.window == "mean":  # rounded to the nearest; halves do not occur
        parts = MEAN_WINDOWS - 1
        starts = (last[:, None] * jnp.arange(MEAN_WINDOWS) + (parts - 1) // 2) // parts
    else:
        starts = (last // 2)[:, None]
    if e.select:
        starts += (e.frames - e.select) // 2
    index = starts[..., None] + jnp.arange(e.select or e.frames)
    return index % lengths[:, None, None]


def _taken(clips: Array, index: Array) -> Array:
    """The frames `index` (N, W, T) of clips (N, frames, ...), as (N W, T, ...)."""
    n, windows, frames = index.shape
    # By a product, an exact one of ones and zeros: one that every kind of file has.
    chosen = (index.reshape(n, -1)[..., None] == jnp.arange(clips.shape[1])).astype(clips.dtype)
    flat = clips.reshape(n, clips.shape[1], -1)
    taken = jnp.einsum("nts,nsc->ntc", chosen, flat, precision="highest")
    return taken.reshape(n * windows, frames, *clips.shape[2:])
