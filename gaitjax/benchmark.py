"""What training and evaluation cost on this machine; needs no data set.

Times are medians after a warm-up, of the very functions that `gaitjax.train` and
`gaitjax.evaluate` run, on synthetic walks held in memory. Operations and bytes are XLA's
estimates for the compiled program; shares of the peak are relative to a large matrix product
and a large copy timed in the same run.
"""

import contextlib
import json
import os
import platform
import resource
import shlex
import statistics
import subprocess
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

import gaitjax
from gaitjax import models, sharding
from gaitjax.config import ConfigError, load, override_all, parser
from gaitjax.data import sampling
from gaitjax.errors import DataError
from gaitjax.evaluation import distances
from gaitjax.performance import cost
from gaitjax.skeleton import joint_format
from gaitjax.training import optim, step
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
SEQUENCE = 80  # frames of each synthetic sequence
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


def compiled(fn: Callable, *args, **options) -> tuple[Callable, Row]:
    """`fn` compiled for `args`; seconds to compile and to load it again, operations, memory."""
    row: Row = {}
    for name in ("compile_s", "cached_compile_s"):
        jax.clear_caches()
        start = time.perf_counter()
        program = jax.jit(fn, **options).lower(*args).compile()
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


class Walks:
    """A synthetic data set for a config: resident poses, and batches as training draws them."""

    def __init__(self, config: ConfigDict):
        size, train = config.train.batch_size, config.train
        self.config = config
        self.lengths = np.full(2 * size, SEQUENCE + train.frames, np.int32)
        self.offsets = np.cumsum(self.lengths) - self.lengths
        self.class_ids = np.arange(2 * size, dtype=np.int32) // max(train.per_identity, 2)
        rng = np.random.default_rng(config.seed)
        joints = joint_format(config.model.joints).num_joints
        poses = rng.normal(size=(self.lengths.sum(), joints, 3)).astype(np.float32)
        poses = poses * (20, 40, 0) + (300, 250, 0.9)
        self.frames = jnp.asarray(poses, jnp.float32)
        shape = (size, train.frames, 64, 64)
        self.images = {}
        if "map" in config.data.modality:
            self.images["maps"] = rng.integers(0, 256, (*shape, 2), np.uint8)
        if "silhouette" in config.data.modality:
            self.images["silhouettes"] = rng.integers(0, 256, shape, np.uint8)

    def batch(self, t: int) -> dict:
        """Step t's batch, sampled on the host and put on the device."""
        train, seed = self.config.train, self.config.seed
        rows = sampling.rows(
            self.class_ids, train.batch_size, train.per_identity, train.shuffle, seed, t
        )
        windows = sampling.windows(
            self.lengths, rows, train.frames, train.skip, train.clip, seed, t
        )
        index = self.offsets[rows][:, None] + windows
        batch = {"labels": self.class_ids[rows], "index": index.astype(np.int32), **self.images}
        return jax.tree.map(jnp.asarray, batch)


def measure(config: ConfigDict, what: str, repeats: int) -> list[Row]:
    """Rows of the table for one config: name, seconds, sequences and frames, cost."""
    walks = Walks(config)
    wanted = PARTS if what == "all" else (what,)
    rows: list[Row] = []
    size, frames = config.train.batch_size, config.train.frames

    def add(name: str, seconds: float, costs: Row, n: int = size, t: int = frames) -> None:
        row = {"what": name, "seconds": seconds, "sequences_per_s": n / seconds, **costs}
        rows.append(row | ({"frames_per_s": n * t / seconds} if t else {}))

    model = models.build(config)
    if "step" in wanted:
        for made in _training(config, model, walks, repeats):
            add(*made)
    if "step" in wanted or "data" in wanted:
        for made in _input(config, walks, repeats):
            add(*made)
    if "eval" in wanted:
        for made in _evaluation(config, model, walks, repeats):
            add(*made)
    if "maps" in wanted:
        poses = walks.frames[: size * frames, :17].reshape(size, frames, 17, 3)
        render, costs = compiled(maps.render, poses)
        add("maps from poses", timed(lambda i: render(poses), repeats), costs)
    _share_of_step(rows)
    return rows


