"""Training and evaluation of gaitjax and of the same network in PyTorch, timed in turns.

Each program runs in a process of its own. On a CPU each is timed once in every round, so that
whatever else the machine does meets all; an accelerator's memory holds one of them after another.
Where compiling takes minutes and processors are many, several configs may be made ready at once:
all but the one that is timed stand still meanwhile.

Ours is end to end from packed poses: sampling, gathering and augmentation included, batches
prefetched as training does, and evaluation from clips. PyTorch's is forward, loss, backward and
optimiser on an input already made, and in evaluation all test-time views of a batch, already made
too: less work than the reference, which makes them in Python and goes sequence by sequence.
Training uses TF32 where the card has it, bfloat16 configs autocast; evaluation in float32 is exact
on both sides.
"""

import importlib.util
import json
import multiprocessing
import os
import signal
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

from ml_collections import ConfigDict

KINDS = ("training", "evaluation")
READY = 0.6  # of the limit: what of PyTorch is not compiled by then is not timed
LONG = 0.3  # seconds of a run that is timed on an accelerator, about
LAYOUTS = ("eager", "channels_last", "compile")  # of PyTorch
PEAK = "peak"  # a kind of run that tells what `measure.peak` does
Runs = dict[str, Callable[[int], object]]  # run so many steps of a kind, and wait for the last


def missing() -> str:
    """What to install; "" if torch is there."""
    there = importlib.util.find_spec("torch")
    return "" if there else "--against torch needs PyTorch: pip install 'gaitjax[convert]'"


def _ours(config: ConfigDict, _: str) -> tuple[Runs, dict]:
    import jax

    from gaitjax import sharding
    from gaitjax.data.prefetch import prefetch
    from gaitjax.performance import cost, measure, walks
    from gaitjax.performance import record as records
    from gaitjax.training import setup

    sharding.start(multihost=False)
    made = setup.make(config, sharding.make_mesh())
    feed = walks.feed(config, made.mesh)
    batch_at = setup.batches(config, feed, made.mesh)
    state = setup.initial_state(made)
    variables = jax.tree.map(jax.numpy.copy, setup.variables(state))
    clips = {key: value for key, value in batch_at(0).items() if key != "labels"}
    lowered = {
        "training": setup.update(made).lower(state, feed.frames, (batch_at(0),)),
        "evaluation": setup.embed(made).lower(variables, feed.frames, clips),
    }
    about: dict[str, dict] = {"machine": records.machine(), "gflop": {}, "compile_s": {}}
    programs = {}
    for kind in KINDS:
        start = time.perf_counter()
        programs[kind] = lowered[kind].compile()
        about["compile_s"][kind] = time.perf_counter() - start
        about["gflop"][kind] = cost.of(programs[kind], lowered[kind]).flops / 1e9
    update, embed = programs.values()
    holder: list[Any] = [state, 0]

    def train(count: int):
        begin = holder[1]
        for batch in prefetch(lambda t: (batch_at(t),), begin, begin + count):
            holder[0], _ = update(holder[0], feed.frames, batch)
        holder[1] += count
        jax.block_until_ready(holder[0])

    def evaluate(count: int):
        for _ in range(count):
            outputs = embed(variables, feed.frames, clips)
        jax.block_until_ready(outputs)

    runs = {"training": train, "evaluation": evaluate}
    return runs | {PEAK: lambda repeats: measure.peak(repeats, config.model.dtype)}, about


def _in_torch(config: ConfigDict, layout: str) -> tuple[Runs, dict]:
    os.environ["JAX_PLATFORMS"] = "cpu"  # it only makes the input
    import contextlib

    import jax
    import numpy as np
    import torch

    from gaitjax import models, sharding
    from gaitjax.performance import torch_networks, torch_training, walks
    from gaitjax.training import setup, step
    from gaitjax.transforms import pipeline

    device = "cuda" if torch.cuda.is_available() else "cpu"
    mesh, model = sharding.make_mesh(), models.build(config)
    feed = walks.feed(config, mesh)
    batch = setup.batches(config, feed, mesh)(0)
    clips = step.clips_of(feed.frames, batch)
    formats = {4: torch.channels_last, 5: torch.channels_last_3d}

    def placed(tensor: torch.Tensor) -> torch.Tensor:
        if layout == "channels_last" and tensor.ndim in formats:
            return tensor.to(device, memory_format=formats[tensor.ndim])
        return tensor.to(device)

    def made(make: Callable) -> torch.Tensor:
        return placed(torch_networks.from_ours(config, jax.jit(make)(clips)))

    x = made(lambda clips: pipeline.train_input(config, model, jax.random.key(0), clips))
    view = made(lambda clips: pipeline.eval_input(config, model, clips))
    labels = torch.from_numpy(np.array(batch["labels"])).long().to(device)
    network = torch_networks.build(config).to(device)
    if layout == "channels_last":
        for parameter in network.parameters():
            parameter.data = placed(parameter.data)
    optimiser = torch_training.optimizer(config, network)
    forward = torch.compile(network) if layout == "compile" else network
    half = config.model.dtype == "bfloat16"
    views = [view] * {"gaitgraph1": 2, "gaitgraph2": 3}.get(config.model.name, 1)

    def precision(tf32: bool):
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = tf32
        return torch.autocast(device, torch.bfloat16) if half else contextlib.nullcontext()

    def finish():
        if device == "cuda":
            torch.cuda.synchronize()

    def train(count: int):
        network.train()
        for _ in range(count):
            optimiser.zero_grad()
            with precision(tf32=True):
                outputs = forward(x)
            outputs = {name: value.float() for name, value in outputs.items()}
            torch_training.total_loss(outputs, labels, config.loss).backward()
            optimiser.step()
        finish()

    def evaluate(count: int):
        network.eval()
        with torch.no_grad(), precision(tf32=False):
            for _ in range(count):
                for view in views:
                    forward(view)
        finish()

    return {"training": train, "evaluation": evaluate}, {"torch": torch.__version__}


