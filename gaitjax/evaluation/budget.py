"""How many frames a network can embed at once in the memory that it is given."""

import jax
from flax import linen as nn
from jax.sharding import Mesh
from ml_collections import ConfigDict

from gaitjax import sharding
from gaitjax.training import step
from gaitjax.transforms import pipeline

GIB = 2**30
SHARE, MOST = 1 / 4, 4 * GIB  # of a device's memory, unless the config says otherwise
LAYERS = 6  # so many outputs of the largest layer a compiled network holds at once, or fewer
FRAMES = 64  # of the clip that is looked at
UNKNOWN = 16 * GIB


def frames_in_batch(config: ConfigDict, model: nn.Module, mesh: Mesh) -> int:
    """Frames of a batch on each device, at least 1, by `eval.memory_gb`.

    0 stands for `SHARE` of the device's memory, at most `MOST`.
    """
    budget = config.eval.memory_gb * GIB or min(SHARE * _memory(mesh.devices.flat[0]), MOST)
    return max(1, int(budget / (LAYERS * bytes_of_frame(config, model))))


def bytes_of_frame(config: ConfigDict, model: nn.Module) -> float:
    """Bytes that the largest output of any layer takes for a frame; nothing is computed."""

    def layers(variables: dict, clips: dict) -> dict:
        x = pipeline.eval_input(config, model, clips)
        method = "embed" if hasattr(model, "embed") else None
        _, outputs = model.apply(
            variables, x, method=method, capture_intermediates=True, mutable=["intermediates"]
        )
        return dict(outputs)

    clips = jax.eval_shape(lambda: step.example_clips(config, FRAMES))
    outputs = jax.eval_shape(layers, step.variable_shapes(config, model), clips)
    return max(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(outputs)) / FRAMES


def _memory(device: jax.Device) -> float:
    """Bytes of memory of a device, `UNKNOWN` if it does not tell; a CPU's devices share theirs."""
    together = jax.local_device_count("cpu") if device.platform == "cpu" else 1
    return (sharding.memory_of(device) or UNKNOWN) / together
