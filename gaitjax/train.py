"""Train a gait network: python -m gaitjax.train --config NAME --workdir DIR.

Start order: a checkpoint in the work directory, else `config.init_from`, else fresh
weights. The batch and the augmentation at step t are a pure function of (seed, t), so a
run that is killed and started again ends bit for bit where it would have ended.
"""

import contextlib
import itertools
import json
import math
import os
import signal
import sys
import threading
import time
from pathlib import Path

import jax
from ml_collections import ConfigDict

from gaitjax import sharding, weights
from gaitjax.config import ConfigError, check_training, free_keys, from_arguments, parser, stored
from gaitjax.data.feed import Feed
from gaitjax.data.prefetch import prefetch
from gaitjax.errors import DataError, TrainingError
from gaitjax.evaluation.trial import Trial, headline_metrics, open_trial
from gaitjax.performance import cost
from gaitjax.training import checkpoint, dry_run, setup
from gaitjax.training.identities import check_identities, note_shared
from gaitjax.training.metrics import MetricWriter, Progress


def _flat(config: dict, prefix: str = "") -> dict:
    flat = {}
    for key, value in config.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat


def _claim(workdir: Path, config: ConfigDict) -> None:
    """Write config.json, or check that the work directory belongs to this config."""
    path = workdir / "config.json"
    if workdir.exists() and not workdir.is_dir():
        raise TrainingError(f"--workdir {workdir} is a file; name a folder")
    ours = json.loads(config.to_json())
    if path.exists():
        # A field since then has its default there: an older version's run goes on.
        theirs = _flat(stored(json.loads(path.read_text()), str(path)).to_dict())
        mine = _flat(config.to_dict())
        differ = [
            f"{key}: {theirs.get(key)!r} there, {mine.get(key)!r} here"
            for key in sorted(theirs.keys() | mine.keys())
            if theirs.get(key) != mine.get(key) and key not in free_keys()
        ]
        if differ:
            raise TrainingError(
                f"{workdir} holds a run of another config:\n  "
                + "\n  ".join(differ)
                + "\nUse another --workdir, or delete this one to start over."
            )
    if jax.process_index() == 0:
        workdir.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".tmp")
        temporary.write_text(json.dumps(ours, indent=1) + "\n")
        os.replace(temporary, path)


def _check(config: ConfigDict, mesh) -> None:
    """ConfigError for a config that cannot train, or not on these devices."""
    check_training(config)
    if config.train.batch_size % mesh.size:
        raise ConfigError(
            f"train.batch_size={config.train.batch_size} does not split over {mesh.size} devices; "
            f"use a multiple of {mesh.size}"
        )


def _dispatches(start: int, total: int, together: int) -> list[range]:
    """The steps start, ..., total - 1 in parts that end at multiples of `together`."""
    first = start - start % together + together
    ends = [start, *range(first, total, together), total]
    return [range(a, b) for a, b in itertools.pairwise(ends) if a < b]


class _StopRequest:
    """Turns SIGTERM and Ctrl-C into a request to save and stop.

    With jax.distributed running, its preemption service listens instead (orbax asks it).
    """

    def __init__(self):
        self.received = ""
        self._old = {}

    def __enter__(self):
        in_main = threading.current_thread() is threading.main_thread()
        if in_main and not jax.distributed.is_initialized():
            for number in (signal.SIGTERM, signal.SIGINT):
                self._old[number] = signal.signal(number, self._handle)
        return self

    def _handle(self, number, frame):
        if self.received:  # asked twice: leave at once
            raise KeyboardInterrupt
        self.received = signal.Signals(number).name

    def __exit__(self, *_):
        for number, handler in self._old.items():
            signal.signal(number, handler)


def _initial(config: ConfigDict, state: dict) -> dict:
    """`state` with the weights of `config.init_from`."""
    variables, metadata = checkpoint.load_variables(config.init_from)
    current = {"params": state["params"], "batch_stats": state["batch_stats"]}
    loaded, report = weights.fit(variables, current, config.init_from, strict=config.init_strict)
    loaded = jax.tree.map(lambda new, old: sharding.put(new, old.sharding), loaded, current)
    kept = len(jax.tree.leaves(current)) - sum("not in the network" not in r for r in report)
    print(f"init_from {config.init_from}: loaded {kept} arrays", *report, sep="\n  ")
    state = {**state, **loaded}
    if "ema" in state:
        state["ema"] = jax.tree.map(lambda x: x.copy(), state["params"])
    return state


