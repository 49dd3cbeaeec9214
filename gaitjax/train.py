"""Train a gait network: python -m gaitjax.train --config NAME --workdir DIR.

Start order: a checkpoint in the work directory, else `config.init_from`, else fresh
weights. The batch and the augmentation at step t are a pure function of (seed, t), so a
run that is killed and started again ends bit for bit where it would have ended.
"""

import contextlib
import itertools
import math
import sys
import time
from pathlib import Path

import jax
from ml_collections import ConfigDict

from gaitjax import command, files, progress, sharding, weights
from gaitjax.config import check_training, from_arguments, parser
from gaitjax.conversion import convert
from gaitjax.data.feed import Feed
from gaitjax.data.prefetch import prefetch
from gaitjax.errors import ConfigError, TrainingError
from gaitjax.evaluation import while_training
from gaitjax.performance import cost, devices, dry_run, memory
from gaitjax.training import checkpoint, claim, metrics, setup
from gaitjax.training.identities import check_identities, note_shared
from gaitjax.training.stopping import StopRequest

LESS_MEMORY = (
    "lower train.batch_size (`--dry_run` tells what a step holds), or set train.remat=True, "
    "model.dtype=bfloat16 or data.device_budget_gb=0"
)

LESS_EVAL = "lower eval.batch_size"


def train(
    config: ConfigDict, workdir: str | Path, strict_resume: bool = False
) -> tuple[dict, dict]:
    """Train `config` in `workdir`, resuming what is there.

    Args:
      strict_resume: refuse to go on from an older checkpoint where the newest is damaged.
    Returns:
      (state, metrics): the final state (see `gaitjax.training.step`) on the devices, and the last
      logged metrics, with the evaluation record under "evaluation" if there was one.
    Raises:
      ConfigError, DataError, WeightsError, TrainingError: each says what to change.
    """
    workdir = files.expanded(workdir)
    main_process = jax.process_index() == 0
    say = print if main_process else (lambda *_, **__: None)

    ############################################################ devices, data, network
    # All that can be refused is refused before anything is written.
    mesh = sharding.make_mesh()
    _check(config, mesh)
    feed = Feed.open(config, "train", mesh)
    check_identities(config, feed.labels)
    made = setup.make(config, mesh)
    batch_at = setup.batches(config, feed, mesh)
    batch_at(0)
    trial = while_training.prepare(config, made.model, mesh, say, feed.knows)
    if trial and (note := note_shared(feed.labels, trial.feed.labels)):
        say(note)
    device, section = mesh.local_devices[0], config.train
    step_name = f"a step of {section.batch_size} x {section.frames} frames"
    say(
        f"devices: {mesh.size} x {device.device_kind}, {jax.process_count()} process(es)\n"
        f"data: {config.data.name}, {len(set(feed.labels))} identities, "
        f"{len(feed.labels)} sequences, {feed.about}\n"
        f"network: {config.model.name}, {cost.numbers(made.shapes['params']):,} parameters, "
        f"{config.model.get('dtype', 'float32')}"
    )

    with contextlib.ExitStack() as finally_:
        enter, close = finally_.enter_context, finally_.callback
        enter(claim.held(workdir, config))
        stop = enter(StopRequest())
        enter(memory.explained(step_name, device, LESS_MEMORY))

        ############################################################ state
        checkpoints = checkpoint.manager(workdir, section.keep)
        close(checkpoint.close, checkpoints)
        state = setup.initial_state(made)
        resumed = checkpoint.restore_newest(checkpoints, state, strict_resume, say)
        if resumed is not None:
            state = resumed
            say(f"resumed {workdir} at step {int(state['step'])}")
        elif config.init_from:
            state = _from_weights(config, state, say)
        start, total = int(state["step"]), section.steps

        ############################################################ loop
        writer = metrics.MetricWriter(workdir, start, active=main_process)
        close(writer.close)
        shown = progress.Steps(start, total, "seq", section.batch_size, active=main_process)
        close(shown.close)
        enter(sharding.end_with_others())

        def due(done: int) -> bool:
            """Whether the state after `done` steps is to be evaluated."""
            every = section.eval_every
            return trial is not None and (done == total or bool(every and done % every == 0))

        def evaluate(state: dict, done: int) -> dict:
            """Evaluate a state that is on disk: an end meanwhile loses nothing."""
            assert trial is not None, "see due"
            with shown.paused():
                saved = f"step {done} is saved; run again to evaluate it and go on"
                with stop.at_once(saved), memory.explained("the evaluation", device, LESS_EVAL):
                    record = while_training.evaluate(trial, state)
                while_training.keep(trial, state, record, writer, workdir)
            return {"evaluation": record}

        last: dict = {}
        if start and due(start) and not metrics.evaluated(workdir, start):
            last |= evaluate(state, start)

        together = section.steps_per_dispatch
        if together > 1 and sharding.on_cpu(mesh):
            say("note: train.steps_per_dispatch is for accelerators; here it compiles longer")
        update = setup.update(made)
        programs: dict[int, jax.stages.Compiled] = {}  # by their number of steps
        saved = finite_until = start
        saved_at = time.monotonic()
        plan = _dispatches(start, total, together)
        ahead = prefetch(lambda i: tuple(batch_at(t) for t in plan[i]), 0, len(plan))
        for steps, batches in zip(plan, ahead, strict=True):
            if len(steps) not in programs:
                with shown.paused():
                    programs[len(steps)] = _compile(update, (state, feed.frames, batches), say)
            state, values = programs[len(steps)](state, feed.frames, batches)
            stop.first_step_made()
            done = steps.stop
            shown.advance(len(steps))
            # On several hosts only what all agree on may stop or save, so no clocks there.
            stopping = bool(stop.received) or checkpoints.reached_preemption(done)
            evaluating = due(done) and not stopping
            logging = done % section.log_every == 0 or done == total or stopping
            saving = done % section.save_every == 0 or done == total or stopping or evaluating
            if jax.process_count() == 1 and section.save_minutes:
                saving |= time.monotonic() - saved_at > 60 * section.save_minutes

            if logging or saving:
                values = {k: float(v) for k, v in jax.device_get(values).items()}
                _check_finite(values, finite_until, done, saved)
                finite_until = done
            if logging:
                rate = shown.log(done, {k: values[k] for k in ("loss", "lr", "grad_norm")})
                writer.write(done, {**values, "sequences_per_second": rate})
                last = values
            if saving:
                checkpoint.save(checkpoints, done, state, config, feed.knows)
                saved, saved_at = done, time.monotonic()
            if evaluating:
                checkpoint.finish(checkpoints, done)
                last |= evaluate(state, done)
            if stopping:
                checkpoint.finish(checkpoints, done)
                say(f"{stop.received or 'preemption'}: saved step {done}; run again to go on")
                break

        checkpoint.finish(checkpoints, saved)
    return state, last


