"""What a training run would be: parameters, shapes, memory and cost of a step. Needs no data."""

from collections.abc import Callable, Iterator

import jax
from flax import traverse_util
from ml_collections import ConfigDict

from gaitjax import sharding
from gaitjax.errors import ConfigError
from gaitjax.performance import compile_for, cost, devices, fit, memory
from gaitjax.training import setup
from gaitjax.transforms import pipeline


def describe(config: ConfigDict, device: str | None = None, say: Callable = print) -> None:
    """Compile the training step of `config` and tell about it.

    Operations, memory traffic and memory are XLA's estimates for the compiled step: one
    device's share where there are several. Poses count as part of the batch here, though a
    run keeps them on the devices if they fit `data.device_budget_gb`.

    Args:
      device: one of `devices.NAMES`, which need not be there, to compile for; then the largest
        batch that fits it is looked for too. Default: the devices of this machine.
    Raises:
      ConfigError: the compiler of `device` is not installed.
    """
    if device:
        if problem := devices.missing(device):
            raise ConfigError(problem)
        devices.use_host_alone()
    made = setup.make(config, sharding.make_mesh())
    state, frames, batch = setup.shapes(made)
    for line in _shapes_of(made, state, batch):
        say(line)
    if device:
        _elsewhere(config, device, say)
        return
    lowered = setup.update(made).lower(state, frames, (batch,))
    for line in _cost(cost.of(lowered.compile(), lowered), made.mesh.size):
        say(line)


def _shapes_of(made: setup.Setup, state: dict, batch: dict) -> Iterator[str]:
    key, name, params = jax.random.key(0), made.config.model.name, state["params"]
    variables = {name: state[name] for name in ("params", "batch_stats")}
    x = jax.eval_shape(
        lambda batch: pipeline.train_input(made.config, made.model, key, batch), batch
    )
    outputs = jax.eval_shape(lambda v, x: made.model.apply(v, x), variables, x)
    yield f"network {name}: {cost.numbers(params):,} parameters"
    for path, part in _modules(params):
        yield f"  {path:24s} {cost.numbers(part):>12,}"
    yield f"state: {cost.mib(cost.size(state))} (parameters, batch statistics, optimiser)"
    yield f"batch: {_shapes(batch)}"
    yield f"input: {_shapes({name: x})}"
    yield f"output: {_shapes(outputs)}"


def _elsewhere(config: ConfigDict, name: str, say: Callable) -> None:
    """Whether the step compiles for and fits a device, and the largest batch that does."""
    device, train = devices.DEVICES[name], config.train
    say(f"compiling for {device.title}, which need not be here: one to some minutes a program")
    found = compile_for.compile_for(config, name)
    size = f"{train.batch_size} x {train.frames} frames"
    if "error" in found and "memory" not in found:
        say(f"{size}: does not compile: {found['error']}")
        return
    share = "" if device.platform == "tpu" else f" (of {memory.gib(device.memory)} in all)"
    room = f"JAX gives a program {memory.gib(devices.usable(name))} there{share}"
    fits = "error" not in found and found["memory"] <= devices.usable(name)
    say(
        f"{size}: holds {memory.gib(found['memory'])}, poses of {compile_for.RESIDENT:,} frames "
        f"included; {room}: {'it fits' if fits else 'it does not fit'}"
    )
    if "error" not in found:
        say(
            f"  compiled in {found['lower_seconds'] + found['compile_seconds']:.0f} s here, not "
            f"tuned: {found['fusions']:,} fusions, {found['convolutions']} convolutions, "
            f"{found['products']} products"
        )
    largest, at_largest = fit.largest_batch(config, name, say, found)
    if largest:
        say(f"largest batch that fits: {largest:,} ({memory.gib(at_largest['memory'])})")
    else:
        say("no batch fits; set train.remat=True or model.dtype=bfloat16, or fewer train.frames")


def _modules(params: dict) -> list[tuple[str, dict]]:
    """(path, parameters) of the modules below the top; a lone module at the top is opened."""
    prefix = ""
    while len(params) == 1 and isinstance(next(iter(params.values())), dict):
        name, params = next(iter(params.items()))
        prefix += f"{name}/"
    return [(prefix + name, part) for name, part in sorted(params.items())]


def _cost(estimate: cost.Cost, devices: int) -> list[str]:
    return [
        f"step on each of {devices} x {jax.devices()[0].device_kind}:",
        f"  operations         {estimate.flops / 1e9:,.2f} GFLOP",
        f"  memory traffic     {cost.mib(estimate.traffic)}",
        f"  memory             {cost.mib(estimate.arguments + estimate.scratch)}: state and batch "
        f"{cost.mib(estimate.arguments)}, activations {cost.mib(estimate.scratch)}",
    ]


def _shapes(tree: dict) -> str:
    flat = traverse_util.flatten_dict(tree, sep="/")
    return ", ".join(f"{name} {leaf.dtype}{list(leaf.shape)}" for name, leaf in flat.items())