def train(config: ConfigDict, workdir: str | Path) -> tuple[dict, dict]:
    """Train `config` in `workdir`, resuming what is there.

    Returns:
      (state, metrics): the final state (see `gaitjax.training.step`) on the devices, and the last
      logged metrics, with the evaluation record under "evaluation" if there was one.
    Raises:
      ConfigError, DataError, WeightsError, TrainingError: each says what to change.
    """
    workdir = Path(workdir)
    main_process = jax.process_index() == 0
    say = print if main_process else (lambda *_, **__: None)

    ############################################################ devices, config, data
    mesh = sharding.make_mesh()
    _check(config, mesh)
    feed = Feed.open(config, "train", mesh)
    check_identities(config, feed.labels)
    batch_at = setup.batches(config, feed, mesh)
    batch_at(0)  # a batch that cannot be drawn is refused before anything is written
    _claim(workdir, config)
    say(
        f"devices: {mesh.size} x {jax.devices()[0].device_kind}, "
        f"{jax.process_count()} process(es)\n"
        f"data: {config.data.name}, {len(set(feed.labels))} identities, "
        f"{len(feed.labels)} sequences, {feed.about}"
    )

    ############################################################ network, optimiser, state
    made = setup.make(config, mesh)
    state = setup.initial_state(made)
    count = cost.numbers(state["params"])
    dtype = config.model.get("dtype", "float32")
    say(f"network: {config.model.name}, {count:,} parameters, {dtype}")

    ############################################################ resume, or start from weights
    checkpoints = checkpoint.manager(workdir, config.train.keep)
    if checkpoints.latest_step() is not None:
        state = checkpoint.restore(checkpoints, state)
        say(f"resumed {workdir} at step {int(state['step'])}")
    elif config.init_from:
        state = _initial(config, state)
    start = int(state["step"])

    ############################################################ one dispatch
    update = setup.update(made)
    total, together = config.train.steps, config.train.steps_per_dispatch
    plan = _dispatches(start, total, together)
    if together > 1 and sharding.on_cpu(mesh):
        say("note: train.steps_per_dispatch is for accelerators; here it takes longer to compile")

    def batches_at(i: int) -> tuple[dict, ...]:
        return tuple(batch_at(t) for t in plan[i])

    ############################################################ loop
    trial = _trial(config, made.model, mesh, say)
    if trial and (note := note_shared(feed.labels, trial.feed.labels)):
        say(note)
    _check_keep_best(config, trial)
    writer = MetricWriter(workdir, start, active=main_process)
    progress = Progress(start, total, "seq", config.train.batch_size, active=main_process)
    programs: dict[int, jax.stages.Compiled] = {}  # by their number of steps
    last: dict = {}
    saved, saved_at = start, time.monotonic()
    finite_until = start

    with _StopRequest() as stop, contextlib.ExitStack() as finally_:
        for resource in (checkpoints, progress, writer):
            finally_.callback(resource.close)
        finally_.enter_context(sharding.end_with_others())
        ahead = prefetch(batches_at, 0, len(plan))
        for steps, batches in zip(plan, ahead, strict=True):
            if len(steps) not in programs:
                with progress.paused():
                    programs[len(steps)] = _compile(update, (state, feed.frames, batches), say)
            state, metrics = programs[len(steps)](state, feed.frames, batches)
            done = steps.stop
            progress.advance(len(steps))
            # On several hosts only what all agree on may stop or save, so no clocks there.
            stopping = bool(stop.received) or checkpoints.reached_preemption(done)
            final = done == total
            logging = done % config.train.log_every == 0 or final or stopping
            saving = done % config.train.save_every == 0 or final or stopping
            if jax.process_count() == 1 and config.train.save_minutes:
                saving |= time.monotonic() - saved_at > 60 * config.train.save_minutes
            every = config.train.eval_every
            evaluating = final or bool(every and done % every == 0 and not stopping)

            if logging or saving:
                values = {k: float(v) for k, v in jax.device_get(metrics).items()}
                if not (math.isfinite(values["loss"]) and math.isfinite(values["grad_norm"])):
                    raise TrainingError(
                        f"loss {values['loss']}, gradient norm {values['grad_norm']}: not finite "
                        f"somewhere in steps {finite_until + 1} to {done}. The newest checkpoint "
                        f"is of step {saved}. Try a lower schedule.lr, train.clip_norm=1, or "
                        "look for bad sequences in the data."
                    )
                finite_until = done
            if logging:
                rate = progress.log(done, {k: values[k] for k in ("loss", "lr", "grad_norm")})
                writer.write(done, {**values, "sequences_per_second": rate})
                last = values
            if evaluating and trial is not None:
                with progress.paused():
                    last |= _evaluate(trial, state, workdir, writer, done)
            # Saved last: whatever a kill loses is done again after the resume.
            if saving:
                checkpoint.save(checkpoints, done, state, config)
                saved, saved_at = done, time.monotonic()
            if stopping:
                checkpoints.wait_until_finished()
                say(f"{stop.received or 'preemption'}: saved step {done}; run again to go on")
                break

        checkpoints.wait_until_finished()
    return state, last


