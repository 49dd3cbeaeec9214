"""Freed memory is kept for the next step, which needs no new pages from the system."""

import os
import platform
import subprocess
import sys

import pytest

PROGRAM = """
import resource
import jax
import jax.numpy as jnp
from gaitjax import sharding

sharding.start(multihost=False)
step = jax.jit(lambda x: jnp.sin(x) + 1)
x = jax.block_until_ready(jnp.zeros((4096, 4096)))  # 64 MiB
pages = []
for _ in range(20):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    jax.block_until_ready(step(x))
    pages.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
print(*pages)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_a_step_on_the_cpu_uses_the_memory_of_the_step_before():
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=os.environ | {"JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
        check=True,
    )
    pages = sorted(int(word) for word in run.stdout.split())
    assert pages[10] < 100, pages  # of 16,384; the first steps take them
