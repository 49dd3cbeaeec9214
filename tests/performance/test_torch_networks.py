"""The networks timed against ours compute the same: outputs, losses and gradients, in float64."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from ml_collections import ConfigDict

from gaitjax import config, models
from gaitjax.conversion import core
from gaitjax.conversion.rules import rules
from gaitjax.performance import measure, torch_networks, torch_training, walks
from gaitjax.training import losses, setup, step
from gaitjax.transforms import pipeline
from tests.helpers.devices import mesh_of
from tests.helpers.golden_weights import golden_array


def small(name: str) -> ConfigDict:
    """Config `name` on a small batch, nothing random in it, its losses gentle."""
    chosen = config.load(name)
    chosen.train.update(batch_size=4, frames=8, augment=False)
    chosen.train.per_identity = 2
    if "dropout" in chosen.model:
        chosen.model.dropout = 0.0
    if "classes" in chosen.model:
        chosen.model.classes = 8
    if "layers" in chosen.model:
        chosen.model.update(layers=(1, 2, 1, 1), channels=(16, 16, 24, 32))
    if chosen.model.name.startswith("gpgait"):
        chosen.model.update(widths=(8, 12), shared=1)
    for given in chosen.loss.values():
        if "temperature" in given:
            given.temperature = 1.0
    return chosen


@pytest.mark.parametrize("name", [*measure.DEFAULT, "gpgait_gait3d", "gpgaitpp_casiab"])
def test_outputs_loss_and_gradients(name):
    chosen = small(name)
    model, table, mesh = models.build(chosen), rules(chosen), mesh_of(1)
    feed = walks.feed(chosen, mesh)
    batch = setup.batches(chosen, feed, mesh)(0)
    make = jax.jit(lambda b: pipeline.train_input(chosen, model, jax.random.key(0), b))
    x = np.array(make(step.clips_of(feed.frames, batch)), np.float64)
    labels = np.array(batch["labels"])
    template = step.variable_shapes(chosen, model)
    state = core.to_torch(jax.tree.map(lambda a: np.zeros(a.shape, a.dtype), template), table)
    state |= {
        key: golden_array(key, value.shape) for key, value in state.items() if key[-2:] != ".A"
    }
    state = {key: np.asarray(value, np.float64) for key, value in state.items()}

    def loss_of(params, stats, x):
        variables = {"params": params, "batch_stats": stats}
        outputs, _ = model.apply(variables, x, train=True, mutable=["batch_stats"])
        return losses.total_loss(outputs, labels, chosen.loss)[0], outputs

    with jax.enable_x64(True):
        template = jax.tree.map(lambda a: jax.ShapeDtypeStruct(a.shape, "float64"), template)
        variables = core.to_flax(state, table, template)
        ours = jax.jit(jax.value_and_grad(loss_of, has_aux=True))
        (loss, outputs), grads = ours(variables["params"], variables["batch_stats"], x)
        loss, outputs, grads = jax.device_get((loss, outputs, grads))

    network = torch_networks.build(chosen).double().train()
    tensors = {key: torch.tensor(value) for key, value in state.items()}
    network.load_state_dict(tensors, strict=True)
    with jax.enable_x64(True):
        theirs = network(torch_networks.from_ours(chosen, jnp.asarray(x)))
    their_loss = torch_training.total_loss(theirs, torch.tensor(labels).long(), chosen.loss)
    their_loss.backward()

    for key, value in outputs.items():
        np.testing.assert_allclose(theirs[key].detach(), value, rtol=0, atol=1e-9 * np.ptp(value))
    # Their triplet loss keeps the rounding in an anchor's distance to itself.
    assert loss == pytest.approx(their_loss.item(), rel=1e-9)
    stats = variables["batch_stats"]
    mine = core.to_torch({"params": grads, "batch_stats": stats}, table)
    given = {key: parameter.grad.numpy() for key, parameter in network.named_parameters()}
    # Biases before a batch norm have gradient 0: of those, all is rounding.
    rounding = 1e-12 * max(np.abs(grad).max() for grad in given.values())
    for key, grad in given.items():
        limit = 1e-6 * np.abs(grad).max() + rounding
        np.testing.assert_allclose(mine[key], grad, rtol=0, atol=limit, err_msg=key)
