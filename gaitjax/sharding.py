"""One-axis device mesh: the same code for one device, several devices and several hosts."""

import contextlib
import os
import re
import sys
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path

import jax
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from gaitjax.command import host_memory

HEARTBEAT_SECONDS = 60  # a process silent for so long is lost, and the others end
# Tuning is most of the minutes that a program takes to compile on a GPU (docs/performance.md).
# Off, with the first version of jaxlib that knows the option:
_TUNING = {
    "xla_gpu_enable_triton_gemm": (0, 4),  # dozens of kernels for each product
    "xla_gpu_experimental_enable_fusion_autotuner": (0, 9),  # two or more for each fusion
}


def start(multihost: bool) -> None:
    """Prepare a command's process: memory, compilation cache, and with `multihost` other hosts.

    Call it before JAX makes its devices.

    Compiled programs are kept in ~/.cache/gaitjax/xla unless JAX_COMPILATION_CACHE_DIR names
    another folder. Clusters that JAX knows (Slurm, TPU pods, Open MPI) need no more than
    `multihost`; elsewhere set JAX_COORDINATOR_ADDRESS, JAX_NUM_PROCESSES and JAX_PROCESS_ID.
    """
    if host_memory.keep_freed():  # that of the main thread: programs on the CPU start there
        jax.config.update("jax_cpu_enable_async_dispatch", False)
    if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
        folder = Path("~/.cache/gaitjax/xla").expanduser()
        jax.config.update("jax_compilation_cache_dir", str(folder))
    if multihost:
        count, this = os.environ.get("JAX_NUM_PROCESSES"), os.environ.get("JAX_PROCESS_ID")
        jax.distributed.initialize(
            os.environ.get("JAX_COORDINATOR_ADDRESS"),
            num_processes=None if count is None else int(count),
            process_id=None if this is None else int(this),
            heartbeat_timeout_seconds=HEARTBEAT_SECONDS,
        )


@contextlib.contextmanager
def end_with_others() -> Iterator[None]:
    """End this process at once if a program shared with other processes fails.

    Nothing can be done together then: even closing a checkpoint would wait for a lost process.
    """
    try:
        yield
    except jax.errors.JaxRuntimeError as error:
        if jax.process_count() == 1:
            raise
        print(
            f"error: process {jax.process_index()} of {jax.process_count()} cannot go on, most "
            f"likely since another was lost: {str(error).splitlines()[0]}\nStart all processes "
            "again: the run goes on from its newest checkpoint.",
            file=sys.stderr,
            flush=True,
        )
        os._exit(1)


def make_mesh() -> Mesh:
    """All devices of all hosts along the axis `data`."""
    return jax.make_mesh((jax.device_count(),), ("data",), axis_types=(AxisType.Auto,))


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


def on_cpu(mesh: Mesh) -> bool:
    """Whether the devices of `mesh` are the processor's own."""
    return mesh.devices.flat[0].platform == "cpu"


def memory_of(device: jax.Device) -> int:
    """Bytes that programs on `device` may use in all; 0 where it does not tell."""
    if device.platform == "cpu":
        return host_memory.total()
    try:
        return (device.memory_stats() or {}).get("bytes_limit", 0)
    except jax.errors.JaxRuntimeError:  # it is not here: programs are compiled for it
        return 0


def replicated(mesh: Mesh) -> NamedSharding:
    """Every device holds the whole array."""
    return NamedSharding(mesh, PartitionSpec())


def batched(mesh: Mesh) -> NamedSharding:
    """The first axis is split over the devices."""
    return NamedSharding(mesh, PartitionSpec("data"))


def put(array, sharding: NamedSharding) -> jax.Array:
    """A host array, the same on every host, as one global array.

    `array` may be anything that slices into NumPy arrays; each host reads its own part only.
    """
    return jax.make_array_from_callback(array.shape, sharding, lambda index: array[index])


def put_tree(tree, sharding: NamedSharding):
    """`put` for every leaf of a pytree of arrays or scalars."""
    return jax.tree.map(lambda leaf: put(np.asarray(leaf), sharding), tree)
