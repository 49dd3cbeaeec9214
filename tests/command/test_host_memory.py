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


STEPS = """
import ctypes
from gaitjax.command import host_memory

assert host_memory.keep_freed()
c = ctypes.CDLL(None)
c.malloc.argtypes, c.malloc.restype = [ctypes.c_size_t], ctypes.c_void_p
c.free.argtypes, c.sbrk.restype = [ctypes.c_void_p], ctypes.c_void_p
scratch = c.malloc(2**30)
result, end = c.malloc(2**20), c.sbrk(0)
c.free(scratch)
c.malloc(2**30 + 4096)  # what aligning takes
print(c.sbrk(0) - end)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_what_a_step_leaves_does_not_move_the_next_ones_scratch():
    run = subprocess.run([sys.executable, "-c", STEPS], capture_output=True, text=True, check=True)
    assert int(run.stdout) < 2**21  # bytes by which the heap grew
