"""A few images at a time give what all of them give at once."""

import re

import jax
import numpy as np
import pytest

from gaitjax.models.ops import parts

IMAGES = np.arange(21, dtype=np.float32).reshape(7, 3)  # twelve bytes each


def rows(images):
    return images @ np.ones((3, 2), np.float32)


def sums(x, g):
    return [x.T @ g, (x * g).sum(0)]


def turns(program) -> list[int]:
    """Of each loop of a program."""
    return [int(length) for length in re.findall(r"length=(\d+)", str(program))]


@pytest.mark.parametrize(
    "devices, most, of_loops",
    [(1, 1, [7]), (1, 50, [1]), (1, 999, []), (2, 1, [])],  # one by one; four and three; all
)
def test_mapped(devices, most, of_loops, monkeypatch):
    monkeypatch.setattr(parts, "MAPPED", most)
    monkeypatch.setattr(jax, "device_count", lambda: devices)
    np.testing.assert_array_equal(parts.mapped(rows, IMAGES), rows(IMAGES))
    assert turns(jax.make_jaxpr(lambda x: parts.mapped(rows, x))(IMAGES)) == of_loops


@pytest.mark.parametrize(
    "images, most, of_loops",
    [(40, 100, [5]), (40, 1, [40]), (7, 20, [7]), (7, 50, [7]), (7, 99, [])],
)
@pytest.mark.parametrize("devices", [1, 2])
def test_summed_in_equal_parts(devices, images, most, of_loops, monkeypatch):
    monkeypatch.setattr(parts, "SUMMED", most)
    monkeypatch.setattr(jax, "device_count", lambda: devices)
    x = np.arange(3 * images, dtype=np.float32).reshape(images, 3)
    found = parts.summed(sums, x, 2 * x)
    jax.tree.map(np.testing.assert_array_equal, found, sums(x, 2 * x))
    program = jax.make_jaxpr(lambda x: parts.summed(sums, x, x))(x)
    assert turns(program) == (of_loops if devices == 1 else [])
