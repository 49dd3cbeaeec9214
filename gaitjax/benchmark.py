"""What training and evaluation cost on this machine; needs no data set.

Times are medians after a warm-up, of the very functions that `gaitjax.train` and
`gaitjax.evaluate` run, on synthetic walks held in memory. Operations and bytes are XLA's
estimates for the compiled program; shares of the peak are relative to a large matrix product
and a large copy timed in the same run.
"""

import contextlib
import platform
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental.compilation_cache import compilation_cache
from ml_collections import ConfigDict

from gaitjax import sharding
from gaitjax.config import ConfigError, load, override_all, parser
from gaitjax.errors import DataError
from gaitjax.evaluation import distances
from gaitjax.performance import cost, walks
from gaitjax.performance import record as records
from gaitjax.training import setup, step
from gaitjax.transforms import maps, pipeline

# Without --config: one of each network, at sizes that a small CPU finishes (batch, frames).
DEFAULT = {
    "gaitgraph1_grew": (128, 60),
    "gaitgraph2_grew": (128, 60),
    "gaittr_grew": (64, 60),
    "skeletongait_gait3d": (4, 10),
    "skeletongaitpp_gait3d": (4, 10),
}
PARTS = ("step", "data", "eval", "maps")
GALLERY = 4096  # embeddings on each side of the distance matrix

_CACHE_OPTIONS = ("jax_compilation_cache_dir", "jax_persistent_cache_min_compile_time_secs")

Row = dict[str, float | str]


def timed(run: Callable[[int], object], repeats: int) -> float:
    """Median seconds of run(i) until its arrays are there, i from 1 on, after run(0)."""
    jax.block_until_ready(run(0))
    seconds = []
    for i in range(1, repeats + 1):
        start = time.perf_counter()
        jax.block_until_ready(run(i))
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def compiled(fn: Callable, *args) -> tuple[Callable, Row]:
    """`fn` (jitted) compiled for `args`, and what that took: seconds, operations, memory."""
    row: Row = {}
    for name in ("compile_s", "cached_compile_s"):
        jax.clear_caches()
        start = time.perf_counter()
        program = fn.lower(*args).compile()
        row[name] = time.perf_counter() - start
    estimate = cost.of(program)
    row |= {"gflop": estimate.flops / 1e9, "gbyte": estimate.traffic / 1e9}
    return program, row | {"scratch_mib": estimate.scratch / 2**20}


def peak(repeats: int) -> dict[str, float]:
    """Measured GFLOP/s of a large matrix product and GB/s (read and written) of a large copy."""
    n = 2048 if jax.default_backend() == "cpu" else 8192
    square = jnp.ones((n, n), jnp.float32)
    product = jax.jit(lambda a: a @ a)
    copy = jax.jit(lambda a: a + 1)
    long = jnp.ones(16 * n * n if n > 2048 else 64 * 2**20, jnp.float32)
    return {
        "gflop_per_s": 2 * n**3 / timed(lambda i: product(square), repeats) / 1e9,
        "gbyte_per_s": 2 * long.nbytes / timed(lambda i: copy(long), repeats) / 1e9,
    }


def measure(config: ConfigDict, what: str, repeats: int) -> list[Row]:
    """Rows of the table for one config: name, seconds, sequences and frames, cost."""
    made = setup.make(config, sharding.make_mesh())
    feed = walks.feed(config, made.mesh)
    batch_at = setup.batches(config, feed, made.mesh)
    wanted = PARTS if what == "all" else (what,)
    rows: list[Row] = []
    size, frames = config.train.batch_size, config.train.frames

    def add(name: str, seconds: float, costs: Row, n: int = size, t: int = frames) -> None:
        row = {"what": name, "seconds": seconds, "sequences_per_s": n / seconds, **costs}
        rows.append(row | ({"frames_per_s": n * t / seconds} if t else {}))

    if "step" in wanted:
        for row in _training(made, feed.frames, batch_at, repeats):
            add(*row)
    if "step" in wanted or "data" in wanted:
        for row in _input(made, feed.frames, batch_at, repeats):
            add(*row)
    if "eval" in wanted:
        for row in _evaluation(made, feed.frames, batch_at, repeats):
            add(*row)
    if "maps" in wanted:
        poses = jnp.asarray(walks.poses(config, size, frames)[:, :, :17])
        render, costs = compiled(jax.jit(maps.render), poses)
        add("maps from poses", timed(lambda i: render(poses), repeats), costs)
    _share_of_step(rows)
    return rows


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


def _evaluation(made, resident, batch_at, repeats) -> Iterator[tuple[str, float, Row, int, int]]:
    config = made.config
    size, frames = config.train.batch_size, config.train.frames
    batch = {name: value for name, value in batch_at(0).items() if name != "labels"}
    variables = setup.variables(setup.initial_state(made))
    embed, costs = compiled(setup.embed(made), variables, resident, batch)
    outputs = embed(variables, resident, batch)
    seconds = timed(lambda i: embed(variables, resident, batch), repeats)
    yield "embed", seconds, costs, size, frames

    _, d, p = outputs[config.eval.embedding].shape
    x = jnp.asarray(np.random.default_rng(0).normal(size=(p, GALLERY, d)), jnp.float32)
    pairs, costs = compiled(jax.jit(lambda x: distances.pairwise(x, x, config.eval.metric)), x)
    name = f"distances of {GALLERY} to {GALLERY}"
    yield name, timed(lambda i: pairs(x), repeats), costs, GALLERY, 0


