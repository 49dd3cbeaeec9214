"""The benchmark: every part runs on a tiny network, and its numbers add up."""

import json

import jax
import pytest

from gaitjax import benchmark

TINY = (
    "--config.model.branch=5,8,8",
    "--config.model.main=8,16",
    "--config.model.reduction=2",
    "--config.train.batch_size=8",
    "--config.train.frames=12",
)


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(benchmark, "GALLERY", 16)
    monkeypatch.setattr(benchmark.sharding, "start", lambda multihost: None)


def run(tmp_path, *arguments: str) -> list[dict]:
    path = tmp_path / "benchmark.json"
    common = ("--config", "gaitgraph2_walkers", "--repeats", "1", "--json", str(path))
    assert benchmark.main([*common, *TINY, *arguments]) == 0
    record = json.loads(path.read_text())
    assert record["peak"]["gflop_per_s"] > 0 and record["machine"]["jax"] == jax.__version__
    assert len(record["commit"]) > 4
    assert record["command"].startswith("python -m gaitjax.benchmark --config gaitgraph2_walkers")
    return record["configs"]["gaitgraph2_walkers"]["rows"]


@pytest.mark.slow  # compiles the training step and map drawing
def test_every_part(tmp_path, capsys):
    rows = run(tmp_path)
    assert [row["what"] for row in rows] == [
        "network",
        "whole step",
        "sampling",
        "sampling and input",
        "embed",
        "distances of 16 to 16",
        "maps from poses",
    ]
    for row in rows:
        number = 16 if row["what"].startswith("distances") else 8
        assert row["sequences_per_s"] == pytest.approx(number / row["seconds"])
    network, whole, _, given, *_ = rows
    assert whole["gflop"] >= network["gflop"] > 0
    assert given["share_of_step"] == pytest.approx(given["seconds"] / whole["seconds"])
    assert "whole step" in capsys.readouterr().out


def test_one_part(tmp_path):
    assert [row["what"] for row in run(tmp_path, "--what", "data")] == [
        "sampling",
        "sampling and input",
    ]


def test_table_is_aligned():
    rows = [{"what": "a", "seconds": 0.5}, {"what": "longer", "seconds": 12.0, "gflop": 3.0}]
    lines = benchmark.table(rows).splitlines()
    assert len({len(line) for line in lines}) == 1 and lines[0].split()[0] == "seconds"


def test_unknown_field_is_an_error(capsys):
    assert benchmark.main(["--config", "gaitgraph2_walkers", "--config.train.nope=1"]) == 1
    assert "unknown config key" in capsys.readouterr().err
