"""What a training run would be: parameters, shapes, memory and cost of a step. Needs no data."""

from collections.abc import Callable

import jax
from flax import traverse_util
from jax.sharding import Mesh
from ml_collections import ConfigDict

from gaitjax import models, sharding
from gaitjax.performance import cost
from gaitjax.training import optim, step
from gaitjax.transforms import pipeline


def describe(config: ConfigDict) -> str:
    """Compile the training step of `config` for this machine's devices and tell about it.

    Operations, memory traffic and memory are XLA's estimates for the compiled step: one
    device's share where there are several. Poses count as part of the batch here, though a
    run keeps them on the devices if they fit `data.device_budget_gb`.
    """
    mesh = sharding.make_mesh()
    update, state, batch = training_step(config)
    model, key = models.build(config), jax.random.key(0)
    variables = {name: state[name] for name in ("params", "batch_stats")}
    x = jax.eval_shape(lambda batch: pipeline.train_input(config, key, batch), batch)
    outputs = jax.eval_shape(lambda v, x: model.apply(v, x), variables, x)
    estimate = cost.of(lower(update, state, batch, mesh).compile())
    params = state["params"]

    lines = [f"network {config.model.name}: {cost.numbers(params):,} parameters"]
    lines += [f"  {name:24s} {cost.numbers(part):>12,}" for name, part in _modules(params)]
    lines += [f"state: {cost.mib(cost.size(state))} (parameters, batch statistics, optimiser)"]
    lines += [f"batch: {_shapes(batch)}", f"input: {_shapes({config.model.name: x})}"]
    lines += [f"output: {_shapes(outputs)}"]
    return "\n".join([*lines, *_cost(estimate, mesh.size)])


def training_step(config: ConfigDict) -> tuple[Callable, dict, dict]:
    """(`step.make_update`'s function, shapes of its state, shapes of a batch of clips)."""
    model = models.build(config)
    tx = optim.optimizer(config, step.variable_shapes(config, model)["params"])
    lr, _ = optim.schedule(config.schedule, config.train.steps)
    state = jax.eval_shape(lambda: step.init_state(config, model, tx))
    clip = jax.eval_shape(lambda: step.example_clips(config, config.train.frames))
    n = config.train.batch_size
    batch = jax.tree.map(lambda a: jax.ShapeDtypeStruct((n, *a.shape[1:]), a.dtype), clip)
    batch["labels"] = jax.ShapeDtypeStruct((n,), "int32")
    return step.make_update(config, model, tx, lr), state, batch


def lower(update: Callable, state: dict, batch: dict, mesh: Mesh) -> jax.stages.Lowered:
    """The step over the devices of `mesh`, from shapes alone, ready to be compiled."""
    whole, split = sharding.replicated(mesh), sharding.batched(mesh)
    return jax.jit(
        update,
        donate_argnums=(0,),
        in_shardings=(whole, whole, split),
        out_shardings=(whole, whole),
    ).lower(state, None, batch)


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