def _compile(update, args: tuple, say) -> jax.stages.Compiled:
    """`update` compiled for `args` (state, frames, batches); says what it will cost."""
    begin = time.perf_counter()
    program = update.lower(*args).compile()
    steps = len(args[-1])
    say(
        f"cost of {'a step' if steps == 1 else f'{steps} steps'} on each device: "
        f"{cost.of(program)}; compiled in {time.perf_counter() - begin:.1f} s",
        flush=True,
    )
    return program


def _trial(config: ConfigDict, model, mesh, say) -> Trial | None:
    """What the network is evaluated on, or None (with a note) where the data has no test set."""
    try:
        return open_trial(config, model, mesh)
    except DataError as error:
        say(f"no evaluation while training: {error}")
        return None


def _check_keep_best(config: ConfigDict, trial: Trial | None) -> None:
    """ConfigError now, not after hours, unless `train.keep_best` names what will be measured."""
    name = config.train.keep_best
    if not name:
        return
    if trial is None:
        raise ConfigError(f"train.keep_best={name!r} needs a test set; see above why there is none")
    names = trial.rehearse()
    if name not in names:
        raise ConfigError(f"train.keep_best={name!r} is no metric; known: {', '.join(names)}")


def _evaluate(trial, state, workdir, writer, done) -> dict:
    """Evaluate the state, record it, and keep best.npz by `train.keep_best`."""
    variables = setup.variables(state)
    record = trial.record(variables)
    values = headline_metrics(record)
    writer.write(done, values)
    if jax.process_index() == 0:
        print(f"step {done}  " + "  ".join(f"{k} {v:.2f}" for k, v in values.items()), flush=True)
        _keep_best(trial.config, variables, values, workdir, done)
    return {"evaluation": record}


def _keep_best(config, variables, values, workdir, done) -> None:
    metric = config.train.keep_best
    if not metric:
        return
    path = workdir / "best.npz"
    best = weights.load(path)[1]["value"] if path.exists() else -math.inf
    if values[metric] > best:
        metadata = {"metric": metric, "value": values[metric], "step": done}
        weights.save(path, variables, metadata | {"config": json.loads(config.to_json())})


def main(argv: list[str] | None = None) -> int:
    args, rest = _parser().parse_known_args(argv)
    sharding.start(args.multihost)
    try:
        config = from_arguments(args.config, rest)
        if args.dry_run:
            print(dry_run.describe(config))
        else:
            train(config, args.workdir)
    except (ConfigError, DataError, weights.WeightsError, TrainingError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _parser():
    result = parser(
        "Train a gait network; run again to resume. Any config field can be changed with\n"
        "--config.FIELD=VALUE.",
        "python -m gaitjax.train --config gaitgraph2_grew --workdir out \\\n"
        "           --config.data.root=DIR --config.train.batch_size=256",
    )
    result.add_argument("--workdir", required=True, help="folder for checkpoints and metrics")
    result.add_argument("--multihost", action="store_true", help="one of several processes")
    result.add_argument(
        "--dry_run",
        action="store_true",
        help="print parameters, shapes, memory and cost of a step, and exit",
    )
    return result


if __name__ == "__main__":
    sys.exit(main())
