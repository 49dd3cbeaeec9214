"""Eight simulated CPU devices, and one compilation cache for the whole run."""

import os
import tempfile
from pathlib import Path

import pytest

# Before anything imports jax.
os.environ["XLA_FLAGS"] = (
    os.environ.get("XLA_FLAGS", "") + " --xla_force_host_platform_device_count=8"
)
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault(
    "JAX_COMPILATION_CACHE_DIR",
    str(Path(tempfile.gettempdir()) / f"gaitjax-test-xla-{os.getuid()}"),
)
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.3")
os.environ.setdefault("MPLBACKEND", "Agg")

import jax  # noqa: E402

if not hasattr(jax, "enable_x64"):  # before JAX 0.8 (constraints/)
    from jax.experimental import enable_x64

    jax.enable_x64 = enable_x64


@pytest.fixture
def quick(monkeypatch):
    """One device, and programs compiled without optimisation: for tests of what is wired."""
    import jax

    from gaitjax import sharding

    auto = (jax.sharding.AxisType.Auto,)
    one = jax.make_mesh((1,), ("data",), axis_types=auto, devices=jax.devices()[:1])
    monkeypatch.setattr(sharding, "make_mesh", lambda: one)
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)
