"""CASIA-B poses from GaitGraph's csv and from ready pickles, to a trained network."""

import argparse
import json
import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from gaitjax.config import load
from gaitjax.errors import DataError
from gaitjax.prepare.__main__ import main
from gaitjax.prepare.driver import Made
from gaitjax.prepare.sets import casiab
from gaitjax.train import train
from gaitjax.untrusted import safe_pickle
from tests.helpers import tiny_sets

HEADER = "image_name," + ",".join(f"{c}{j}" for j in range(17) for c in "xyc")
WALK = tiny_sets.poses(5, 17)[:12]


def row(name: str, joints: np.ndarray) -> str:
    return name + "," + ",".join(f"{v:.6f}" for v in joints.ravel())


def sequence(name: str, poses: np.ndarray) -> list[str]:
    return [row(f"{name}-{t + 1:03d}.png", joints) for t, joints in enumerate(poses)]


def make(source: Path, rows: list[str], *options, name: str = "poses.csv") -> dict[str, Made]:
    """Every sequence of the rows, made in this process and not written; "": the plan's notes."""
    source.mkdir(exist_ok=True)
    (source / name).write_text("\n".join(rows) + "\n")
    parser = argparse.ArgumentParser()
    casiab.add_arguments(parser)
    args = parser.parse_args(options)
    args.source, args.dataset = os.path.realpath(source), "casiab"
    plan = casiab.plan(args)
    return {job.name: plan.make(job) for job in plan.jobs} | {"": plan.notes}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """Two files, as released: training and test identities."""
    folder = tmp_path_factory.mktemp("casiab")
    source, walks, number = folder / "csv", {}, 0
    source.mkdir()
    for file, labels in (("train_valid", ("001", "002")), ("test", ("075", "076"))):
        rows = [HEADER]
        for label in labels:
            for kind in ("nm-01", "nm-05", "bg-01", "cl-02"):
                for view in ("000", "090"):
                    number += 1
                    walks[f"{label}/{kind}/{view}"] = walk = tiny_sets.poses(number, 17)
                    rows += sequence(f"{label}-{kind}-{view}", walk)
        (source / f"casia-b_pose_{file}.csv").write_text("\n".join(rows) + "\n")
    out = folder / "out"
    arguments = ["casiab", "--source", str(source), "--output", str(out), "--workers", "1"]
    assert main(arguments) == 0
    return out, walks, json.loads((out / "summary.json").read_text())


def test_sequences(prepared):
    out, walks, summary = prepared
    for name, walk in walks.items():
        poses = safe_pickle.load(out / name / f"{name[-3:]}.pkl")
        assert poses.dtype == np.float32
        np.testing.assert_allclose(poses, walk, atol=1e-5)
    assert (summary["identities"], summary["sequences"], summary["dropped"]) == (4, 32, 0)
    assert summary["notes"] == {"header rows": 2}


@pytest.mark.parametrize(
    "name",
    ["001-bg-01-000-{:03d}.png", "frames/001-bg-01-000/{:06d}.jpg", '"x/001-bg-01-000-f{}"',
     "17,casia-b/001-bg-01-000/{:05d}.jpg,640,480", "001-bg-01-000"],
)  # fmt: skip
def test_names(name, tmp_path):
    rows = [row(name.format(t + 1), joints) for t, joints in enumerate(WALK)]
    made = make(tmp_path / "csv", rows)
    np.testing.assert_allclose(made["001/bg-01/000"].array, WALK, atol=1e-5)
    assert made["001/bg-01/000"].notes == {} and made[""] == {}


def test_rows_in_any_order_and_bad_rows(tmp_path):
    rows = sequence("001-nm-01-090", WALK)
    others = sequence("001-nm-01-018", WALK[::-1])
    mixed = [r for pair in zip(rows, others, strict=True) for r in pair]
    mixed[2], mixed[4] = mixed[4], mixed[2]  # frames 2 and 3
    del mixed[10]  # frame 6
    mixed.append(row("001-nm-01-090-008.png", WALK[0]))  # again
    mixed.append(row("001-nm-01-090-020.png", WALK[0]).replace(".", "x"))
    mixed.append(row("001-nm-01-090-021.png", WALK[0] * np.nan))
    mixed.append(row("001-nm-01-090-022.png", WALK[0][:16]))
    mixed.append(row("nobody-nm-01-090-022.png", WALK[0]))
    mixed.append(row("001-nm-01-144-001.png", WALK[0] * 1e9))
    made = make(tmp_path / "csv", mixed)
    np.testing.assert_allclose(made["001/nm-01/018"].array, WALK[::-1], atol=1e-5)
    poses, notes = made["001/nm-01/090"][:2]
    np.testing.assert_allclose(poses, np.delete(WALK, 5, axis=0), atol=1e-5)
    assert notes == {
        "rows dropped: not 51 numbers of pixels": 3,
        "rows dropped: a frame for the second time": 1,
        "frames re-ordered by number": 2,
        "frames missing between others": 1,
    }
    assert made["001/nm-01/144"].array is None
    assert made["001/nm-01/144"].notes["no row that can be used"] == 1
    assert made[""] == {"rows dropped: they name no sequence": 1}


def test_ready_pickles(prepared, tmp_path):
    source = tmp_path / "pickles" / "001" / "nm-01" / "090"
    source.mkdir(parents=True)
    (source / "090.pkl").write_bytes(pickle.dumps(WALK.astype(np.float64)))
    out = tmp_path / "out"
    arguments = ["--source", str(tmp_path / "pickles"), "--output", str(out), "--workers", "1"]
    assert main(["casiab", *arguments]) == 0
    np.testing.assert_array_equal(safe_pickle.load(out / "001/nm-01/090/090.pkl"), WALK)


def test_refused(tmp_path):
    with pytest.raises(DataError, match="no row that names a sequence"):
        make(tmp_path / "csv", [HEADER, "a,b,c"])
    with pytest.raises(DataError, match="a row of more than"):
        make(tmp_path / "csv", ["0" * 100_000])
    with pytest.raises(DataError, match="are for pickles"):
        make(tmp_path / "csv", [HEADER], "--pick", "*")
    with pytest.raises(DataError, match="neither a .csv file nor folders"):
        make(tmp_path / "other", [], name="x.txt")


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_trains_and_evaluates(prepared, tmp_path):
    config = tiny_sets.shrink(load("gaitgraph2_casiab"))
    config.data.update(root=str(prepared[0]), cache_dir=str(tmp_path / "cache"))
    state, last = train(config, tmp_path / "out")
    assert int(state["step"]) == 3
    headline = last["evaluation"]["headline"]
    assert headline and all(0 <= value <= 100 for value in headline.values())