PROGRAMS = {"gaitjax": (_ours, "")} | {name: (_in_torch, name) for name in LAYOUTS}


def _serve(pipe: Connection, program: str, config: str) -> None:
    """A worker: tells of itself when it is made, then times the runs that it is sent."""
    make, layout = PROGRAMS[program]
    try:
        runs, about = make(ConfigDict(json.loads(config)), layout)
        pipe.send(about)
        while job := pipe.recv():
            kind, count = job
            start = time.perf_counter()
            said = runs[kind](count)
            pipe.send(said or (time.perf_counter() - start) / count)
    except Exception as error:  # torch.compile needs a C compiler, a card has only so much memory
        pipe.send({"error": (str(error).strip().splitlines() or [repr(error)])[-1][:300]})


class _Failed(Exception):
    """A worker could not do what it was asked for."""


class _Worker(NamedTuple):
    process: Any  # of multiprocessing
    pipe: Connection

    def answer(self, end: float) -> Any:
        """What it says next; TimeoutError if nothing by `end`, _Failed with what went wrong."""
        if not self.pipe.poll(max(0.0, end - time.monotonic())):
            raise TimeoutError
        try:
            said = self.pipe.recv()
        except EOFError:
            raise _Failed("the process died") from None
        if isinstance(said, dict) and "error" in said:
            raise _Failed(said["error"])
        return said

    def run(self, kind: str, count: int, end: float) -> Any:
        """Seconds of one, of so many."""
        self.pipe.send((kind, count))
        return self.answer(end)

    def kill(self) -> None:
        self.process.kill()
        self.process.join()
        self.pipe.close()


