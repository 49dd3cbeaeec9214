"""What a training run would be: parameters, shapes, memory and cost of a step. Needs no data."""

import jax
from flax import traverse_util
from ml_collections import ConfigDict

from gaitjax import sharding
from gaitjax.performance import cost
from gaitjax.training import setup
from gaitjax.transforms import pipeline


def describe(config: ConfigDict) -> str:
    """Compile the training step of `config` for this machine's devices and tell about it.

    Operations, memory traffic and memory are XLA's estimates for the compiled step: one
    device's share where there are several. Poses count as part of the batch here, though a
    run keeps them on the devices if they fit `data.device_budget_gb`.
    """
    made = setup.make(config, sharding.make_mesh())
    state, frames, batch = setup.shapes(made)
    key = jax.random.key(0)
    variables = {name: state[name] for name in ("params", "batch_stats")}
    x = jax.eval_shape(lambda batch: pipeline.train_input(config, made.model, key, batch), batch)
    outputs = jax.eval_shape(lambda v, x: made.model.apply(v, x), variables, x)
    estimate = cost.of(setup.update(made).lower(state, frames, (batch,)).compile())
    params = state["params"]

    lines = [f"network {config.model.name}: {cost.numbers(params):,} parameters"]
    lines += [f"  {name:24s} {cost.numbers(part):>12,}" for name, part in _modules(params)]
    lines += [f"state: {cost.mib(cost.size(state))} (parameters, batch statistics, optimiser)"]
    lines += [f"batch: {_shapes(batch)}", f"input: {_shapes({config.model.name: x})}"]
    lines += [f"output: {_shapes(outputs)}"]
    return "\n".join([*lines, *_cost(estimate, made.mesh.size)])


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
