"""What the digests of a checkpoint cost, beside writing and reading it.

python -m tests.programs.digest_cost --count 10

Saves and restores a state of about 200 MiB, of arrays as a large network has them, and a weights
file of its parameters, and takes the time of each with and without the digests. The share is that
of the digests in the time of everything else; medians over `--count`.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from ml_collections import ConfigDict

from gaitjax import digest, weights
from gaitjax.training import checkpoint

MIB = 200


def state(mib: int) -> dict:
    """Parameters, statistics and momentum of `mib` MiB together."""
    rng = np.random.default_rng(0)
    size, params = mib * 2**20 // 4 // 2, {}
    for number in range(24):  # wide layers hold most, as in a ResNet
        shape = (3, 3, width := 2 ** (6 + number % 4), width)
        params[f"layer{number}"] = {
            "kernel": rng.normal(size=shape),
            "bias": rng.normal(size=width),
        }
    left = size - sum(x.size for x in jax.tree.leaves(params))
    params["classes"] = {"kernel": rng.normal(size=(max(1, left // 256), 256))}
    tree = {"params": params, "batch_stats": {"bn": {"mean": np.zeros(64)}}, "momentum": params}
    return jax.tree.map(lambda x: jnp.asarray(x, jnp.float32), tree)


def measured(count: int, folder: Path, mib: int = MIB) -> dict[str, tuple[float, float]]:
    """What was done -> (seconds of it without digests, seconds of the digests), medians."""
    whole, config, spent = state(mib), ConfigDict({"train": {"steps": 1}}), [0.0]
    of_tree = digest.of_tree

    def timed(tree):
        begin = time.perf_counter()
        found = of_tree(tree)
        spent[0] += time.perf_counter() - begin
        return found

    digest.of_tree = timed
    variables = {"params": whole["params"], "batch_stats": whole["batch_stats"]}
    times = defaultdict(list)
    try:
        for number in range(count):
            work, file = folder / str(number), folder / f"{number}.npz"

            def save(work=work):
                with checkpoint.manager(work, keep=1) as checkpoints:
                    checkpoint.save(checkpoints, 1, whole, config)
                    checkpoint.finish(checkpoints, 1)

            def restore(work=work):
                with checkpoint.manager(work, keep=1) as checkpoints:
                    jax.block_until_ready(checkpoint.restore(checkpoints, whole))

            for name, do in (
                ("saving a checkpoint", save),
                ("restoring it", restore),
                ("loading its weights", lambda work=work: checkpoint.load_variables(work)),
                ("saving weights .npz", lambda file=file: weights.save(file, variables, {})),
                ("loading weights .npz", lambda file=file: weights.load(file)),
            ):
                spent[0], begin = 0.0, time.perf_counter()
                do()
                seconds = time.perf_counter() - begin
                times[name].append((seconds - spent[0], spent[0]))
    finally:
        digest.of_tree = of_tree
    return {
        name: tuple(statistics.median(column) for column in zip(*rows, strict=True))
        for name, rows in times.items()
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=5, help="times each is done (default 5)")
    parser.add_argument("--mib", type=int, default=MIB, help=f"size of the state (default {MIB})")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measured(args.count, Path(folder), args.mib)
    for name, (seconds, digests) in found.items():
        print(
            f"{name:22}{1000 * seconds:8.0f} ms, digests {1000 * digests:6.1f} ms: "
            f"{100 * digests / seconds:.1f} %"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
