"""Parameters together in a vector: nothing changes but the number of arrays."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from gaitjax.training import vectors

SHAPES = {"a": {"kernel": (3, 4), "bias": (4,)}, "b": {"large": (40, 2), "scalar": ()}}


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(vectors, "SMALL", 50)


def tree(seed):
    rng = np.random.default_rng(seed)
    leaves = jax.tree.map(lambda shape: jnp.asarray(rng.normal(size=shape), jnp.float32), SHAPES,
                          is_leaf=lambda x: isinstance(x, tuple))  # fmt: skip
    return leaves | {"c": jnp.arange(3, dtype=jnp.float16)}


def assert_equal(a, b, digits=0.0):
    assert jax.tree.structure(a) == jax.tree.structure(b)
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        assert x.dtype == y.dtype and x.shape == y.shape
        np.testing.assert_allclose(x, y, rtol=digits)


def test_small_arrays_are_joined_and_parted_again(few):
    packed = vectors.pack(tree(0))
    assert {dtype: vector.shape for dtype, vector in packed.small.items()} == {
        "float32": (17,), "float16": (3,)
    }  # fmt: skip
    assert [leaf.shape for leaf in packed.large] == [(40, 2)]
    assert_equal(vectors.unpack(packed), tree(0))


def test_an_optimiser_does_the_same(few):
    inner = optax.chain(
        optax.add_decayed_weights(0.1),
        optax.inject_hyperparams(optax.scale_by_adam)(b1=lambda step: 0.8 + 0.01 * step),
        optax.scale(-0.01),
    )
    params, together = tree(0), vectors.together(inner)
    a, b = inner.init(params), together.init(params)
    for seed in (1, 2, 3):
        one, a = jax.jit(inner.update)(tree(seed), a, params)
        all_, b = jax.jit(together.update)(tree(seed), b, params)
        assert_equal(one, all_, 3e-7)  # a number alone may be rounded in another way
        assert_equal(a, vectors.spread(b), 3e-7)
        assert len(jax.tree.leaves(b)) < len(jax.tree.leaves(a))
        assert_equal(vectors.gathered(vectors.spread(b), b), b)
