"""What a compiled program costs, by the compiler's own analysis."""

import math
from typing import NamedTuple

import jax


class Cost(NamedTuple):
    """One run of a program on one device; 0 where the compiler does not tell.

    It counts a loop's body once: on a CPU, 3x3 kernels' gradients too low (`ops.convolution`).

    Attributes:
      flops: floating-point operations.
      traffic: bytes read and written.
      arguments: bytes of what the program is given: the state, the data, a batch.
      scratch: bytes that it needs beside them while it runs: activations, mostly.
    """

    flops: float
    traffic: float
    arguments: int
    scratch: int

    def __str__(self) -> str:
        return (
            f"{self.flops / 1e9:,.1f} GFLOP, {mib(self.traffic)} moved, "
            f"{mib(self.arguments + self.scratch)} memory (activations {mib(self.scratch)})"
        )


def of(program: jax.stages.Compiled, lowered: jax.stages.Lowered | None = None) -> Cost:
    """The cost of a compiled program, its devices' equal share each.

    Args:
      lowered: what it was compiled from. On a GPU operations are counted in it: products and
        convolutions are calls of a library there, of which the compiler knows nothing.
    """
    cost, memory = program.cost_analysis() or {}, program.memory_analysis()
    flops = cost.get("flops", 0.0)
    if lowered is not None and jax.default_backend() == "gpu":
        flops = (lowered.cost_analysis() or {}).get("flops", 0.0) / jax.device_count()
    return Cost(
        flops,
        cost.get("bytes accessed", 0.0),
        memory.argument_size_in_bytes if memory else 0,
        memory.temp_size_in_bytes if memory else 0,
    )


def numbers(tree) -> int:
    """How many numbers the arrays of a tree hold."""
    return sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(tree))


def size(tree) -> int:
    """Bytes of the arrays of a tree."""
    return sum(math.prod(leaf.shape) * leaf.dtype.itemsize for leaf in jax.tree.leaves(tree))


def mib(count: float) -> str:
    """Bytes as text."""
    return f"{count / 2**20:,.1f} MiB"
