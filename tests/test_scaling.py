"""The scaling table: each device's share of a step adds up, and gradients are what is sent."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gaitjax import scaling, sharding
from gaitjax.config import load
from gaitjax.performance import cost
from gaitjax.training import setup
from tests.helpers import tiny_sets
from tests.helpers.devices import mesh_of


@pytest.fixture(autouse=True)
def unoptimised():
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)


def test_collectives_are_counted_by_their_bytes():
    mesh = mesh_of(4)

    def fn(x):
        total = x.sum(axis=0)  # (6,) float32, summed over the devices
        return total, x > 0  # (8, 6) bool, gathered

    whole, split = sharding.replicated(mesh), sharding.batched(mesh)
    program = jax.jit(fn, in_shardings=split, out_shardings=whole).lower(jnp.zeros((8, 6)))
    found = scaling.communication(program.compile())
    assert found == (2, 6 * 4, 8 * 6)


def test_shares_of_two_devices():
    config = tiny_sets.shrink(load("gaittr_gait3d"))
    one, two = (scaling.row(config, count, 8) for count in (1, 2))
    assert one["collectives"] == one["reduced_mib"] == one["gathered_mib"] == 0
    assert two["batch_per_device"] == 4
    assert two["gflop"] == pytest.approx(one["gflop"] / 2, rel=0.2)
    assert two["memory_mib"] < one["memory_mib"]
    shapes = setup.make(config, mesh_of(1)).shapes
    gradients = cost.size(shapes["params"]) / 2**20
    assert gradients < two["reduced_mib"] < 1.5 * gradients  # and the statistics


def test_the_command_prints_tables_and_writes_json(tmp_path, capsys, monkeypatch):
    made = dict.fromkeys(scaling.HEADINGS, 3)
    monkeypatch.setattr(scaling, "row", lambda config, count, batch: made | {"batch": batch})
    monkeypatch.setattr(jax.config, "update", lambda *_: None)
    path = tmp_path / "scaling.json"
    assert scaling.main(["--config", "gaitgraph2_grew", "--json", str(path)]) == 0
    assert capsys.readouterr().out.count("| devices | batch |") == 2
    record = json.loads(path.read_text())
    batches = [row["batch"] for row in record["12 sequences for each device"]]
    np.testing.assert_array_equal(batches, 12 * np.array(scaling.DEVICES))
    assert scaling.main(["--config", "gaitgraph2_grew", "--config.train.batch_size=100"]) == 1
    assert "does not split" in capsys.readouterr().err
