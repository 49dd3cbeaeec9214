"""A zoo entry from a look-alike checkpoint and data set to a verdict and a table."""

import json

import numpy as np
import pytest

from gaitjax import evaluation
from gaitjax.config import load
from gaitjax.conversion import hub
from gaitjax.evaluation.of_checkpoint import Wishes, evaluate_checkpoint
from gaitjax.zoo.__main__ import main
from tests.helpers import raw_sets, tiny_sets
from tests.helpers.torch_files import opengait_state, save

NAME = "gaitgraph2_gait3d"


@pytest.fixture
def fake_hub(tmp_path, monkeypatch):
    """The hub's fetch, giving a checkpoint made here."""
    path = save(tmp_path / "GaitGraph2-2000.pt", opengait_state(NAME), iteration=2000)
    monkeypatch.setattr(hub, "fetch", lambda repo, folder, revision: (path, "0123abc"))


def run(tmp_path, *more: str) -> int:
    cache = f"--config.data.cache_dir={tmp_path / 'cache'}"
    arguments = ["reproduce", NAME, f"--config.data.root={tmp_path / 'data'}"]
    shorter = "--config.eval.frames=16"
    return main([*arguments, f"--workdir={tmp_path / 'out'}", cache, shorter, *more])


def test_fetch_convert_evaluate_compare(tmp_path, fake_hub, capsys):
    config = load(NAME)
    tiny_sets.generate(tmp_path / "data", config.data)
    assert run(tmp_path, "--seeds=2", "--config.eval.batch_size=8") == 0
    text = capsys.readouterr().out
    assert "published: Rank-1 11.00" in text and "2 seeds" in text

    row = json.loads((tmp_path / "out" / "reproduction.json").read_text())
    record = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    assert row["protocol"] == "gait3d" and row["published"] == 11.0
    assert row["ours"] == record["random_windows"]["Rank-1"]["mean"]
    assert row["within"] == (abs(row["ours"] - 11.0) <= row["spread"])
    assert record["checkpoint"]["commit"] == "0123abc" and record["compat"] is True
    assert row["weights"]["hub"] == "opengait/OpenGait/Gait3D/GaitGraph2/GaitGraph2"
    assert row["changed"] == {"eval.frames": 16} and row["data"]["sequences"] == 8
    assert row["scores"]["Rank-1"]["random_windows"] and row["versions"]["jax"]
    assert main(["submit", str(tmp_path / "out"), "--who=ann"]) == 0
    sent = (tmp_path / "out" / f"{NAME}.reproduced.json").read_text()
    assert str(tmp_path) not in sent and json.loads(sent)["ours"] == row["ours"]

    assert main(["report", str(tmp_path)]) == 0
    assert f"| `{NAME}` | `gait3d` | 11.00 |" in capsys.readouterr().out


def test_dry_run_names_what_is_missing(tmp_path, fake_hub, capsys):
    assert run(tmp_path, "--dry_run") == 0
    text = capsys.readouterr().out
    assert "MISSING" in text and str(tmp_path / "data") in text and "request" in text
    assert "Gait3D/GaitGraph2/GaitGraph2" in text
    assert not (tmp_path / "out").exists()


def test_raw_data_are_prepared_first(tmp_path, fake_hub, capsys):
    raw, partition = raw_sets.gait3d(tmp_path / "raw")
    source = f"--source={raw}"
    assert run(tmp_path, "--dry_run", source) == 0
    text = capsys.readouterr().out
    assert f"have    12 sequences in {raw}" in text and "python -m gaitjax.prepare gait3d" in text
    assert "MISSING the partition" in text and "--partition FILE" in text
    assert run(tmp_path, source) == 1
    assert "the partition: " in capsys.readouterr().err and not (tmp_path / "data").exists()

    sets = json.loads(partition.read_text())
    sets["TEST_SET"].append("9999")
    partition.write_text(json.dumps(sets))
    options = f"--prepare=--partition {partition} --workers 1"
    assert run(tmp_path, "--seeds=2", "--config.eval.batch_size=8", source, options) == 0
    assert (tmp_path / "out/reproduction.json").exists()
    notes = json.loads((tmp_path / "data/summary.json").read_text())["notes"]
    assert notes["sequences left in an order that is not that of time"] == 12
    assert run(tmp_path, "--dry_run", source) == 0
    text = capsys.readouterr().out
    assert "4 sequences of 2 of them" in text and "not on disk, left out: 9999" in text


def test_an_unfinished_preparation_is_finished(tmp_path, fake_hub, capsys):
    raw, partition = raw_sets.gait3d(tmp_path / "raw")
    (tmp_path / "data/.prepare").mkdir(parents=True)
    (tmp_path / "data/.prepare/journal.jsonl").touch()
    assert run(tmp_path, "--dry_run") == 0
    assert "cut short" in capsys.readouterr().out
    options = f"--prepare=--partition {partition}"
    assert run(tmp_path, "--dry_run", f"--source={raw}", options) == 0
    assert "12 sequences" in capsys.readouterr().out


def test_missing_data_is_one_error(tmp_path, fake_hub, capsys):
    assert run(tmp_path) == 1
    assert "request" in capsys.readouterr().err and not (tmp_path / "out").exists()


def test_report_without_runs(tmp_path, capsys):
    assert main(["report", str(tmp_path)]) == 1
    assert "reproduction.json" in capsys.readouterr().err


def test_evaluating_saved_embeddings_gives_the_same_number(tmp_path, fake_hub):
    """Convert, embed, save, and score the saved file alone: nothing is lost on the way."""

    config = load(NAME)
    tiny_sets.generate(tmp_path / "data", config.data)
    config.data.update(root=str(tmp_path / "data"), cache_dir=str(tmp_path / "cache"))
    config.eval.update(frames=16, batch_size=8)
    from gaitjax.conversion.convert import convert

    convert(config, "opengait", hub.fetch("", "", None)[0], str(tmp_path / "w.npz"))
    record = evaluate_checkpoint(
        config, tmp_path / "w.npz", wishes=Wishes(save_embeddings=True, figures=False)
    )
    saved = np.load(tmp_path / "embeddings.npz")
    probe_set = json.loads((tmp_path / "data" / "partition.json").read_text())["PROBE_SET"]
    again = evaluation.evaluate(
        "gait3d",
        saved["embeddings"],
        saved["labels"],
        saved["types"],
        saved["views"],
        metric=config.eval.metric,
        probe_set=probe_set,
    )
    assert again["headline"] == record["headline"]
