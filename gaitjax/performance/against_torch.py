"""Training and evaluation of gaitjax and of the same network in PyTorch, timed in turns.

Each program runs in a process of its own; of every round each is timed once, so that whatever
else the machine does meets all. Ours is end to end from packed poses: sampling, gathering and
augmentation included, batches prefetched as training does, and evaluation from clips. PyTorch's
is forward, loss, backward and optimiser on an input already made, and in evaluation all
test-time views of a batch, already made too: less work than the reference, which makes them in
Python and goes sequence by sequence. Training uses TF32 where the card has it, bfloat16 configs
autocast; evaluation in float32 is exact on both sides.
"""

import importlib.util
import json
import multiprocessing
import os
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

from ml_collections import ConfigDict

KINDS = ("training", "evaluation")
READY = 0.6  # of the limit: what of PyTorch is not compiled by then is not timed
LAYOUTS = ("eager", "channels_last", "compile")  # of PyTorch
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
    batch_at, embed = setup.batches(config, feed, made.mesh), setup.embed(made)
    state = setup.initial_state(made)
    variables = jax.tree.map(jax.numpy.copy, setup.variables(state))
    clips = {key: value for key, value in batch_at(0).items() if key != "labels"}
    update = setup.update(made).lower(state, feed.frames, (batch_at(0),)).compile()
    embed = embed.lower(variables, feed.frames, clips).compile()
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

    gflop = {"training": cost.of(update).flops / 1e9, "evaluation": cost.of(embed).flops / 1e9}
    top = measure.peak(3, config.model.dtype)
    return {"training": train, "evaluation": evaluate}, {
        "machine": records.machine(),
        "peak": top,
        "gflop": gflop,
    }


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


def _serve(pipe, program: str, config: str) -> None:
    """A worker: warms up, then times so many runs of a kind as it is sent."""
    make, layout = PROGRAMS[program]
    try:
        runs, about = make(ConfigDict(json.loads(config)), layout)
        for run in runs.values():
            run(1)
    except Exception as error:  # torch.compile needs a C compiler, a card has only so much memory
        pipe.send({"error": (str(error).strip().splitlines() or [repr(error)])[-1][:300]})
        return
    pipe.send(about)
    while job := pipe.recv():
        kind, count = job
        start = time.perf_counter()
        runs[kind](count)
        pipe.send((time.perf_counter() - start) / count)


def compare(
    config: ConfigDict,
    rounds: int,
    limit: float,
    say: Callable = print,
    layouts: Sequence[str] = LAYOUTS,
) -> dict:
    """Seconds of every run of each program, by kind, and how ours compares with the fastest.

    Args:
      layouts: of `LAYOUTS`, those that are timed.
    Returns:
      kind -> {"seconds", "sequences_per_s": by program, "ratio": median over the rounds of the
      fastest PyTorch's seconds over ours, "share_of_peak"}; "machine", "peak", "gflop", "torch";
      "missing": program -> why it was not timed; "error" if `limit` seconds were not enough.
    """
    begin, context = time.monotonic(), multiprocessing.get_context("spawn")
    end = begin + limit
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # the card is shared
    workers, found = {}, {"missing": {}}
    try:
        for program in ("gaitjax", *layouts):
            pipe, other = context.Pipe()
            arguments = (other, program, config.to_json())
            process = context.Process(target=_serve, args=arguments, daemon=True)
            process.start()
            other.close()
            workers[program] = process, pipe
            about = _ready(program, pipe, end, begin + READY * limit)
            if "error" in about:
                found["missing"][program] = about["error"]
                say(f"  {program}: not timed: {about['error']}")
                if program == "gaitjax":
                    return found | {"error": about["error"]}
                process.kill()
                del workers[program]
            found |= about if "error" not in about else {}
        steps = 1 if found["machine"]["device"] == "cpu" else 10
        seconds = {kind: {program: [] for program in workers} for kind in KINDS}
        for _ in range(rounds):
            for kind in KINDS:
                for program, (_, pipe) in workers.items():
                    pipe.send((kind, steps))
                    taken = _answer(pipe, end)
                    if isinstance(taken, dict):
                        return found | {"error": f"{program}: {taken['error']}"}
                    seconds[kind][program].append(taken)
    except TimeoutError:
        return found | {"error": f"not done after {limit:.0f} s, and killed"}
    finally:
        for process, pipe in workers.values():
            process.kill()
            process.join()
            pipe.close()
    for kind in KINDS:
        found[kind] = summary(config.train.batch_size, seconds[kind])
        flops = found["gflop"][kind] / statistics.median(seconds[kind]["gaitjax"])
        found[kind]["share_of_peak"] = flops / found["peak"]["gflop_per_s"]
        say(f"  {kind}: {_line(found[kind])}")
    return found


def _ready(program: str, pipe, end: float, soon: float) -> dict:
    """What a worker says once it is warm; of PyTorch's, an error if that is not soon."""
    try:
        return _answer(pipe, end if program == "gaitjax" else soon)
    except TimeoutError:
        if program == "gaitjax":
            raise
        return {"error": "not compiled in time; give a longer --limit"}


def _answer(pipe, end: float):
    if not pipe.poll(max(0.0, end - time.monotonic())):
        raise TimeoutError
    try:
        return pipe.recv()
    except EOFError:
        return {"error": "the process died"}


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
