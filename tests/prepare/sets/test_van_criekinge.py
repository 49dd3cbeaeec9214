"""Van Criekinge's walks: C3D files that are made here, in the archive's folders and names."""

import json
import sys

import numpy as np
import pytest

pytest.importorskip("c3d")

from gaitjax.config import load  # noqa: E402
from gaitjax.errors import DataError  # noqa: E402
from gaitjax.prepare import __main__ as prepare  # noqa: E402
from gaitjax.prepare.sets import van_criekinge  # noqa: E402
from gaitjax.skeleton import COCO  # noqa: E402
from tests.helpers import loading, trained, walks_3d  # noqa: E402
from tests.helpers.c3d_files import c3d  # noqa: E402

JOINT = {name: index for index, name in enumerate(COCO.joints)}


@pytest.mark.parametrize(("azimuth", "subject"), [(0, ""), (180, "Anna:"), (57, "")])
def test_joints_are_those_of_the_model_wherever_the_walk_leads(tmp_path, azimuth, subject):
    path = tmp_path / "x.c3d"
    path.write_bytes(c3d(walks_3d.plug_in_gait(1, azimuth, subject=subject)))
    points, doubt = van_criekinge.walk(str(path))
    assert doubt == "" and points.shape == (46, 17, 3)  # 1.5 seconds of 30 frames, and one
    body = walks_3d.body(1, 30.0)
    middle = (body["left_hip"] + body["right_hip"])[[0, -1], 0].mean() / 2
    for name, expected in body.items():
        if name != "head":
            found = points[:, JOINT[name]]
            # Between two frames of 100 a second a swinging joint lies up to 0.14 mm off the line.
            np.testing.assert_allclose(found, expected - [middle, 0, 0], atol=2e-4)
    nose = points[:, JOINT["nose"]] - (body["head"] - [middle, 0, 0])
    np.testing.assert_allclose(nose, np.tile([0.11, 0, 0], (46, 1)), atol=1e-4)
    assert (points[:, JOINT["left_ear"], 1] > 0.07).all()


def test_what_the_cameras_lost_is_missing(tmp_path):
    lost = walks_3d.plug_in_gait(1)
    lost["LHUO"][40:60] = np.nan
    lost["LBHD"][:] = np.nan
    for name in ("LFEP", "RFEP"):
        lost[name][:10] = np.nan
    (tmp_path / "x.c3d").write_bytes(c3d(lost))
    points, _ = van_criekinge.walk(str(tmp_path / "x.c3d"))
    assert len(points) == 43  # from where the hips are known
    elbow = np.isnan(points[:, JOINT["left_elbow"]]).all(axis=1)
    assert elbow.any() and np.flatnonzero(elbow).tolist() == list(range(9, 15))
    assert np.isnan(points[:, [JOINT["nose"], JOINT["left_ear"]]]).all()


def test_other_files_are_refused_by_what_they_lack(tmp_path):
    points = walks_3d.plug_in_gait(1)
    for name in ("LHUP", "RBHD"):
        del points[name]
    (tmp_path / "x.c3d").write_bytes(c3d(points))
    with pytest.raises(DataError, match="no point LHUP, RBHD .2 missing.; expected the joint"):
        van_criekinge.walk(str(tmp_path / "x.c3d"))
    still = {n: p[:1].repeat(50, axis=0) for n, p in walks_3d.plug_in_gait(1).items()}
    (tmp_path / "x.c3d").write_bytes(c3d(still))
    with pytest.raises(DataError, match="0.00 metres from its start to its end: no walk"):
        van_criekinge.walk(str(tmp_path / "x.c3d"))
    (tmp_path / "x.c3d").write_bytes(c3d(walks_3d.plug_in_gait(1), unit="cm"))
    with pytest.raises(DataError, match="a body 1[0-9].[0-9]* metres tall"):
        van_criekinge.walk(str(tmp_path / "x.c3d"))


def test_from_the_archive_to_a_trained_network(tmp_path, quick):
    source, out = walks_3d.van_criekinge(tmp_path / "figshare"), tmp_path / "out"
    (source / "50_StrokePiG" / "TVC03" / "BWA_10.c3d").write_bytes(b"damaged")
    command = ["van_criekinge", "--source", str(source), "--output", str(out), "--workers", "1"]
    assert prepare.main([*command, "--cameras", "000,090"]) == 0
    made = sorted(path.parent.relative_to(out).as_posix() for path in out.rglob("*.pkl"))
    walks = [f"SUBJ00{number}/ab-0{k}" for number in range(1, 5) for k in range(2)]
    walks += ["TVC003/st-00", "TVC011/st-00", "TVC011/st-01"]
    assert made == [f"{walk}/{view}" for walk in walks for view in ("000", "090")]
    assert json.loads((out / "partition.json").read_text()) == {
        "TRAIN_SET": ["SUBJ001", "SUBJ003"],
        "TEST_SET": ["SUBJ002", "SUBJ004", "TVC003", "TVC011"],
    }
    said = (out / "summary.txt").read_text()
    assert "5  C3D files that are no pass, as static trials" in said
    assert "BWA_10.c3d: no C3D file with points" in said
    record = trained.record("gaitgraph2_van_criekinge", out, tmp_path)
    assert set(record["conditions"]) == {"Able-bodied", "Stroke"}
    assert {"Able-bodied Rank-1", "Stroke Rank-1"} <= set(record["headline"])


def test_a_sequence_follows_from_its_name_and_the_seed(tmp_path):
    source = walks_3d.van_criekinge(tmp_path / "figshare")

    def made(file, label, seed=0):
        job = van_criekinge.Job(label, "ab-00", "090", (f"138_HealthyPiG_10.05/SUBJ01/{file}",))
        return van_criekinge.make(str(source), van_criekinge.Studio(seed=seed), job).array

    first = made("SUBJ1 (1).c3d", "SUBJ001")
    np.testing.assert_array_equal(first, made("SUBJ1 (1).c3d", "SUBJ001"))
    for other in (("SUBJ1 (1).c3d", "SUBJ002"), ("SUBJ1 (1).c3d", "SUBJ001", 1)):
        assert not np.array_equal(first, made(*other))


def test_without_the_library_nothing_begins(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "c3d", None)
    command = ["van_criekinge", "--source", str(tmp_path), "--output", str(tmp_path / "../o")]
    assert prepare.main(command) == 1
    assert "pip install 'gaitjax[c3d]'" in capsys.readouterr().err


def test_sequences_are_what_training_reads(tmp_path):
    source, out = walks_3d.van_criekinge(tmp_path / "figshare"), tmp_path / "out"
    command = ["van_criekinge", "--source", str(source / "50_StrokePiG"), "--output", str(out)]
    assert prepare.main([*command, "--workers", "1", "--exact", "--cameras", "270"]) == 0
    data = load("gaitgraph2_van_criekinge").data
    data.update(root=str(out), cache_dir=str(tmp_path / "cache"))
    test = loading.packed(data, "test")
    assert test.labels.tolist() == ["TVC003"] * 2 + ["TVC011"] * 2
    assert test.types.tolist() == ["st-00", "st-01"] * 2
