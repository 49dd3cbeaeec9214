"""CU Denver's walks: texts as the data's page tells them, made here."""

import json
import pickle
import re
from pathlib import Path

import numpy as np
import pytest

from gaitjax.errors import DataError
from gaitjax.prepare import __main__ as prepare
from gaitjax.prepare.sets import cu_denver
from gaitjax.skeleton import COCO, KINECT
from tests.helpers import trained, walks_3d

NAMES = dict(zip(cu_denver._NAMES, KINECT.joints, strict=True))


def test_names_of_the_joints():
    """Those of the page stand for those of the format."""
    for theirs, ours in NAMES.items():
        place, _, side = theirs.lower().partition("-")
        middle = {"head": "head", "spine": "spine", "shoulder": "neck", "hip": "mid_hip"}
        assert ours == (f"{side}_{place}" if side in ("left", "right") else middle[place])


@pytest.mark.parametrize("separator", [" ", "\t", ", "])
@pytest.mark.parametrize("tilt", [0.0, 8.0])
def test_places_are_read_and_the_tilt_taken_out(tmp_path, separator, tilt):
    text = walks_3d.kinect_text(walks_3d.kinect(3, tilt), separator)
    (tmp_path / "1.txt").write_text(text)
    points, doubt = cu_denver.walk(str(tmp_path), "1.txt")
    assert doubt == "" and points.shape == (46, 20, 3)
    body = walks_3d.body(3, 30.0)
    middle = (body["left_hip"] + body["right_hip"])[[0, -1], 0].mean() / 2
    lower = []
    for name, expected in body.items():
        wrong = points[:, KINECT.joints.index(name)] - (expected - [middle, 0, 0])
        np.testing.assert_allclose(wrong[:, :2], 0, atol=1e-5)
        lower.append(wrong[:, 2])
    assert np.ptp(lower) < 1e-5  # all by as much: the lowest joint stands on the floor
    assert np.percentile(points[..., 2].min(axis=1), 5) == pytest.approx(0)


LINES = walks_3d.kinect_text(walks_3d.kinect(3)[:2]).splitlines()


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (LINES[:-1], "line 39: found 39 lines in all"),
        ([], "line 1: found 0 lines in all"),
        ([LINES[0], *LINES[:-1]], "line 2: found 'Head' again"),
        (["Neck" + LINES[0][4:], *LINES[1:]], "line 1: found 'Neck'"),
        ([LINES[0] + " 1", *LINES[1:]], "line 1: found 'Head .* 1'"),
        ([*LINES[:3], LINES[3].replace("0 0 0 1", "0 0 x 1"), *LINES[4:]], "line 4: found could"),
        ([*LINES[:3], LINES[3].replace("0 0 0 1", "0 0 nan 1"), *LINES[4:]], "line 4: found 'Sho"),
        ([*LINES[:3], LINES[3].replace("0 0 0 1", "0 0 1"), *LINES[4:]], "line 4: found 'Sho"),
    ],
)
def test_other_texts_are_refused(lines, says):
    with pytest.raises(DataError, match=f"x.txt, {says}.*expected 20 lines a frame"):
        cu_denver.read("\n".join(lines).encode(), "x.txt")


def test_joints_at_the_sensor_itself_are_missing():
    lines = [LINES[0].replace(LINES[0], "Head 0 0 0 0 0 0 1"), *LINES[1:]]
    points = cu_denver.read("\n".join(lines).encode(), "x.txt")
    assert np.isnan(points[0, 0]).all() and not np.isnan(points[1]).any()


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return walks_3d.cu_denver_texts(tmp_path_factory.mktemp("denver") / "gait")


def prepared(source, out, *options):
    command = ["cu_denver", "--source", str(source), "--output", str(out), "--workers", "1"]
    assert prepare.main([*command, "--cameras", "000,090", *options]) == 0
    return out


def test_from_texts_to_a_trained_network(source, tmp_path, quick):
    out = prepared(source, tmp_path / "out")
    assert json.loads((out / "partition.json").read_text()) == {
        "TRAIN_SET": ["10267", "10555", "13209", "14723", "58035"],
        "TEST_SET": ["10268"],
    }
    poses = pickle.loads((out / "10268" / "01" / "090" / "090.pkl").read_bytes())
    assert poses.shape == (46, 17, 3)
    face = [COCO.joints.index(j) for j in COCO.joints if "_" not in j or "ey" in j or "ear" in j]
    assert len(face) == 5 and not poses[:, face].any()  # said to be missing, not made up
    assert (np.delete(poses, face, axis=1)[..., 2] > 0).mean() > 0.95
    record = trained.record("gaitgraph2_cu_denver", out, tmp_path)
    assert record["headline"]["Rank-1"] == 100  # of one person


def test_the_joints_of_the_kinect(source, tmp_path):
    seventeen, twenty = (
        pickle.loads((out / "10267" / "00" / "000" / "000.pkl").read_bytes())
        for out in (
            prepared(source, tmp_path / "17"),
            prepared(source, tmp_path / "20", "--joints", "20"),
        )
    )
    assert twenty.shape == (46, 20, 3)
    knee = twenty[:, KINECT.joints.index("left_knee")]
    np.testing.assert_array_equal(seventeen[:, COCO.joints.index("left_knee")], knee)
    assert (twenty[..., 2] > 0).mean() > 0.95
    assert "head" in (tmp_path / "20" / "summary.txt").read_text()


def test_what_limb_ratios_alone_give(source, tmp_path, monkeypatch, capsys):
    """The program of docs/open_walks.md."""
    page = Path(__file__).parents[3] / "docs" / "open_walks.md"
    (code,) = re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)
    prepared(source, tmp_path / "cmu_walks", "--exact")
    monkeypatch.chdir(tmp_path)
    capsys.readouterr()
    exec(code, {})
    assert "'Rank-1 across views': 100.0" in capsys.readouterr().out  # of one person


def test_persons_are_told_by_names_of_files_too(tmp_path, capsys):
    text = walks_3d.kinect_text(walks_3d.kinect(3))
    (tmp_path / "raw").mkdir()
    for name in ("10267_2.txt", "10267_10.txt", "10268-1.TXT", "README.txt"):
        (tmp_path / "raw" / name).write_text(text)
    out = prepared(tmp_path / "raw", tmp_path / "out")
    log = (out / "prepare_log.jsonl").read_text()
    assert [json.loads(line)["sequence"] for line in log.splitlines()][::2] == [
        "10267/00/000", "10267/01/000", "10268/00/000",
    ]  # fmt: skip
    (tmp_path / "raw" / "walk.txt").write_text(text)
    command = ["cu_denver", "--source", str(tmp_path / "raw"), "--output", str(tmp_path / "b")]
    assert prepare.main(command) == 1
    assert "walk.txt: whose walk is it? Expected a folder" in capsys.readouterr().err
