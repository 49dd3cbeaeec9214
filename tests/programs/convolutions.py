"""SkeletonGait's 3x3 convolutions on this processor beside PyTorch's (docs/performance.md).

    python -m tests.programs.convolutions

Milliseconds of wall time, in turns, smallest of nine runs: the value, the gradient of the images
and the gradient of the kernel.
"""

import time
from functools import partial

import jax
import numpy as np
import torch

from gaitjax import sharding
from gaitjax.models.ops import conv

SHAPES = ((40, 64, 44, 64), (40, 32, 22, 128), (40, 16, 11, 256), (40, 16, 11, 512))
ROUNDS = 9


def ours(x: np.ndarray, kernel: np.ndarray, g: np.ndarray) -> dict:
    """What is timed -> a function that computes it and waits."""

    def image_gradient(kernel, g):
        return jax.vjp(lambda x: conv(x, kernel), x)[1](g)[0]

    def kernel_gradient(x, g):
        return jax.vjp(lambda k: conv(x, k), kernel)[1](g)[0]

    parts = {
        "value": (conv, (x, kernel)),
        "images": (image_gradient, (kernel, g)),
        "kernel": (kernel_gradient, (x, g)),
    }

    def compiled(f, arguments):
        arguments = jax.device_put(arguments)
        program = jax.jit(f).lower(*arguments).compile()
        return lambda: jax.block_until_ready(program(*arguments))

    return {name: compiled(*part) for name, part in parts.items()}


def in_torch(x: np.ndarray, kernel: np.ndarray, g: np.ndarray) -> dict:
    """The same in PyTorch, channels last."""
    x, g = (torch.from_numpy(a).permute(0, 3, 1, 2) for a in (x, g))
    kernel = torch.from_numpy(kernel).permute(3, 2, 0, 1)
    kernel = kernel.contiguous(memory_format=torch.channels_last)

    def gradient(wanted: list[bool]):
        return torch.ops.aten.convolution_backward(
            g, x, kernel, None, [1, 1], [1, 1], [1, 1], False, [0, 0], 1, wanted
        )

    return {
        "value": partial(torch.conv2d, x, kernel, padding=1),
        "images": partial(gradient, [True, False, False]),
        "kernel": partial(gradient, [False, True, False]),
    }


def main() -> None:
    sharding.start(multihost=False)  # memory is kept, as in every command
    rng = np.random.default_rng(0)
    for n, h, w, c in SHAPES:
        x, g = (rng.normal(size=(n, h, w, c)).astype(np.float32) for _ in range(2))
        kernel = (0.05 * rng.normal(size=(3, 3, c, c))).astype(np.float32)
        runs = {"ours": ours(x, kernel, g), "PyTorch": in_torch(x, kernel, g)}
        for part in ("value", "images", "kernel"):
            seconds: dict[str, list[float]] = {name: [] for name in runs}
            for _ in range(ROUNDS):
                for name, run in runs.items():
                    start = time.perf_counter()
                    run[part]()
                    seconds[name].append(time.perf_counter() - start)
            told = ", ".join(f"{name} {1e3 * min(s):.0f}" for name, s in seconds.items())
            print(f"{n} x {h} x {w} x {c}, {part}: {told}", flush=True)


if __name__ == "__main__":
    main()