def _share_of_step(rows: list[Row]) -> None:
    """Note the share of the input in the whole step."""
    seconds = {row["what"]: row["seconds"] for row in rows}
    for row in rows:
        if row["what"].startswith("sampling") and "whole step" in seconds:
            row["share_of_step"] = row["seconds"] / seconds["whole step"]


COLUMNS = {  # heading -> (field, format)
    "seconds": ("seconds", "{:.4f}"),
    "seq/s": ("sequences_per_s", "{:,.1f}"),
    "frames/s": ("frames_per_s", "{:,.0f}"),
    "GFLOP": ("gflop", "{:,.1f}"),
    "GB": ("gbyte", "{:,.1f}"),
    "% peak": ("share_of_peak", "{:.0%}"),
    "% copy": ("share_of_copy", "{:.0%}"),
    "% step": ("share_of_step", "{:.1%}"),
    "compile s": ("compile_s", "{:.1f}"),
    "cached s": ("cached_compile_s", "{:.1f}"),
    "MiB": ("scratch_mib", "{:,.0f}"),
}


def table(rows: list[Row]) -> str:
    """The rows as aligned text."""
    lines = [["", *COLUMNS]]
    for row in rows:
        cells = [form.format(row[f]) if f in row else "" for f, form in COLUMNS.values()]
        lines.append([row["what"], *cells])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        line[0].ljust(widths[0])
        + "".join("  " + c.rjust(w) for c, w in zip(line[1:], widths[1:], strict=True))
        for line in lines
    )


def memory() -> float:
    """Largest memory of the process so far in MiB: of the device, or on the CPU the host's."""
    stats = jax.devices()[0].memory_stats()
    if stats and "peak_bytes_in_use" in stats:
        return stats["peak_bytes_in_use"] / 2**20
    unit = 1 if platform.system() == "Darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


@contextlib.contextmanager
def _empty_compilation_cache() -> Iterator[None]:
    """A cache for this run alone, so that the first compilation is one."""
    before = {name: getattr(jax.config, name) for name in _CACHE_OPTIONS}
    with tempfile.TemporaryDirectory() as folder:
        compilation_cache.reset_cache()
        for name, value in zip(_CACHE_OPTIONS, (folder, 0.0), strict=True):
            jax.config.update(name, value)
        try:
            yield
        finally:
            compilation_cache.reset_cache()
            for name, value in before.items():
                jax.config.update(name, value)


def benchmark(configs: dict[str, ConfigDict], what: str, repeats: int, say: Callable) -> dict:
    """Measure every config and return the record that is written as JSON."""
    with _empty_compilation_cache():
        top = peak(repeats)
        say(f"peak: {top['gflop_per_s']:,.0f} GFLOP/s, {top['gbyte_per_s']:,.1f} GB/s")
        record = {"machine": records.machine(), "peak": top, "configs": {}}
        for name, config in configs.items():
            rows = measure(config, what, repeats)
            for row in rows:
                row |= _of_peak(row, top)
            size, frames = config.train.batch_size, config.train.frames
            say(f"\n{name}, {size} x {frames} frames, {config.model.dtype}\n{table(rows)}")
            record["configs"][name] = {
                "batch_size": size,
                "frames": frames,
                "dtype": config.model.dtype,
                "remat": config.train.remat,
                "rows": rows,
                "peak_memory_mib": memory(),
            }
            say(f"peak memory so far: {memory():,.0f} MiB")
    return record


def _of_peak(row: Row, top: dict[str, float]) -> Row:
    """Shares of the measured peaks of a row whose cost is known."""
    if not row.get("gflop"):
        return {}
    return {
        "share_of_peak": row["gflop"] / row["seconds"] / top["gflop_per_s"],
        "share_of_copy": row["gbyte"] / row["seconds"] / top["gbyte_per_s"],
    }


def _configs(name: str | None, rest: list[str]) -> dict[str, ConfigDict]:
    """The config asked for, or one of each network at a small size."""
    if name:
        return {Path(name).stem: override_all(load(name), rest)}
    chosen = {}
    for known, (size, frames) in DEFAULT.items():
        config = load(known)
        config.train.batch_size, config.train.frames = size, frames
        chosen[known] = override_all(config, rest)
    return chosen


def main(argv: list[str] | None = None) -> int:
    args, rest = _parser().parse_known_args(argv)
    sharding.start(multihost=False)
    try:
        configs = _configs(args.config, rest)
        record = benchmark(configs, args.what, args.repeats, lambda line: print(line, flush=True))
    except (ConfigError, DataError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if args.json:
        records.write(args.json, record, "gaitjax.benchmark", argv)
    return 0


def _parser():
    result = parser(
        "Measure training, input, evaluation and map drawing on this machine, without data.\n"
        "Without --config: one of each network, in batches for a small CPU. Any config field\n"
        "can be changed with --config.FIELD=VALUE.",
        "python -m gaitjax.benchmark --config gaitgraph2_grew --what step \\\n"
        "           --config.train.batch_size=128 --json benchmark.json",
        config_required=False,
    )
    result.add_argument("--what", choices=(*PARTS, "all"), default="all", help="default: all")
    result.add_argument("--repeats", type=int, default=5, help="timed runs of each (default: 5)")
    result.add_argument("--json", type=Path, help="file for the numbers")
    return result


if __name__ == "__main__":
    sys.exit(main())
