"""Accelerators that programs are compiled for without having one: what they are, what they hold."""

import importlib.util
import logging
import os
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.experimental import topologies
from jax.sharding import Mesh

from gaitjax.errors import ConfigError


class Device(NamedTuple):
    """One accelerator, as its maker describes it.

    Attributes:
      title: what its driver calls it.
      platform: "cuda" or "tpu".
      memory: bytes that its driver shows, or that a TPU's compiler has.
      description: fields of XLA's description of a GPU, or the name of a TPU topology.
    """

    title: str
    platform: str
    memory: int
    description: Any


def _gpu(capability, cores, fpus, threads, shared, optin, bandwidth, l2, clock) -> dict:
    return dict(
        threads_per_block_limit=1024,
        threads_per_warp=32,
        shared_memory_per_block=49152,
        shared_memory_per_core=shared,
        threads_per_core_limit=threads,
        core_count=cores,
        fpus_per_core=fpus,
        block_dim_limit_x=2**31 - 1,
        block_dim_limit_y=65535,
        block_dim_limit_z=65535,
        memory_bandwidth=bandwidth,
        l2_cache_size=l2,
        clock_rate_ghz=clock,
        shared_memory_per_block_optin=optin,
        registers_per_core_limit=65536,
        registers_per_block_limit=65536,
        cuda_compute_capability=capability,
    )


# H100 and A100: OpenXLA's own descriptions, xla/backends/gpu/target_config/specs/h100_sxm.txtpb and
# a100_sxm_40.txtpb. T4: what CUDA's deviceQuery prints on one; its largest block of shared memory
# is compute capability 7.5's. TPUs: their compiler's word, of 16 and
# 32 GB by cloud.google.com/tpu/docs/v5e and v6e.
DEVICES = {
    "h100": Device(
        "NVIDIA H100 80GB HBM3",
        "cuda",
        84_942_979_072,
        _gpu((9, 0), 132, 128, 2048, 233_472, 232_448, 3_352_320_000_000, 52_428_800, 1.98),
    ),
    "a100": Device(
        "NVIDIA A100-SXM4-40GB",
        "cuda",
        42_331_013_120,
        _gpu((8, 0), 108, 64, 2048, 167_936, 166_912, 1_555_200_000_000, 41_943_040, 1.41),
    ),
    "t4": Device(
        "Tesla T4",
        "cuda",
        15_835_660_288,
        _gpu((7, 5), 40, 64, 1024, 65_536, 65_536, 320_064_000_000, 4_194_304, 1.59),
    ),
    "v5e": Device("TPU v5e", "tpu", int(15.75 * 2**30), "v5e:1x1"),
    "v6e": Device("TPU v6e", "tpu", int(31.25 * 2**30), "v6e:1x1"),
}
NAMES = tuple(DEVICES)

# platform -> modules of which one must be there, and the extra that brings it.
_PLUGINS = {
    "cuda": (("jax_plugins.xla_cuda12", "jax_plugins.xla_cuda13"), "cuda"),
    "tpu": (("libtpu",), "tpu"),
}


def missing(name: str) -> str:
    """What to install to compile for a device; "" if it is there."""
    device = DEVICES[name]
    modules, extra = _PLUGINS[device.platform]
    if any(_found(module) for module in modules):
        return ""
    return (
        f"compiling for {device.title} needs JAX's {device.platform} plugin, though no device: "
        f"pip install 'gaitjax[{extra}]', best in an environment of its own"
    )


def _found(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def usable(name: str) -> int:
    """Bytes that JAX gives to programs on a device: all of a TPU, 75 % of a GPU unless told."""
    device = DEVICES[name]
    if device.platform == "tpu":
        return device.memory
    return int(device.memory * float(os.environ.get("XLA_PYTHON_CLIENT_MEM_FRACTION", 0.75)))


def mesh(name: str) -> Mesh:
    """A mesh of one such device, to compile for; nothing can be run on it.

    The process must not have used JAX before. Raises ConfigError if the plugin is missing.
    """
    if problem := missing(name):
        raise ConfigError(problem)
    use_host_alone()
    os.environ.setdefault("TPU_SKIP_MDS_QUERY", "1")  # no cloud is asked what machine this is
    os.environ.setdefault("ALLOW_MULTIPLE_LIBTPU_LOAD", "1")  # no TPU to be kept for one process
    device = DEVICES[name]
    if device.platform == "tpu":
        found = topologies.get_topology_desc(
            platform="tpu", topology_name=device.description, chips_per_host_bounds=(1, 1, 1)
        )
    else:
        found = topologies.get_topology_desc(
            platform="cuda", topology_name="", target_config=_text(device), topology="1x1x1"
        )
    return Mesh(np.array(found.devices).reshape(-1), ("data",))


def use_host_alone() -> None:
    """This process, which must not have used JAX before, looks for no accelerator of its own."""
    logging.getLogger("jax._src.xla_bridge").setLevel(logging.CRITICAL)  # a plugin finds no driver
    jax.config.update("jax_platforms", "cpu")


def _text(device: Device) -> str:
    """XLA's description of a GPU."""
    fields = dict(device.description, device_memory_size=device.memory)
    major, minor = fields.pop("cuda_compute_capability")
    lines = [f"{key}: {value}" for key, value in fields.items()]
    lines.append(f"cuda_compute_capability {{ major: {major} minor: {minor} }}")
    return (
        f"gpu_device_info {{ {' '.join(lines)} }}\n"
        'platform_name: "CUDA"\n'
        "dnn_version_info { major: 9 minor: 10 } runtime_version { major: 12 minor: 9 patch: 0 }\n"
        f'device_description_str: "{device.title}"\n'
    )
