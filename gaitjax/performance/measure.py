"""What training and evaluation of one config cost on this machine's devices, measured.

Times are medians after a warm-up, of the very functions that `gaitjax.train` and
`gaitjax.evaluate` run, on synthetic walks held in memory. Operations and bytes are XLA's
estimates for the compiled program; shares of the peak are relative to a large matrix product
and a large copy timed in the same run. `python -m gaitjax.performance.measure` does it for a job
on its input, a row a line as soon as it is known (see `children`).
"""

import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from ml_collections import ConfigDict

from gaitjax import sharding
from gaitjax.evaluation import distances
from gaitjax.performance import children, cost, memory, walks
from gaitjax.performance import record as records
from gaitjax.training import setup, step
from gaitjax.transforms import maps, pipeline

# One of each network, at sizes that a small CPU finishes (batch, frames).
DEFAULT = {
    "gaitgraph1_grew": (128, 60),
    "gaitgraph2_grew": (128, 60),
    "gaittr_grew": (64, 60),
    "skeletongait_gait3d": (4, 10),
    "skeletongaitpp_gait3d": (4, 10),
}
PARTS = ("step", "data", "eval", "maps")
GALLERY = 4096  # embeddings on each side of the distance matrix

Row = dict[str, Any]


def timed(run: Callable[[int], object], repeats: int) -> float:
    """Median seconds of run(i) until its arrays are there, i from 1 on, after run(0)."""
    jax.block_until_ready(run(0))
    seconds = []
    for i in range(1, repeats + 1):
        start = time.perf_counter()
        jax.block_until_ready(run(i))
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def compiled(fn: jax.stages.Wrapped, *args) -> tuple[Callable, Row]:
    """`fn` (jitted) compiled for `args`, and what that took: seconds, operations, memory."""
    row: Row = {}
    for name in ("compile_s", "cached_compile_s"):
        jax.clear_caches()
        start = time.perf_counter()
        lowered = fn.lower(*args)
        program = lowered.compile()
        row[name] = time.perf_counter() - start
    estimate = cost.of(program, lowered)
    row |= {"gflop": estimate.flops / 1e9, "gbyte": estimate.traffic / 1e9}
    return program, row | {"scratch_mib": estimate.scratch / 2**20}


def peak(repeats: int, dtype: str = "float32") -> dict[str, float]:
    """Measured GFLOP/s of a large matrix product and GB/s (read and written) of a large copy."""
    n = 2048 if jax.default_backend() == "cpu" else 8192
    square = jnp.ones((n, n), dtype)
    product = jax.jit(lambda a: a @ a)
    copy = jax.jit(lambda a: a + 1)
    long = jnp.ones(16 * n * n if n > 2048 else 64 * 2**20, jnp.float32)
    return {
        "gflop_per_s": 2 * n**3 / timed(lambda i: product(square), repeats) / 1e9,
        "gbyte_per_s": 2 * long.nbytes / timed(lambda i: copy(long), repeats) / 1e9,
    }


def measure(
    config: ConfigDict, what: str = "all", repeats: int = 5, gallery: int = GALLERY
) -> Iterator[Row]:
    """Rows for one config, each when it is known: name, seconds, sequences and frames, cost."""
    made = setup.make(config, sharding.make_mesh())
    feed = walks.feed(config, made.mesh)
    batch_at = setup.batches(config, feed, made.mesh)
    wanted = PARTS if what == "all" else (what,)
    size, frames = config.train.batch_size, config.train.frames
    top, step_seconds = peak(repeats, config.model.get("dtype", "float32")), 0.0

    def parts() -> Iterator[tuple]:
        if "step" in wanted:
            yield from _training(made, feed.frames, batch_at, repeats)
        if "step" in wanted or "data" in wanted:
            yield from _input(made, feed.frames, batch_at, repeats)
        if "eval" in wanted:
            yield from _evaluation(made, feed.frames, batch_at, repeats, gallery)
        if "maps" in wanted:
            poses = jnp.asarray(walks.poses(config, size, frames)[:, :, :17])
            render, costs = compiled(jax.jit(maps.render), poses)
            yield "maps from poses", timed(lambda i: render(poses), repeats), costs

    yield {"peak": top}
    for name, seconds, costs, *of in parts():
        n, t = of or (size, frames)
        row = {"what": name, "seconds": seconds, "sequences_per_s": n / seconds, **costs}
        if t:
            row["frames_per_s"] = n * t / seconds
        if name == "whole step":
            step_seconds = seconds
        if name.startswith("sampling") and step_seconds:
            row["share_of_step"] = seconds / step_seconds
        yield row | _of_peak(row, top)