def _check(config: ConfigDict, mesh) -> None:
    """ConfigError for a config that cannot train, or not on these devices."""
    check_training(config)
    if config.train.batch_size % mesh.size:
        raise ConfigError(
            f"train.batch_size={config.train.batch_size} does not split over {mesh.size} devices; "
            f"use a multiple of {mesh.size}"
        )


def _from_weights(config: ConfigDict, state: dict, say) -> dict:
    """`state` with the weights of `config.init_from`."""
    path = convert.readable(config, config.init_from)
    variables, _ = checkpoint.load_variables(path)
    current = {"params": state["params"], "batch_stats": state["batch_stats"]}
    loaded, report = weights.fit(variables, current, config.init_from, strict=config.init_strict)
    loaded = jax.tree.map(lambda new, old: sharding.put(new, old.sharding), loaded, current)
    kept = len(jax.tree.leaves(current)) - sum("not in the network" not in r for r in report)
    say(f"init_from {config.init_from}: loaded {kept} arrays", *report, sep="\n  ")
    state = {**state, **loaded}
    if "ema" in state:
        state["ema"] = jax.tree.map(lambda x: x.copy(), state["params"])
    return state


def _dispatches(start: int, total: int, together: int) -> list[range]:
    """The steps start, ..., total - 1 in parts that end at multiples of `together`."""
    first = start - start % together + together
    ends = [start, *range(first, total, together), total]
    return [range(a, b) for a, b in itertools.pairwise(ends) if a < b]


def _compile(update, args: tuple, say) -> jax.stages.Compiled:
    """`update` compiled for `args` (state, frames, batches); says where and what it costs."""
    begin, count = time.perf_counter(), len(args[-1])
    what = "a step" if count == 1 else f"{count} steps"
    device = jax.tree.leaves(args[0])[0].sharding.mesh.local_devices[0]
    say(
        f"compiling {what} for {device.device_kind}: minutes on an accelerator the first time, "
        f"then kept in {jax.config.values['jax_compilation_cache_dir']}",
        flush=True,
    )
    lowered = update.lower(*args)
    program = lowered.compile()
    found = cost.of(program, lowered)
    memory.check(what, found, device, LESS_MEMORY)
    seconds = time.perf_counter() - begin
    say(f"cost of {what} on each device: {found}; compiled in {seconds:.1f} s", flush=True)
    return program


def _check_finite(values: dict[str, float], before: int, done: int, saved: int) -> None:
    if math.isfinite(values["loss"]) and math.isfinite(values["grad_norm"]):
        return
    raise TrainingError(
        f"loss {values['loss']}, gradient norm {values['grad_norm']}: not finite somewhere in "
        f"steps {before + 1} to {done}. The newest checkpoint is of step {saved}. Try a lower "
        "schedule.lr, train.clip_norm=1, or look for bad sequences in the data."
    )


def main(argv: list[str] | None = None) -> int:
    return command.run(_main, argv)


def _main(argv: list[str]) -> None:
    args, rest = _parser().parse_known_args(argv)
    sharding.start(args.multihost)
    config = from_arguments(args.config, rest)
    if args.dry_run:
        dry_run.describe(config, args.device)
    elif args.device:
        raise ConfigError("--device names what --dry_run compiles for; training takes what is here")
    else:
        train(config, args.workdir, args.strict_resume)


def _parser():
    result = parser(
        "Train a gait network; run again to resume. Any config field can be changed with\n"
        "--config.FIELD=VALUE.",
        "python -m gaitjax.train --config gaitgraph2_grew --workdir out \\\n"
        "           --config.data.root=DIR --config.train.batch_size=256",
    )
    add = result.add_argument
    add("--workdir", required=True, help="folder for checkpoints and metrics")
    add("--multihost", action="store_true", help="one of several processes")
    add(
        "--strict_resume",
        action="store_true",
        help="if the newest checkpoint is damaged, stop instead of going on from an older one",
    )
    add(
        "--dry_run",
        action="store_true",
        help="print parameters, shapes, memory and cost of a step, and exit",
    )
    add(
        "--device",
        choices=devices.NAMES,
        help="with --dry_run: compile for this device, which need not be there, and tell the "
        "largest batch that fits it",
    )
    return result


if __name__ == "__main__":
    sys.exit(main())
