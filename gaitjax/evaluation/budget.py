"""How many frames a network can embed at once in the memory that it is given."""

import math
from collections.abc import Iterator
from typing import Any

import jax
from flax import linen as nn
from jax.extend.core import Jaxpr
from jax.sharding import Mesh
from ml_collections import ConfigDict

from gaitjax import sharding
from gaitjax.training import step

GIB = 2**30
SHARE, MOST = 1 / 4, 4 * GIB  # of a device's memory, unless the config says otherwise
LAYERS = 8  # so many of the largest layer's results each compiled branch holds at once, or fewer
FRAMES = 4096  # of the clip that is looked at: what is no frame's own counts little
UNKNOWN = 16 * GIB
TILE = (8, 128)  # a TPU fills the last two axes of an array up to multiples of these


def frames_in_batch(config: ConfigDict, model: nn.Module, mesh: Mesh) -> int:
    """Frames of a batch on each device, at least 1, by `eval.memory_gb`.

    0 stands for `SHARE` of the device's memory, at most `MOST`.
    """
    device = mesh.devices.flat[0]
    budget = config.eval.memory_gb * GIB or min(SHARE * _memory(device), MOST)
    tile = TILE if device.platform == "tpu" else (1, 1)
    layers = LAYERS * getattr(model, "branches", 1)
    return max(1, int(budget / (layers * bytes_of_frame(config, model, tile))))


def bytes_of_frame(config: ConfigDict, model: nn.Module, tile: tuple[int, int] = (1, 1)) -> float:
    """Bytes that the largest product or convolution gives for a frame; nothing is computed.

    Args:
      tile: what the last two axes of every array are filled up to.
    """
    clips = jax.eval_shape(lambda: step.example_clips(config, FRAMES))
    embed, variables = step.make_embed(config, model), step.variable_shapes(config, model)
    results = _results(jax.make_jaxpr(embed)(variables, None, clips).jaxpr)
    return max(_filled_up(result, tile) for result in results) / FRAMES


def _results(program: Jaxpr) -> Iterator[Any]:
    """What every product and convolution of a traced program gives, also inside its functions."""
    for line in program.eqns:
        if line.primitive.name in ("dot_general", "conv_general_dilated"):
            yield from (result.aval for result in line.outvars)
        for inner in jax.tree.leaves(line.params, is_leaf=lambda value: hasattr(value, "eqns")):
            if hasattr(inner, "eqns"):
                yield from _results(inner)


def _filled_up(array: Any, tile: tuple[int, int]) -> int:
    """Bytes of an array whose last two axes are filled up to multiples of `tile`."""
    shape: tuple[int, ...] = (1, 1, *array.shape)
    *first, rows, columns = shape
    rows, columns = (-(-n // side) * side for n, side in zip((rows, columns), tile, strict=True))
    return math.prod((*first, rows, columns)) * array.dtype.itemsize


def _memory(device: jax.Device) -> float:
    """Bytes of memory of a device, `UNKNOWN` if it does not tell; a CPU's devices share theirs."""
    together = jax.local_device_count("cpu") if device.platform == "cpu" else 1
    return (sharding.memory_of(device) or UNKNOWN) / together
