"""A finished run as a file to send in, and what a merged one does to the table."""

import json

import pytest

from gaitjax import zoo
from gaitjax.errors import DataError
from gaitjax.zoo import numbers, submission
from gaitjax.zoo.__main__ import main

RUN = {
    "name": "gaitgraph2_oumvlp17",
    "protocol": "oumvlp",
    "score": "Rank-1",
    "published": 70.75,
    "ours": 70.71,
    "spread": 0.05,
    "within": True,
    "interval": [70.1, 71.3],
    "seeds": [0, 1, 2],
    "scores": {"Rank-1": {"value": 70.71}},
    "changed": {},
    "weights": {"sha256": "0" * 64},
    "data": {"identities": 5154},
    "versions": {"jax": "0.10.2"},
    "commit": "0123abc",
    "device": "NVIDIA H100",
    "processor": "a processor",
    "checkpoint": "0" * 64,
}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "reproduction.json").write_text(json.dumps(RUN))
    return tmp_path


def test_a_merged_submission_fills_the_table(folder, capsys, monkeypatch):
    assert main(["submit", str(folder), "--who", "Ann (Ghent)"]) == 1
    assert "who is to be" in capsys.readouterr().err
    assert main(["submit", str(folder), "--who", "ann-b"]) == 0
    (sent,) = folder.glob("*.reproduced.json")
    assert str(sent) in capsys.readouterr().out and str(folder) not in sent.read_text()
    record = json.loads(sent.read_text())
    before = [n for n in numbers.read() if n.by == "OpenGait"]
    later = folder / "later.json"
    later.write_text(json.dumps(record | {"ours": 70.8, "who": "bob", "when": "2999-01-01"}))
    for paths, said in (
        ([sent], f"70.71 (70.10 to 71.30), ann-b, {record['when']}"),
        ([later, sent], "70.80 (70.10 to 71.30), bob, 2999-01-01"),
    ):
        merged = numbers.with_submissions(before, paths)
        assert sum(n != m for n, m in zip(before, merged, strict=True)) == 1
        monkeypatch.setattr(numbers, "read", lambda merged=merged: merged)
        (line,) = (row for row in zoo.markdown().splitlines() if "`gaitgraph2_oumvlp17`" in row)
        assert line.endswith(f"| 70.75 | {said} |")


@pytest.mark.parametrize(
    "change, message",
    [
        ({"ours": 170}, "ours and interval are to be numbers from 0 to 100"),
        ({"interval": [1]}, "ours and interval"),
        ({"when": "yesterday"}, "expected a day as"),
        ({"form": 2}, "no submission of form 1"),
        ({"commit": 7}, "commit is a number"),
        ({"name": "gaitgraph9_grew"}, "nobody has published gaitgraph9_grew oumvlp Rank-1"),
    ],
)
def test_what_is_no_submission(change, message, tmp_path):
    good = {"form": 1, "who": "ann", "when": "2026-11-26", **RUN}
    (tmp_path / "a.json").write_text(json.dumps(good | change))
    with pytest.raises(DataError, match=message):
        numbers.with_submissions(numbers.read(), [tmp_path / "a.json"])


def test_unfinished_and_old_runs(folder):
    with pytest.raises(DataError, match="finish python -m gaitjax.zoo reproduce NAME first"):
        submission.submit(folder / "other", "ann")
    for change, message in (({"ours": None}, "GREW server"), ({}, "lacks versions, written by")):
        run = {k: v for k, v in (RUN | change).items() if change or k != "versions"}
        (folder / "reproduction.json").write_text(json.dumps(run))
        with pytest.raises(DataError, match=message):
            submission.submit(folder, "ann")
