"""What programs are compiled with, by device, version and what the user says."""

from types import SimpleNamespace

import numpy as np
import pytest

from gaitjax import sharding

FUSIONS, PRODUCTS = "xla_gpu_experimental_enable_fusion_autotuner", "xla_gpu_enable_triton_gemm"


def mesh(platform: str):
    return SimpleNamespace(devices=np.array([SimpleNamespace(platform=platform)]))


@pytest.mark.parametrize(
    "platform, jaxlib, flags, told",
    [
        ("gpu", "0.11.2", "", {FUSIONS, PRODUCTS}),
        ("gpu", "0.7.2", "", {PRODUCTS}),  # knows no tuning of fusions, and refuses its option
        ("gpu", "0.11.2", f"--{PRODUCTS}=true", {FUSIONS}),
        ("tpu", "0.11.2", "", set()),
        ("cpu", "0.11.2", "", set()),
    ],
)
def test_tuning_is_off_on_a_gpu(platform, jaxlib, flags, told, monkeypatch):
    monkeypatch.setattr(sharding.metadata, "version", {"jaxlib": jaxlib}.get)
    monkeypatch.setenv("XLA_FLAGS", flags)
    assert sharding.compiler_options(mesh(platform)) == dict.fromkeys(told, False)


def test_a_program_is_compiled_with_options_of_its_own():
    add = sharding.jit(lambda x: x + 1, sharding.make_mesh(), donate_argnums=(0,))
    assert add(1.0) == 2.0
