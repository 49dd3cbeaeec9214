"""Steps compile for accelerators that are not here; what does not fit or crashes is a result."""

import json

import pytest

from gaitjax.config import load
from gaitjax.errors import ConfigError, TrainingError
from gaitjax.performance import ahead_of_time, compile_for, devices, dry_run, fit
from gaitjax.train import main

SMALLEST = (
    "gaitgraph1_casiab",
    "gaitgraph2_gait3d",
    "gaittr_gait3d",
    "skeletongait_gait3d",
    "skeletongaitpp_gait3d",
    "gpgait_gait3d",
    "gpgaitpp_gait3d",
)


@pytest.mark.slow
@pytest.mark.parametrize("device", ["h100", "v5e"])
@pytest.mark.parametrize("what", compile_for.WHAT)
@pytest.mark.parametrize("name", SMALLEST)
def test_the_smallest_config_of_each_network_compiles(name, what, device):
    if problem := devices.missing(device):
        pytest.skip(problem)
    config = load(name)
    config.train.batch_size = config.eval.batch_size = 16  # which changes no program but in size
    found = compile_for.compile_for(config, device, what)
    assert "error" not in found
    assert found["callbacks"] == found["float64"] == 0
    assert 0 < found["scratch"] < found["memory"] < devices.usable(device)
    assert found["fusions"] > 10


def grows(by_sequence: int, by_square: int = 0, crash: int = 10**9):
    """A compiler for which a step holds this much; beyond `crash` sequences it crashes."""

    def compile_(config, device, what="train", limit=0):
        n = config.train.batch_size
        if n > crash:
            return {"error": "ended with status -6: Check failed"}
        size = 2**30 + n * by_sequence + n * n * by_square
        too_much = size > 4 * devices.usable(device)
        return {"memory": size} | ({"error": "RESOURCE_EXHAUSTED: hbm"} if too_much else {})

    return compile_


@pytest.mark.parametrize("square", [0, 2**12])
@pytest.mark.parametrize("batch", [16, 128, 4096])
def test_the_largest_batch_is_found_in_a_few_compilations(monkeypatch, batch, square):
    config, tried = load("gaittr_gait3d"), []
    config.train.batch_size = batch
    compile_ = grows(2**24, square)

    def counted(config, *args, **options):
        tried.append(config.train.batch_size)
        return compile_(config, *args, **options)

    monkeypatch.setattr(compile_for, "compile_for", counted)
    found, row = fit.largest_batch(config, "t4", lambda line: None)
    room = devices.usable("t4")
    assert found in tried and found % 8 == 0 and row["memory"] <= room
    more = config.copy_and_resolve_references()
    more.train.batch_size = int(1.15 * found) + 8
    assert compile_(more, "t4")["memory"] > room and len(tried) <= fit.TRIES


def test_no_batch_fits(monkeypatch):
    monkeypatch.setattr(compile_for, "compile_for", grows(2**40))
    assert fit.largest_batch(load("gaittr_gait3d"), "v5e", lambda line: None)[0] == 0


def test_a_crash_is_no_batch_that_does_not_fit(monkeypatch):
    monkeypatch.setattr(compile_for, "compile_for", grows(2**20, crash=100))
    with pytest.raises(TrainingError, match="batch 128 for Tesla T4: .*Check failed"):
        fit.largest_batch(load("gaittr_gait3d"), "t4", lambda line: None)


def test_a_dry_run_says_what_fits(monkeypatch, capsys):
    found = dict(lower_seconds=1.0, compile_seconds=2.0, fusions=3, convolutions=4, products=5)
    compile_ = grows(2**24)
    monkeypatch.setattr(
        compile_for, "compile_for", lambda *args, **options: found | compile_(*args, **options)
    )
    monkeypatch.setattr(devices, "missing", lambda name: "")
    monkeypatch.setattr(devices, "use_host_alone", lambda: None)
    dry_run.describe(load("gaittr_gait3d"), "t4")
    said = capsys.readouterr().out
    assert "128 x 60 frames: holds 3.0 GiB" in said
    assert "11.1 GiB there (of 14.7 GiB in all): it fits" in said
    assert "3 fusions, 4 convolutions, 5 products" in said
    assert "largest batch that fits: 6" in said


def test_what_to_install_is_said(monkeypatch, capsys):
    monkeypatch.setattr(devices, "_found", lambda module: False)
    arguments = ["--config=gaittr_gait3d", "--workdir=none", "--dry_run", "--device=v6e"]
    assert main(arguments) == 1
    assert "pip install 'gaitjax[tpu]'" in capsys.readouterr().err
    with pytest.raises(ConfigError, match=r"gaitjax\[cuda\]"):
        devices.mesh("h100")


def test_the_table_is_kept_and_gone_on_with(monkeypatch, tmp_path, capsys):
    done = []

    def row(config, device, what, limit, known):
        done.append((config.model.dtype, device, what))
        return {"batch": 1, "frames": 2, "error": "crashed"}

    monkeypatch.setattr(ahead_of_time, "row", row)
    monkeypatch.setattr(devices, "missing", lambda name: "")
    path = tmp_path / "table.json"
    common = ["--config", "gaittr_gait3d", "--device", "h100", "--json", str(path)]
    assert ahead_of_time.main([*common, "--dtype", "float32"]) == 0
    assert ahead_of_time.main(common) == 0
    assert done == [(t, "h100", w) for t in ("float32", "bfloat16") for w in ("train", "embed")]
    record = json.loads(path.read_text())
    assert list(record["rows"])[0] == "gaittr_gait3d train float32 h100"
    assert record["machine"]["processor"] and record["commit"]
    assert ahead_of_time.main([*common, "--again"]) == 0 and len(done) == 8
