"""What the compiler of a GPU is told."""

import os
import re
from collections.abc import Callable
from importlib import metadata

import jax
from jax.sharding import Mesh

# Tuning is most of the minutes that a program takes to compile on a GPU (docs/performance.md).
# Off, with the first version of jaxlib that knows the option:
_TUNING = {
    "xla_gpu_enable_triton_gemm": (0, 4),  # dozens of kernels for each product
    "xla_gpu_experimental_enable_fusion_autotuner": (0, 9),  # two or more for each fusion
}


def jit(function: Callable, mesh: Mesh, **options) -> jax.stages.Wrapped:
    """`jax.jit` of a program for the devices of `mesh`, with its options."""
    return jax.jit(function, compiler_options=compiler_options(mesh) or None, **options)


def compiler_options(mesh: Mesh) -> dict[str, bool]:
    """What programs for the devices of `mesh` are compiled with; what XLA_FLAGS sets stays so."""
    if mesh.devices.flat[0].platform not in ("gpu", "cuda"):
        return {}
    version = tuple(int(part) for part in re.findall(r"\d+", metadata.version("jaxlib"))[:2])
    given = os.environ.get("XLA_FLAGS", "")
    return {
        name: False for name, since in _TUNING.items() if version >= since and name not in given
    }
