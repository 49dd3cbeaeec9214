"""Batch norm of a product on this processor, in both forms (docs/performance.md).

    python -m tests.programs.products_normalised

Milliseconds of wall time for the value and all gradients, in turns, smallest of twelve runs.
"""

import time

import jax
import numpy as np

from gaitjax import sharding
from gaitjax.models.ops import batch_norm

SHAPES = (
    ((64, 60, 17), 10, 64),
    ((64, 60, 17), 16, 64),
    ((64, 60, 17), 32, 128),
    ((64, 15, 17), 64, 256),
    ((256, 16, 17), 8, 64),
    ((64, 60, 17), 64, 64),
)
ROUNDS = 12


def timed(backward, *arrays):
    """A function that computes value and gradients by `backward` once, and returns milliseconds."""

    @jax.jit
    def step(x, kernel, bias, scale, offset, g):
        (y, *_), kept = batch_norm._product_forward(x, kernel, bias, scale, offset)
        return y, backward(kept, (g,))

    def run() -> float:
        start = time.perf_counter()
        jax.block_until_ready(step(*arrays))
        return 1e3 * (time.perf_counter() - start)

    run()  # compiles
    return run


def main() -> None:
    sharding.start(multihost=False)  # memory is kept, as in every command
    rng = np.random.default_rng(0)
    for rows, inputs, features in SHAPES:
        x = np.maximum(rng.normal(size=(*rows, inputs)), 0).astype(np.float32)
        kernel = rng.normal(size=(inputs, features)).astype(np.float32)
        ones = np.ones((3, features), np.float32)
        g = rng.normal(size=(*rows, features)).astype(np.float32)
        arrays = jax.device_put((x, kernel, *ones, g))
        forms = [
            timed(form, *arrays)
            for form in (batch_norm._one_after_another, batch_norm._from_products)
        ]
        times = [[form() for form in forms] for _ in range(ROUNDS)]
        one_after_another, from_products = map(min, zip(*times, strict=True))
        print(
            f"{' x '.join(map(str, rows))}, {inputs} to {features}: one after the other "
            f"{one_after_another:.1f}, from products {from_products:.1f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