class _Job:
    """The programs of one config, being made in processes of their own from now on."""

    def __init__(self, config: ConfigDict, layouts: Sequence[str], limit: float):
        os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # the card is shared
        self.config, self.limit = config, limit
        self.begin = time.monotonic()
        self.workers: dict[str, _Worker] = {}
        context = multiprocessing.get_context("spawn")
        for program in ("gaitjax", *layouts):
            pipe, other = context.Pipe()
            arguments = (other, program, config.to_json())
            process = context.Process(target=_serve, args=arguments, daemon=True)
            process.start()
            other.close()
            self.workers[program] = _Worker(process, pipe)

    def ready(self) -> bool:
        """Whether ours is compiled, or has no time left to be."""
        late = time.monotonic() > self.begin + self.limit
        return late or self.workers["gaitjax"].pipe.poll()

    def signal(self, what: signal.Signals) -> None:
        for worker in self.workers.values():
            os.kill(worker.process.pid, what)

    def kill(self) -> None:
        for worker in self.workers.values():
            worker.kill()

    def timed(self, rounds: int, say: Callable) -> dict:
        """What `compare` returns for it."""
        found: dict[str, Any] = {"missing": {}}
        seconds: dict[str, dict[str, list[float]]] = {kind: {} for kind in KINDS}
        try:
            found |= self.workers["gaitjax"].answer(self.begin + self.limit)
            in_turns, programs = found["machine"]["device"] == "cpu", list(self.workers)
            for group in [programs] if in_turns else [[program] for program in programs]:
                steps = self._warm(group, in_turns, found, say)
                for kind in KINDS * rounds:
                    for program, count in steps.items():
                        taken = self._run(program, kind, count[kind])
                        seconds[kind].setdefault(program, []).append(taken)
                if not in_turns:  # its memory is the next one's
                    self.workers[group[0]].kill()
        except TimeoutError:
            return found | {"error": f"not done after {self.limit:.0f} s, and killed"}
        except _Failed as error:
            return found | {"error": str(error)}
        for kind in KINDS:
            found[kind] = summary(self.config.train.batch_size, seconds[kind])
            flops = found["gflop"][kind] / statistics.median(seconds[kind]["gaitjax"])
            found[kind]["share_of_peak"] = flops / found[PEAK]["gflop_per_s"]
            say(f"{kind}: {_line(found[kind])}")
        return found

    def _run(self, program: str, kind: str, count: int) -> Any:
        return self.workers[program].run(kind, count, self.begin + self.limit)

    def _warm(self, group: list[str], once: bool, found: dict, say: Callable) -> dict:
        """Program -> kind -> steps of a run that is timed, 1 with `once`; into `found` what it is.

        Those of PyTorch that cannot be timed are left out, and said.
        """
        steps: dict[str, dict[str, int]] = {}
        for program in group:
            worker, ours = self.workers[program], program == "gaitjax"
            until = self.begin + self.limit * (1 if ours else READY)
            count = dict.fromkeys(KINDS, 1)
            try:
                if not ours:
                    found |= worker.answer(until)
                for kind in KINDS:
                    worker.run(kind, 1, until)  # compiles, and keeps what it needs
                    if not once:
                        taken = worker.run(kind, 1, until)
                        count[kind] = max(1, min(int(LONG / taken), 50))
                if ours:
                    found[PEAK] = worker.run(PEAK, 3, until)
                steps[program] = count
            except (TimeoutError, _Failed) as error:
                if ours:
                    raise
                why = str(error) or "not compiled in time; give a longer --limit"
                found["missing"][program] = why
                say(f"{program}: not timed: {why}")
                worker.kill()
        return steps


def compare(
    configs: dict[str, ConfigDict],
    rounds: int,
    limit: float,
    say: Callable = print,
    layouts: Sequence[str] = LAYOUTS,
    at_once: int = 1,
) -> Iterator[tuple[str, dict]]:
    """Seconds of every run of each program, and how ours compares with the fastest of PyTorch.

    Args:
      limit: seconds for a config, those in which another is timed not counted.
      layouts: of `LAYOUTS`, those that are timed.
      at_once: configs that are made ready at the same time; one that fails so is tried alone.
    Yields:
      (name, kind -> {"seconds", "sequences_per_s": by program, "ratio": median over the rounds of
      the fastest PyTorch's seconds over ours, "share_of_peak"}; "machine", "peak", "gflop",
      "compile_s", "torch"; "missing": program -> why it was not timed; "error": what was not done).
    """
    waiting, alone, jobs = list(configs), [], {}
    try:
        while waiting or alone or jobs:
            for name in waiting[: at_once - len(jobs)] or ([] if jobs else alone[:1]):
                jobs[name] = _Job(configs[name], layouts, limit)
            waiting = [name for name in waiting if name not in jobs]
            name = next((name for name, job in jobs.items() if job.ready()), None)
            if name is None:
                time.sleep(0.1)
                continue
            job, start = jobs.pop(name), time.monotonic()
            try:
                for other in jobs.values():
                    other.signal(signal.SIGSTOP)
                found = job.timed(rounds, lambda line, of=name: say(f"{of}: {line}"))
            finally:
                job.kill()
                for other in jobs.values():
                    other.signal(signal.SIGCONT)
                    other.begin += time.monotonic() - start
            if "error" in found and at_once > 1 and name not in alone:
                alone.append(name)  # those that waited may have held the memory that it needed
                continue
            alone = [other for other in alone if other != name]
            yield name, found
    finally:
        for job in jobs.values():
            job.kill()


def summary(size: int, seconds: dict[str, list[float]]) -> dict:
    """Rates of every program, and how many times the fastest PyTorch ours is."""
    rates = {name: size / statistics.median(taken) for name, taken in seconds.items()}
    theirs = {name: rate for name, rate in rates.items() if name != "gaitjax"}
    result = {"seconds": seconds, "sequences_per_s": rates}
    if theirs:
        best = max(theirs, key=lambda name: theirs[name])
        pairs = zip(seconds[best], seconds["gaitjax"], strict=True)
        result |= {"best": best, "ratio": statistics.median(a / b for a, b in pairs)}
    return result


def _line(found: dict) -> str:
    rates = ", ".join(f"{name} {rate:,.2f}" for name, rate in found["sequences_per_s"].items())
    ratio = f"; {found['ratio']:.2f} of PyTorch {found['best']}" if "ratio" in found else ""
    return f"{rates} sequences/s{ratio}; {found['share_of_peak']:.0%} of peak"
