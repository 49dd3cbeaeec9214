"""The same training on one device and on eight: how far apart are the losses, and why?

python -m tests.programs.devices --count 10

Trains a tiny network on a few walkers with the whole step, augmentation and optimiser included,
from the same state, in single and in double precision. What differs is the order in which sums
over the batch are made. If that is all, double precision agrees to its own rounding.
Devices are simulated on the CPU.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

if "--xla_force_host_platform_device_count" not in os.environ.get("XLA_FLAGS", ""):
    # Before JAX makes its devices.
    os.environ["XLA_FLAGS"] = (
        os.environ.get("XLA_FLAGS", "") + " --xla_force_host_platform_device_count=8"
    )

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
from ml_collections import ConfigDict  # noqa: E402

from gaitjax import sharding  # noqa: E402
from gaitjax.data.feed import Feed  # noqa: E402
from gaitjax.training import setup  # noqa: E402
from tests.helpers import tiny  # noqa: E402
from tests.helpers.devices import mesh_of  # noqa: E402


def losses(config: ConfigDict, count: int, devices: int, dtype=np.float64) -> np.ndarray:
    """The loss of each of the first `count` steps on so many devices, computed in `dtype`."""

    def cast(tree):
        def leaf(x):
            return np.asarray(x, dtype if jnp.issubdtype(x.dtype, jnp.floating) else x.dtype)

        return sharding.put_tree(jax.tree.map(leaf, tree), sharding.replicated(mesh))

    mesh = mesh_of(devices)
    feed, made = Feed.open(config, "train", mesh), setup.make(config, mesh)
    begin = setup.initial_state(made)
    batch_at, update, found = setup.batches(config, feed, mesh), setup.update(made), []
    with jax.enable_x64(dtype == np.float64):
        del begin["opt_state"]  # knows the type that it was made for
        state, frames = cast(begin), cast(feed.frames)
        whole = sharding.replicated(mesh)
        state["opt_state"] = jax.jit(made.optimizer.init, out_shardings=whole)(state["params"])
        for t in range(count):
            state, metrics = update(state, frames, (batch_at(t),))
            found.append(np.asarray(metrics["loss"]))
            assert found[-1].dtype == dtype
    return np.array(found)


def apart(config: ConfigDict, count: int, dtype=np.float64) -> np.ndarray:
    """By how much, relatively, eight devices differ from one in the loss of each step."""
    one, eight = (losses(config, count, devices, dtype) for devices in (1, 8))
    return np.abs(eight - one) / np.abs(one)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=10, help="steps (default 10)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        config = tiny.config(Path(folder), f"--config.train.steps={args.count}")
        single, double = (apart(config, args.count, dtype) for dtype in (np.float32, np.float64))
    print("loss on eight devices against one, relative difference\nstep     float32     float64")
    for t, pair in enumerate(zip(single, double, strict=True), start=1):
        print(f"{t:4}" + "".join(f"{value:12.1e}" for value in pair))
    return int(double[:10].max() > 1e-9)


if __name__ == "__main__":
    sys.exit(main())
