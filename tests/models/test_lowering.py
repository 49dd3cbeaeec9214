"""Training and evaluation steps lower for TPU and CUDA, of which no device is needed.

Nothing in them may need the CPU, call back to the host, or have a shape known only when it
runs. Real networks and real batches: tracing costs the same whatever the batch.
"""

import json
import re

import jax
import jax.numpy as jnp
import pytest
from jax import export
from ml_collections import ConfigDict

from gaitjax import models
from gaitjax.config import load
from gaitjax.training import setup, step
from gaitjax.zoo import ZOO
from tests.helpers.devices import mesh_of

PLATFORMS = ("tpu", "cuda")
# What XLA itself understands on every platform.
KNOWN_CALLS = {"Sharding"}


def lower(fn, *args, platforms=PLATFORMS) -> export.Exported:
    return export.export(jax.jit(fn), platforms=platforms)(*args)


def refused(program: export.Exported) -> list[str]:
    """What keeps a program from running on an accelerator alone."""
    text = program.mlir_module()
    calls = set(re.findall(r"custom_call @([\w.$]+)", text)) - KNOWN_CALLS
    effects = [*program.ordered_effects, *program.unordered_effects]
    transfers = re.findall(r"stablehlo\.(?:send|recv|infeed|outfeed)\b", text)
    dynamic = re.findall(r"tensor<[\dx]*\?[^>]*>", text)
    return [str(found) for found in (*sorted(calls), *effects, *transfers, *dynamic)]


def training_step(config: ConfigDict, resident: int = 0) -> tuple:
    """(the function of one step, shapes of its state, frames and batch)."""
    made = setup.make(config, mesh_of(1))
    update = step.make_update(config, made.model, made.optimizer, made.lr)
    return update, *setup.shapes(made, resident)


def structure(config: ConfigDict) -> str:
    """What the programs of a config depend on, but for numbers in them: equal is the same."""
    fields = json.loads(config.to_json())
    model = {key: value for key, value in fields["model"].items() if key != "classes"}
    parts = [model, fields["data"]["modality"], fields["augment"]["order"], list(fields["loss"])]
    parts += [{key: fields[key]["name"] for key in ("optimizer", "schedule")}]
    parts += [fields["schedule"]["three_phase"], fields["eval"]["clip"], fields["eval"]["select"]]
    parts += [fields["train"][key] for key in ("frames", "two_views", "freeze", "clip_norm", "ema")]
    return json.dumps(parts, sort_keys=True)


DIFFERENT = {structure(load(name)): name for name in (*reversed(ZOO), "skeletongaitpp_gait3d")}


@pytest.mark.parametrize("name", sorted(DIFFERENT.values()))
def test_steps_lower_for_tpu_and_cuda(name):
    config = load(name)
    update, state, frames, batch = training_step(config, resident=10_000)
    assert refused(lower(update, state, frames, batch)) == []

    inputs = {key: value for key, value in batch.items() if key != "labels"}
    if config.eval.clip == "all":
        shape = (config.train.batch_size, config.train.frames)
        inputs["mask"] = jax.ShapeDtypeStruct(shape, bool)
    variables = {key: state[key] for key in ("params", "batch_stats")}
    embed = step.make_embed(config, models.build(config))
    assert refused(lower(embed, variables, frames, inputs)) == []


def test_a_loop_over_steps_lowers_too():
    config = load("gaittr_grew")
    update, state, _, batch = training_step(config)
    several = step.several(update, loop=True)
    program = lower(several, state, None, (batch, batch, batch))
    assert refused(program) == [] and "stablehlo.while" in program.mlir_module()


def callback(x):
    return jax.pure_callback(lambda a: a, x, x)


def printing(x):
    jax.debug.print("{}", x)
    return x


@pytest.mark.parametrize("fn", [callback, printing])
@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_host_callback_is_refused(fn, platform):
    with pytest.raises((NotImplementedError, ValueError)):  # by JAX itself
        lower(fn, jax.ShapeDtypeStruct((4,), jnp.float32), platforms=[platform])


def test_a_dynamic_shape_is_refused():
    (n,) = export.symbolic_shape("n")
    assert refused(lower(lambda x: x + 1, jax.ShapeDtypeStruct((n,), jnp.float32)))


def test_embeddings_ask_for_whole_float32_products_and_training_does_not():
    made = setup.make(load("gaittr_grew"), mesh_of(1))
    state, _, batch = setup.shapes(made, size=(2, 20))
    x = batch["poses"]
    marks = jax.ShapeDtypeStruct(x.shape[:2], bool)
    variables = {name: state[name] for name in ("params", "batch_stats")}
    network = made.model
    programs = [
        lower(lambda v, x: models.embed(network, v, x), variables, x),
        lower(lambda v, x, m: models.piece(network, v, x, m, m), variables, x, marks),
        lower(lambda v, x: network.apply(v, x), variables, x),
    ]
    assert ["HIGHEST" in program.mlir_module() for program in programs] == [True, True, False]