def _training(made, resident, batch_at, repeats) -> Iterator[tuple[str, float, Row]]:
    config, _, model, optimizer, *_ = made
    state, batch = setup.initial_state(made), batch_at(0)

    def network(state, x, labels):
        key = jax.random.key(0)
        grads, stats, metrics = step.gradients(config, model, state, x, labels, key)
        return step.apply_gradients(config, optimizer, state, grads, stats), metrics

    key = jax.random.key(1)

    def make(batch):
        return pipeline.train_input(config, model, key, step.clips_of(resident, batch))

    x = jax.jit(make)(batch)
    alone, costs = compiled(jax.jit(network), state, x, batch["labels"])
    yield "network", timed(lambda i: alone(state, x, batch["labels"]), repeats), costs

    together = config.train.steps_per_dispatch
    whole, costs = compiled(setup.update(made), state, resident, (batch,) * together)
    holder = [state]  # the state before is consumed by the step

    def run(i: int):
        batches = tuple(batch_at(i * together + k) for k in range(together))
        holder[0], metrics = whole(holder[0], resident, batches)
        return metrics

    for name in ("gflop", "gbyte"):
        costs[name] /= together
    if together > 1:
        costs["steps_per_dispatch"] = together
    yield "whole step", timed(run, repeats) / together, costs


def _input(made, resident, batch_at, repeats) -> Iterator[tuple[str, float, Row]]:
    key = jax.random.key(0)

    def build(frames, batch):
        return pipeline.train_input(made.config, made.model, key, step.clips_of(frames, batch))

    make, costs = compiled(jax.jit(build), resident, batch_at(0))
    yield "sampling", timed(batch_at, repeats), {}
    yield "sampling and input", timed(lambda i: make(resident, batch_at(i)), repeats), costs


def _evaluation(made, resident, batch_at, repeats, gallery) -> Iterator[tuple]:
    config = made.config
    size, frames = config.train.batch_size, config.train.frames
    batch = {name: value for name, value in batch_at(0).items() if name != "labels"}
    variables = setup.variables(setup.initial_state(made))
    embed, costs = compiled(setup.embed(made), variables, resident, batch)
    outputs = embed(variables, resident, batch)
    seconds = timed(lambda i: embed(variables, resident, batch), repeats)
    yield "embed", seconds, costs, size, frames

    _, d, p = outputs[config.eval.embedding].shape
    x = jnp.asarray(np.random.default_rng(0).normal(size=(p, gallery, d)), jnp.float32)
    pairs, costs = compiled(jax.jit(lambda x: distances.pairwise(x, x, config.eval.metric)), x)
    name = f"distances of {gallery} to {gallery}"
    yield name, timed(lambda i: pairs(x), repeats), costs, gallery, 0


def _of_peak(row: Row, top: dict[str, float]) -> Row:
    """Shares of the measured peaks of a row whose cost is known."""
    if not row.get("gflop"):
        return {}
    return {
        "share_of_peak": row["gflop"] / row["seconds"] / top["gflop_per_s"],
        "share_of_copy": row["gbyte"] / row["seconds"] / top["gbyte_per_s"],
    }


def main() -> None:
    """The job on standard input."""
    job = json.load(sys.stdin)
    sharding.start(multihost=False)
    print(json.dumps({"machine": records.machine()}), flush=True)
    config = children.config_of(job)
    del job["config"]
    for row in measure(config, **job):
        print(json.dumps(row), flush=True)
    print(json.dumps({"peak_memory_mib": memory.largest()}), flush=True)


if __name__ == "__main__":
    main()
