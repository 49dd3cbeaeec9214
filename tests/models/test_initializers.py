"""Initial values of a whole network: what its layers declare, whoever wrote them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from gaitjax import models
from gaitjax.models.initializers import NEAR_ONE, ONES, PART_XAVIER, XAVIER, ZEROS
from gaitjax.models.layers import BatchNorm, Linear, linear_bn


class Plain(nn.Module):
    """Layers of Flax, a parameter of its own, and no batch norm of ours."""

    @nn.compact
    def __call__(self, x, mask=None, train=False):
        embedding = self.param("pos_embed", nn.initializers.normal(0.02), (1, *x.shape[1:]))
        x = nn.LayerNorm(name="norm")(x + embedding)
        x = nn.Dense(64, name="fc")(x)
        return nn.Dense(8, kernel_init=nn.initializers.zeros, name="last")(x)


class Mixed(nn.Module):
    """A layer of ours beside one of Flax, and ours twice in a `vmap`."""

    @nn.compact
    def __call__(self, x, mask=None, train=False):
        x = nn.BatchNorm(use_running_average=not train, name="theirs")(Linear(32, name="ours")(x))
        every = nn.vmap(Linear, variable_axes={"params": 0}, split_rngs={"params": True})
        return every(16, name="both")(jnp.stack([x, x]))


def initial(model, key, shape):
    return models.init(model, jax.random.key(key), jnp.zeros(shape))


def test_a_network_of_plain_flax_layers_has_its_own_initial_values():
    found = initial(Plain(), 1, (2, 50, 48))["params"]
    assert found["pos_embed"].shape == (1, 50, 48)
    assert float(found["pos_embed"].std()) == pytest.approx(0.02, rel=0.1)
    np.testing.assert_array_equal(found["norm"]["scale"], 1)
    assert float(found["fc"]["kernel"].std()) == pytest.approx(48**-0.5, rel=0.1)  # LeCun
    np.testing.assert_array_equal(found["last"]["kernel"], 0)  # as asked for
    again, other = initial(Plain(), 1, (2, 50, 48)), initial(Plain(), 2, (2, 50, 48))
    assert (found["fc"]["kernel"] == again["params"]["fc"]["kernel"]).all()
    assert (found["fc"]["kernel"] != other["params"]["fc"]["kernel"]).any()


def test_layers_of_ours_and_of_flax_stand_side_by_side():
    found = initial(Mixed(), 0, (2, 24))
    shapes = jax.eval_shape(Mixed().init, jax.random.key(0), jnp.zeros((2, 24)))
    assert jax.tree.map(jnp.shape, found) == jax.tree.map(lambda leaf: leaf.shape, shapes)
    params = found["params"]
    assert 0.9 < float(jnp.abs(params["ours"]["kernel"]).max()) * (56 / 6) ** 0.5 <= 1
    np.testing.assert_array_equal(params["theirs"]["scale"], 1)
    np.testing.assert_array_equal(found["batch_stats"]["theirs"]["var"], 1)
    # Each of the two layers has the bound of its own fans.
    both = np.asarray(params["both"]["kernel"])
    assert (both[0] != both[1]).any()
    assert 0.9 < np.abs(both).max() * (48 / 6) ** 0.5 <= 1


def test_values_of_a_seed_stay():
    """As they have been since the first release: published seeds stay what they were."""

    class Two(nn.Module):
        @nn.compact
        def __call__(self, x):
            return linear_bn(x, 3, None, "a")

    found = initial(Two(), 0, (1, 2))["params"]
    kernel = [[0.7499727, -0.6958736, -0.5977229], [-0.8309485, -0.6752029, 0.4864106]]
    np.testing.assert_allclose(found["a"]["kernel"], kernel, rtol=1e-6)
    np.testing.assert_allclose(found["a_bn"]["scale"], [0.9511509, 0.9592864, 1.0041109], rtol=1e-6)


@pytest.mark.parametrize("rule", [XAVIER, PART_XAVIER, NEAR_ONE, ZEROS, ONES])
def test_flax_draws_what_init_draws(rule):
    """`model.init` and `models.init` give one distribution."""

    class One(nn.Module):
        @nn.compact
        def __call__(self, x):
            return self.param("leaf", rule, (4, 40, 50))

    ours = initial(One(), 0, (1,))["params"]["leaf"]
    theirs = One().init(jax.random.key(0), jnp.zeros(1))["params"]["leaf"]
    for statistic in (jnp.mean, jnp.std, jnp.max):
        np.testing.assert_allclose(statistic(ours), statistic(theirs), rtol=0.03, atol=2e-3)


def test_a_network_without_parameters_to_draw():
    assert initial(BatchNorm(), 0, (2, 3))["batch_stats"]["mean"].shape == (3,)
