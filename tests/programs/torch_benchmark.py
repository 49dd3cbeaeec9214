"""Training and evaluation of gaitjax and of the same networks in PyTorch, timed in turns.

    python -m tests.programs.torch_benchmark [--config NAME] [--compile] [--json FILE]

Each program runs in a process of its own; of every round one step of either is timed, so that
whatever else the machine does meets both. Ours is a whole training step, input included, and
evaluation as `gaitjax.evaluate` embeds. PyTorch's is forward, loss, backward and optimiser on
an input already made, and in evaluation all test-time views of a whole batch, already made
too: less work than the reference, which makes them in Python and goes sequence by sequence.
"""

import argparse
import json
import multiprocessing
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

from ml_collections import ConfigDict

from gaitjax import benchmark
from gaitjax.config import ConfigError, load, override_all
from gaitjax.errors import DataError
from gaitjax.performance import record as records

KINDS = ("training", "evaluation")
Runs = dict[str, Callable[[], object]]


def ours(config: ConfigDict, compiled: bool) -> Runs:
    """A whole training step, and the embedding of a batch, of gaitjax."""
    import jax

    from gaitjax import sharding
    from gaitjax.performance import walks
    from gaitjax.training import setup

    sharding.start(multihost=False)
    made = setup.make(config, sharding.make_mesh())
    feed = walks.feed(config, made.mesh)
    batch_at, update, embed = (
        setup.batches(config, feed, made.mesh),
        setup.update(made),
        setup.embed(made),
    )
    state = [setup.initial_state(made)]
    variables = jax.tree.map(jax.numpy.copy, setup.variables(state[0]))

    def train():
        batch = batch_at(int(state[0]["step"]))
        state[0], metrics = update(state[0], feed.frames, (batch,))
        return jax.block_until_ready((state[0], metrics))

    def evaluate():
        batch = batch_at(0)
        del batch["labels"]
        return jax.block_until_ready(embed(variables, feed.frames, batch))

    return {"training": train, "evaluation": evaluate}


def in_torch(config: ConfigDict, compiled: bool) -> Runs:
    """The same network's step and embedding in PyTorch; `compiled`: by torch.compile."""
    import jax
    import numpy as np
    import torch

    from gaitjax import models, sharding
    from gaitjax.performance import walks
    from gaitjax.training import setup, step
    from gaitjax.transforms import pipeline
    from tests.programs import torch_networks

    device = "cuda" if torch.cuda.is_available() else "cpu"
    mesh = sharding.make_mesh()
    feed = walks.feed(config, mesh)
    batch = setup.batches(config, feed, mesh)(0)
    clips = step.clips_of(feed.frames, batch)

    def made(make: Callable) -> torch.Tensor:
        return torch_networks.from_ours(config, jax.jit(make)(clips)).to(device)

    model = models.build(config)
    x = made(lambda clips: pipeline.train_input(config, model, jax.random.key(0), clips))
    view = made(lambda clips: pipeline.eval_input(config, model, clips))
    labels = torch.from_numpy(np.array(batch["labels"])).long().to(device)
    network = torch_networks.build(config).to(device)
    optimiser = torch_networks.optimizer(config, network)
    forward = torch.compile(network) if compiled else network
    views = [view] * {"gaitgraph1": 2, "gaitgraph2": 3}.get(config.model.name, 1)

    def finish():
        if device == "cuda":
            torch.cuda.synchronize()

    def train():
        network.train()
        optimiser.zero_grad()
        torch_networks.total_loss(forward(x), labels, config.loss).backward()
        optimiser.step()
        finish()

    def evaluate():
        network.eval()
        with torch.no_grad():
            for view in views:
                forward(view)
        finish()

    return {"training": train, "evaluation": evaluate}


def serve(pipe, make: Callable[[ConfigDict, bool], Runs], config: str, compiled: bool) -> None:
    """A worker: warms up, then times one run of each kind that it is sent."""
    runs = make(ConfigDict(json.loads(config)), compiled)
    for run in runs.values():
        run()
    pipe.send("ready")
    while kind := pipe.recv():
        start = time.perf_counter()
        runs[kind]()
        pipe.send(time.perf_counter() - start)


def measure(config: ConfigDict, compiled: bool, rounds: int) -> dict:
    """Seconds of every run of both programs, by kind, and the median of the rounds' ratios."""
    context = multiprocessing.get_context("spawn")
    workers = {}
    for name, make in (("gaitjax", ours), ("torch", in_torch)):
        pipe, end = context.Pipe()
        arguments = (end, make, config.to_json(), compiled)
        process = context.Process(target=serve, args=arguments, daemon=True)
        process.start()
        end.close()
        workers[name] = pipe
        pipe.recv()
    seconds = {kind: {name: [] for name in workers} for kind in KINDS}
    for _ in range(rounds):
        for kind in KINDS:
            for name, pipe in workers.items():
                pipe.send(kind)
                seconds[kind][name].append(pipe.recv())
    for pipe in workers.values():
        pipe.send("")
    return {kind: _summary(config.train.batch_size, seconds[kind]) for kind in KINDS}


def _summary(size: int, seconds: dict[str, list[float]]) -> dict:
    rounds = zip(seconds["torch"], seconds["gaitjax"], strict=True)
    rates = {name: size / statistics.median(taken) for name, taken in seconds.items()}
    ratio = statistics.median(theirs / mine for theirs, mine in rounds)
    return {"seconds": seconds, "sequences_per_s": rates, "ratio": ratio}


def main(argv: list[str] | None = None) -> int:
    args, rest = _parser().parse_known_args(argv)
    chosen = [args.config] if args.config else benchmark.DEFAULT
    record: dict = {"machine": records.machine(), "configs": {}}
    try:
        for name in chosen:
            config = load(name)
            if name in benchmark.DEFAULT:
                config.train.batch_size, config.train.frames = benchmark.DEFAULT[name]
            config = override_all(config, rest)
            record["configs"][name] = found = measure(config, args.compile, args.rounds)
            size = {"batch_size": config.train.batch_size, "frames": config.train.frames}
            for kind in KINDS:
                rates = found[kind]["sequences_per_s"]
                print(
                    f"{name}, {size['batch_size']} x {size['frames']}, {kind}: "
                    f"{rates['gaitjax']:.2f} sequences/s, PyTorch {rates['torch']:.2f}, "
                    f"ratio {found[kind]['ratio']:.2f}",
                    flush=True,
                )
            found |= size
    except (ConfigError, DataError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if args.json:
        records.write(args.json, record, "tests.programs.torch_benchmark", argv)
    return 0


def _parser() -> argparse.ArgumentParser:
    form = argparse.RawDescriptionHelpFormatter
    result = argparse.ArgumentParser(
        "tests.programs.torch_benchmark", description=__doc__, formatter_class=form
    )
    result.add_argument("--config", help="default: one of each network, at a CPU's sizes")
    result.add_argument("--rounds", type=int, default=5, help="timed runs of each (default: 5)")
    result.add_argument("--compile", action="store_true", help="PyTorch through torch.compile")
    result.add_argument("--json", type=Path, help="file for the numbers")
    return result


if __name__ == "__main__":
    sys.exit(main())