def _training(config, model, walks, repeats) -> Iterator[tuple[str, float, Row]]:
    shapes = step.variable_shapes(config, model)
    tx = optim.optimizer(config, shapes["params"])
    lr, _ = optim.schedule(config.schedule, config.train.steps)
    state = jax.jit(lambda: step.init_state(config, model, tx))()
    batch = walks.batch(0)

    def network(state, x, labels):
        key = jax.random.key(0)
        grads, stats, metrics = step.gradients(config, model, state, x, labels, key)
        return step.apply_gradients(config, tx, state, grads, stats), metrics

    key = jax.random.key(1)
    x = jax.jit(lambda b: pipeline.train_input(config, key, step.clips_of(walks.frames, b)))(batch)
    alone, costs = compiled(network, state, x, batch["labels"])
    yield "network", timed(lambda i: alone(state, x, batch["labels"]), repeats), costs

    together = config.train.steps_per_dispatch
    update = step.make_update(config, model, tx, lr)
    several = step.several(update, loop=jax.default_backend() != "cpu")
    first = (batch,) * together
    whole, costs = compiled(several, state, walks.frames, first, donate_argnums=(0,))
    holder = [state]  # the state before is consumed by the step

    def run(i: int):
        batches = tuple(walks.batch(i * together + k) for k in range(together))
        holder[0], metrics = whole(holder[0], walks.frames, batches)
        return metrics

    for name in ("gflop", "gbyte"):
        costs[name] /= together
    if together > 1:
        costs["steps_per_dispatch"] = together
    yield "whole step", timed(run, repeats) / together, costs


def _input(config, walks, repeats) -> Iterator[tuple[str, float, Row]]:
    key = jax.random.key(0)

    def build(frames, batch):
        return pipeline.train_input(config, key, step.clips_of(frames, batch))

    make, costs = compiled(build, walks.frames, walks.batch(0))
    yield "sampling", timed(walks.batch, repeats), {}
    yield "sampling and input", timed(lambda i: make(walks.frames, walks.batch(i)), repeats), costs


def _evaluation(config, model, walks, repeats) -> Iterator[tuple[str, float, Row, int, int]]:
    size, frames = config.train.batch_size, config.train.frames
    batch = {name: value for name, value in walks.batch(0).items() if name != "labels"}
    key, example = jax.random.key(0), step.example_clips(config, frames)
    variables = jax.jit(lambda: step.init_variables(config, model, key, example))()
    embed, costs = compiled(step.make_embed(config, model), variables, walks.frames, batch)
    outputs = embed(variables, walks.frames, batch)
    seconds = timed(lambda i: embed(variables, walks.frames, batch), repeats)
    yield "embed", seconds, costs, size, frames

    _, d, p = outputs[config.eval.embedding].shape
    x = jnp.asarray(np.random.default_rng(0).normal(size=(p, GALLERY, d)), jnp.float32)
    pairs, costs = compiled(lambda x: distances.pairwise(x, x, config.eval.metric), x)
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


def machine() -> dict:
    """Device, processors, versions and load, for whoever reads the numbers later."""
    device = jax.devices()[0]
    return {
        "device": device.device_kind,
        "devices": jax.device_count(),
        "cores": os.cpu_count(),
        "load_average": os.getloadavg()[0],
        "python": platform.python_version(),
        "jax": jax.__version__,
        "system": platform.system(),
    }


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
        record = {"machine": machine(), "peak": top, "configs": {}}
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
        write_json(args.json, record, "gaitjax.benchmark", argv)
    return 0


def commit() -> str:
    """The commit of this checkout, "-dirty" if files differ from it; else the version."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    folder = Path(__file__).parents[1]
    if not (folder / ".git").exists():
        return gaitjax.__version__
    try:
        return subprocess.run(
            command, cwd=folder, check=True, capture_output=True, text=True
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return gaitjax.__version__


def write_json(path: Path, record: dict, module: str, argv: list[str] | None) -> None:
    """Writes `record`, the "command" (None: sys.argv's) and the "commit" that made it."""
    arguments = sys.argv[1:] if argv is None else argv
    record["command"] = shlex.join(["python", "-m", module, *arguments])
    record["commit"] = commit()
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(json.dumps(record, indent=1) + "\n")
    os.replace(temporary, path)
    print(f"\nwritten: {path}")


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
