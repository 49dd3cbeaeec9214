"""A few images at a time give what all of them give at once."""

import jax
import numpy as np
import pytest

from gaitjax.models.ops import parts

IMAGES = np.arange(21, dtype=np.float32).reshape(7, 3)  # twelve bytes each


def rows(images):
    return images @ np.ones((3, 2), np.float32)


def sums(x, g):
    return [x.T @ g, (x * g).sum(0)]


def largest(program) -> int:
    """The most images that a part of the program of `rows` or `sums` multiplies at once."""

    def products(jaxpr):
        for equation in jaxpr.eqns:
            if equation.primitive.name == "dot_general":
                yield max(equation.invars[0].aval.shape)
            for inner in jax.core.jaxprs_in_params(equation.params):
                yield from products(inner)

    return max(products(program.jaxpr))


@pytest.mark.parametrize("devices, most, at_once", [(1, 1, 3), (1, 50, 4), (1, 999, 7), (2, 1, 7)])
def test_mapped(devices, most, at_once, monkeypatch):
    monkeypatch.setattr(parts, "MAPPED", most)
    monkeypatch.setattr(jax, "device_count", lambda: devices)
    np.testing.assert_array_equal(parts.mapped(rows, IMAGES), rows(IMAGES))
    assert largest(jax.make_jaxpr(lambda x: parts.mapped(rows, x))(IMAGES)) == at_once


@pytest.mark.parametrize("devices, most, at_once", [(1, 1, 3), (1, 50, 3), (1, 999, 7), (2, 1, 7)])
def test_summed_in_equal_parts(devices, most, at_once, monkeypatch):
    monkeypatch.setattr(parts, "SUMMED", most)
    monkeypatch.setattr(jax, "device_count", lambda: devices)
    found = parts.summed(sums, IMAGES, 2 * IMAGES)
    jax.tree.map(np.testing.assert_array_equal, found, sums(IMAGES, 2 * IMAGES))
    program = jax.make_jaxpr(lambda x: parts.summed(sums, x, x))(IMAGES)
    assert largest(program) == at_once
