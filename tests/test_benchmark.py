"""The benchmark: every part runs on a tiny network, its numbers add up, a hang is killed."""

import json

import jax
import pytest
from ml_collections import ConfigDict

from gaitjax import benchmark
from gaitjax.config import from_arguments
from gaitjax.performance import against_torch, children, measure

NAME = "gaitgraph2_walkers"
TINY = (
    "--config.model.branch=5,8,8",
    "--config.model.main=8,16",
    "--config.model.reduction=2",
    "--config.train.batch_size=8",
    "--config.train.frames=12",
)


@pytest.mark.slow  # compiles the training step and map drawing
def test_every_part(quick):
    top, *rows = measure.measure(from_arguments(NAME, list(TINY)), "all", 1, gallery=16)
    assert top["peak"]["gflop_per_s"] > 0
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
    assert network["share_of_peak"] == pytest.approx(
        network["gflop"] / network["seconds"] / top["peak"]["gflop_per_s"]
    )


def run(tmp_path, *arguments: str, status: int = 0) -> dict:
    path = tmp_path / "benchmark.json"
    common = ("--config", NAME, "--repeats", "1", "--json", str(path), *TINY)
    assert benchmark.main([*common, *arguments]) == status
    return json.loads(path.read_text())


def test_one_part_in_a_process_of_its_own(tmp_path, capsys):
    record = run(tmp_path, "--what", "data")
    machine, found = record["machine"], record["configs"][NAME]
    assert machine["jax"] == jax.__version__ and machine["processor"] and machine["cores"] > 0
    assert len(record["commit"]) > 4
    assert record["command"].startswith(f"python -m gaitjax.benchmark --config {NAME}")
    assert [row["what"] for row in found["rows"]] == ["sampling", "sampling and input"]
    assert found["peak_memory_mib"] > 0 and found["peak"]["gbyte_per_s"] > 0
    said = capsys.readouterr().out
    assert "  sampling: " in said and "seq/s" in said


def test_a_config_that_takes_too_long_is_killed_and_named(tmp_path, capsys):
    record = run(tmp_path, "--limit", "0.5", status=1)
    assert record["configs"][NAME]["error"] == "not done after 0 s, and killed"
    assert f"{NAME}: not done after" in capsys.readouterr().out


def test_a_crash_is_told_by_its_last_line():
    *_, last = children.lines("gaitjax.performance.compile_for", {"config": {}}, 60)
    assert last["error"].startswith("ended with status 1: AttributeError: \"'model'")


def test_ratio_is_to_the_fastest_layout():
    seconds = {"gaitjax": [1.0, 2.0, 1.0], "eager": [4.0, 4.0, 4.0], "compile": [2.0, 3.0, 3.0]}
    found = against_torch.summary(8, seconds)
    assert found["best"] == "compile" and found["ratio"] == 2.0
    assert found["sequences_per_s"]["eager"] == 2.0


@pytest.mark.slow  # two processes, each with its own start
def test_in_turns_with_torch():
    config = ConfigDict(json.loads(from_arguments(NAME, list(TINY)).to_json()))
    [(_, found)] = against_torch.compare({NAME: config}, 2, 200, layouts=["eager"])
    assert "error" not in found and not found["missing"]
    for kind in against_torch.KINDS:
        assert found[kind]["best"] == "eager" and found[kind]["ratio"] > 0
        assert len(found[kind]["seconds"]["gaitjax"]) == 2 and found[kind]["share_of_peak"] > 0


def test_table_is_aligned():
    rows = [{"what": "a", "seconds": 0.5}, {"what": "longer", "seconds": 12.0, "gflop": 3.0}]
    lines = benchmark.table(rows).splitlines()
    assert lines[0].split()[0] == "seconds"
    assert lines[1].index("0.5000") == lines[2].index("12.0000") + 1


def test_unknown_field_is_an_error(capsys):
    assert benchmark.main(["--config", NAME, "--config.train.nope=1"]) == 1
    assert "unknown config key" in capsys.readouterr().err


def test_no_config_at_once_is_an_error(capsys):
    assert benchmark.main(["--config", NAME, "--against", "torch", "--at_once", "0"]) == 1
    assert "--at_once is 0; expected 1 or more" in capsys.readouterr().err
