"""Walks of the CMU database: skeletons, motion, cameras, and fetching the files.

tests/golden/cmu holds one skeleton of the database and the first 48 frames of one walk.
"""

import json
import pickle
import re
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from gaitjax.config import load
from gaitjax.errors import DataError
from gaitjax.prepare import __main__ as prepare
from gaitjax.prepare import fetch, filming
from gaitjax.prepare.sets import asf, cmu_trials, cmu_walks
from gaitjax.skeleton import COCO
from tests.helpers import loading, trained

GOLDEN = Path(__file__).parents[2] / "golden" / "cmu"
ASF, AMC = GOLDEN / "02" / "02.asf", GOLDEN / "02" / "02_02.amc"
METRES = 2.54 / 0.45 / 100
ROOT_HALFWAY = next(  # how far ahead the root is in frame 24
    line for line in AMC.read_text().split("\n24\n")[1].split("\n") if line.startswith("root ")
).split()[3]
JOINT = {name: index for index, name in enumerate(COCO.joints)}


def _bones() -> dict[str, dict]:
    """What the .asf says of each bone, read with one pattern."""
    number = r"\s+([-\d.e]+)"
    pattern = rf"name (\w+)\s+direction{number * 3}\s+length{number}\s+axis{number * 3}\s+XYZ"
    rows = re.findall(pattern + r"(?:\s+dof ([rxyz ]+))?", ASF.read_text())
    return {
        row[0]: dict(
            direction=np.array(row[1:4], float),
            length=float(row[4]),
            axis=np.array(row[5:8], float),
            dof="".join(word[1] for word in row[8].split()),
        )
        for row in rows
    }


def _frame(number: int) -> dict[str, np.ndarray]:
    text = AMC.read_text().split(f"\n{number}\n")[1].split(f"\n{number + 1}\n")[0]
    return {line.split()[0]: np.array(line.split()[1:], float) for line in text.splitlines()}


@pytest.fixture(scope="module")
def skeleton():
    return asf.read_skeleton(ASF)


@pytest.fixture(scope="module")
def pose(skeleton):
    return asf.pose(skeleton, asf.read_motion(AMC, skeleton))


def test_bones_keep_the_lengths_of_the_file_in_every_frame(skeleton, pose):
    bones = _bones()
    assert len(bones) == len(skeleton.bones) == 30
    for bone in skeleton.bones:
        length = np.linalg.norm(pose[bone.name].end - pose[bone.parent].end, axis=-1)
        np.testing.assert_allclose(length, bones[bone.name]["length"] * METRES, rtol=1e-9)


def test_the_root_is_where_the_motion_puts_it(pose):
    assert pose["root"].end.shape == (48, 3)
    for number in (1, 20, 48):
        position = _frame(number)["root"][:3] * METRES
        np.testing.assert_allclose(pose["root"].end[number - 1], position, rtol=1e-12)


def test_without_angles_the_bones_are_as_drawn_in_the_skeleton(skeleton):
    bones = _bones()
    still = {bone.name: np.zeros((1, len(bone.dof))) for bone in skeleton.bones if bone.dof}
    found = asf.pose(skeleton, still | {"root": np.zeros((1, 6))})
    chain = ["lhipjoint", "lfemur", "ltibia"]
    ankle = sum(bones[name]["direction"] * bones[name]["length"] for name in chain) * METRES
    np.testing.assert_allclose(found["ltibia"].end[0], ankle, atol=1e-5)
    assert found["ltibia"].end[0, 0] > 0 > found["rtibia"].end[0, 0]  # left is +x
    assert found["head"].end[0, 1] > 0.4 and found["ltoes"].end[0, 2] > 0.1  # up +y, ahead +z


@pytest.mark.parametrize(
    "chain",
    [
        ["lhipjoint", "lfemur", "ltibia", "lfoot", "ltoes"],
        ["lowerback", "upperback", "thorax", "rclavicle", "rhumerus", "rradius", "rwrist", "rhand"],
    ],
)
def test_a_chain_of_bones_computed_with_scipy(pose, chain):
    bones = _bones()
    for number in (3, 41):
        frame = _frame(number)
        turn = Rotation.from_euler("xyz", frame["root"][3:], degrees=True)
        end = frame["root"][:3] * METRES
        for name in chain:
            bone = bones[name]
            if bone["dof"]:
                axes = Rotation.from_euler("xyz", bone["axis"], degrees=True)
                local = Rotation.from_euler(bone["dof"], frame[name], degrees=True)
                turn = turn * axes * local * axes.inv()
            end = end + turn.apply(bone["direction"]) * bone["length"] * METRES
            np.testing.assert_allclose(pose[name].end[number - 1], end, atol=1e-6)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"rtibia ", b"rtibia x", "line 27: found could not convert"),
        (b"\n2\n", b"\n3\n", "frame 3 after 1"),
        (b"rhand ", b"rfoot ", "line 34: found no single line for rfoot, rhand in frame 1"),
        (b"root ", b"tail ", "'tail', which the skeleton has not"),
        (b"\nlowerback ", b"\nlowerback nan ", "takes 3 finite numbers"),
    ],
)
def test_damaged_motion_is_named(tmp_path, skeleton, old, new, message):
    data = AMC.read_bytes()
    assert old in data
    (tmp_path / "a.amc").write_bytes(data.replace(old, new, 1))
    with pytest.raises(DataError, match=message):
        asf.read_motion(tmp_path / "a.amc", skeleton)


def test_flipped_and_cut_files_give_an_error_or_a_skeleton(tmp_path, skeleton):
    rng = np.random.default_rng(0)
    text = {ASF: ASF.read_bytes(), AMC: b"\n".join(AMC.read_bytes().split(b"\n")[:100])}
    errors = 0
    for trial in range(300):
        kind = (ASF, AMC)[trial % 2]
        data = bytearray(text[kind])
        for place in rng.integers(0, len(data), 3):
            data[place] = rng.integers(256)
        path = tmp_path / kind.name
        path.write_bytes(data[: rng.integers(len(data))] if trial % 3 == 0 else data)
        try:
            asf.read_skeleton(path) if kind is ASF else asf.read_motion(path, skeleton)
        except DataError as error:
            assert str(path) in str(error)
            errors += 1
    assert errors > 100


def test_the_walk_leads_ahead_with_left_on_the_left():
    points = cmu_walks.walk(str(ASF), str(AMC))
    assert points.shape == (12, 17, 3)
    hips = points[:, [JOINT["left_hip"], JOINT["right_hip"]]].mean(axis=1)
    speed = np.diff(hips[:, 0]) * 30
    assert (speed > 1).all() and (speed < 2.5).all()  # metres a second
    assert abs(hips[-1, 1] - hips[0, 1]) < 0.05
    for name in ("ear", "eye", "shoulder", "hip"):
        assert (points[:, JOINT[f"left_{name}"], 1] > points[:, JOINT[f"right_{name}"], 1]).all()
    ears = points[:, [JOINT["left_ear"], JOINT["right_ear"]]].mean(axis=1)
    assert (points[:, JOINT["nose"], 0] > ears[:, 0] + 0.05).all()
    assert (points[:, JOINT["nose"], 2] > 1.3).all()
    ankles = points[:, [JOINT["left_ankle"], JOINT["right_ankle"]], 2]
    assert (ankles > 0).all() and (ankles.min(axis=1) < 0.2).all()


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """Three subjects, made from one file, prepared by the command."""
    folder = tmp_path_factory.mktemp("cmu")
    for subject in ("02", "07", "12"):
        (folder / "source" / subject).mkdir(parents=True)
        (folder / "source" / subject / f"{subject}.asf").write_bytes(ASF.read_bytes())
        for trial in ("01", "03"):
            path = folder / "source" / subject / f"{subject}_{trial}.amc"
            path.write_bytes(AMC.read_bytes())
    trials = {
        f"{subject}_{trial}": "walk" for subject in ("12", "07", "02") for trial in ("03", "01")
    }
    (folder / "trials.json").write_text(json.dumps(trials))
    status = prepare.main(
        ["cmu_walks", "--source", str(folder / "source"), "--output", str(folder / "out")]
        + ["--trials", str(folder / "trials.json"), "--workers", "1", "--cameras", "000,090"]
    )
    assert status == 0
    return folder


def test_the_command_writes_what_training_reads(prepared):
    config = load("gaitgraph2_cmu_walks")
    config.data.update(root=str(prepared / "out"), cache_dir=str(prepared / "cache"))
    train, test = loading.packed(config.data, "train"), loading.packed(config.data, "test")
    assert train.labels.tolist() == ["002"] * 4 + ["007"] * 4
    assert test.labels.tolist() == ["012"] * 4
    assert train.types.tolist() == ["00", "00", "01", "01"] * 2
    assert train.views.tolist() == ["000", "090"] * 4
    assert train.poses.shape == (96, 17, 3)
    assert json.loads((prepared / "out" / "partition.json").read_text()) == {
        "TRAIN_SET": ["002", "007"],
        "TEST_SET": ["012"],
    }
    assert "files that differ from those recorded" in (prepared / "out/summary.txt").read_text()


def test_a_network_trains_on_it(prepared, tmp_path, quick):
    record = trained.record("gaitgraph2_cmu_walks", prepared / "out", tmp_path)
    assert record["headline"]["Rank-1"] == 100  # of one person


def test_a_sequence_follows_from_seed_trial_and_camera_alone(prepared):
    source = prepared / "source"

    def made(subject, trial, view, seed=0):
        files = (f"{subject}/{subject}.asf", f"{subject}/{subject}_{trial}.amc")
        job = cmu_walks.Job("x", "00", view, files)
        return cmu_walks.make(source, filming.Studio(seed=seed), job).array

    first = made("02", "01", "090")
    written = pickle.loads((prepared / "out/002/00/090/090.pkl").read_bytes())
    np.testing.assert_array_equal(first, written)
    for other in (("02", "03", "090"), ("12", "01", "090"), ("02", "01", "090", 1)):
        assert not np.array_equal(first, made(*other))


def test_the_benchmark_is_fixed():
    sets = {"train": "02 05 07 10 16 35 43", "test": "06 08 32 38 39 49 55"}
    for name, subjects in sets.items():
        assert [
            s for s, (kind, _) in cmu_trials.SUBJECTS.items() if kind == name
        ] == subjects.split()
    assert len(cmu_trials.TRIALS) == 69
    assert {trial[:2] for trial in cmu_trials.TRIALS} == set(cmu_trials.SUBJECTS)
    assert cmu_trials.SUBJECTS["02"][1] == fetch.digest(ASF)


def test_the_whole_list_is_fixed():
    counts = Counter(trial.partition("_")[0] for trial in cmu_trials.WHOLE)
    assert " ".join(f"{subject}:{n}" for subject, n in sorted(counts.items(), key=_as_number)) == (
        "02:2 07:12 08:11 12:3 15:4 16:10 32:2 35:23 38:2 39:13 69:5 81:4 82:6 90:2 91:11 104:3 "
        "111:2 114:3 120:2 131:2 132:12 136:5 139:2 141:2 144:2"
    )
    train, test = (set(cmu_trials.WHOLE_SETS[name]) for name in ("train", "test"))
    assert not train & test and train | test == set(counts)
    for subject in set(counts) & set(cmu_trials.SUBJECTS):  # nobody changes sides
        assert subject in cmu_trials.WHOLE_SETS[cmu_trials.SUBJECTS[subject][0]]


def _as_number(item):
    return int(item[0])


def test_of_the_whole_list_straight_walks_are_taken_and_the_rest_is_said(tmp_path):
    lines = AMC.read_text().split("\n")
    bent = [line for line in lines if line]
    for row, line in enumerate(bent):
        if line.startswith("root "):  # back again in the second half
            words = line.split()
            z = abs(float(words[3]) - float(ROOT_HALFWAY)) + float(ROOT_HALFWAY)
            bent[row] = " ".join([*words[:3], str(z), *words[4:]])
    trials = {"02_01": lines, "02_02": lines, "12_01": bent, "12_02": lines, "15_01": ["1"]}
    for trial, text in trials.items():
        subject = trial[:2]
        (tmp_path / "raw" / subject).mkdir(parents=True, exist_ok=True)
        (tmp_path / "raw" / subject / f"{subject}.asf").write_bytes(ASF.read_bytes())
        (tmp_path / "raw" / subject / f"{trial}.amc").write_text("\n".join(text))
    out = tmp_path / "out"
    command = ["cmu_walks", "--source", str(tmp_path / "raw"), "--output", str(out)]
    command += ["--trials", "all", "--workers", "1", "--cameras", "000,090"]
    assert prepare.main(command) == 0
    made = sorted(p.relative_to(out).parent.as_posix() for p in out.rglob("*.pkl"))
    assert made == [f"{who}/{view}" for who in ("002/00", "002/01", "012/00")
                    for view in ("000", "090")]  # fmt: skip
    partition = json.loads((out / "partition.json").read_text())
    assert partition == {"TRAIN_SET": ["002"], "TEST_SET": ["012"]}
    said = (out / "summary.txt").read_text()
    assert "140  trials of the list that the source does not hold" in said
    assert re.search(r"trial 12_01 left out, no straight walk: .* metres walked to come", said)
    assert "trial 15_01 left out" in said and "no single line" in said


def test_the_whole_list_is_not_fetched(tmp_path, capsys):
    assert prepare.main(["cmu_walks", "--output", str(tmp_path / "o"), "--trials", "all"]) == 1
    assert "--trials all needs --source" in capsys.readouterr().err


def test_a_source_without_the_files_is_refused(tmp_path, capsys):
    (tmp_path / "source").mkdir()
    command = ["cmu_walks", "--source", str(tmp_path / "source"), "--output", str(tmp_path / "o")]
    assert prepare.main(command) == 1
    assert "02/02.asf is missing, 83 of 83 files" in capsys.readouterr().err
    (tmp_path / "t.json").write_text('{"../../x_01": "walk"}')
    assert prepare.main([*command, "--trials", str(tmp_path / "t.json")]) == 1
    assert "found '../../x_01'" in capsys.readouterr().err


TEXT = b"line of a file\r\n" * 1000


@pytest.fixture
def server():
    """A web server that breaks off when told to, and the requests it got."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            server.ranges.append(self.headers.get("Range"))
            if not self.path.endswith("file.amc"):
                return self.send_error(404)
            start = 0
            if self.headers.get("Range") and server.resumes:
                start = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
                if start >= len(TEXT):
                    return self.send_error(416)
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {start}-{len(TEXT) - 1}/{len(TEXT)}")
            else:
                self.send_response(200)
            self.send_header("Content-Length", str(len(TEXT) - start))
            self.end_headers()
            end = server.breaks.pop(0) if server.breaks else len(TEXT)
            self.wfile.write(TEXT[start:end])

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.ranges, server.breaks, server.resumes = [], [], True
    server.url = f"http://127.0.0.1:{server.server_port}/file.amc"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_broken_download_goes_on_where_it_stopped(server, tmp_path):
    server.breaks = [5000, 9000]
    path = tmp_path / "deep" / "file.amc"
    lines = tmp_path / "lines"
    lines.write_bytes(TEXT.replace(b"\r\n", b"\n"))
    fetch.fetch(server.url, path, fetch.digest(lines), pause=0)
    assert path.read_bytes() == TEXT
    assert server.ranges == [None, "bytes=5000-", "bytes=9000-"]
    fetch.fetch(server.url, path, pause=0)
    assert len(server.ranges) == 3
    assert [p.name for p in path.parent.iterdir()] == ["file.amc"]


def test_a_download_starts_anew_where_the_server_cannot_go_on(server, tmp_path):
    server.resumes = False
    (tmp_path / "file.amc.part").write_bytes(b"something else")
    fetch.fetch(server.url, tmp_path / "file.amc", pause=0)
    assert (tmp_path / "file.amc").read_bytes() == TEXT
    server.resumes = True
    (tmp_path / "other.part").write_bytes(TEXT + b"too long")
    fetch.fetch(server.url, tmp_path / "other", pause=0)
    assert (tmp_path / "other").read_bytes() == TEXT


def test_downloads_that_fail_say_so(server, tmp_path):
    with pytest.raises(DataError, match="SHA-256 is .*damaged on the way"):
        fetch.fetch(server.url, tmp_path / "file.amc", "0" * 64, pause=0)
    with pytest.raises(DataError, match="404"):
        fetch.fetch(server.url + "/none", tmp_path / "file.amc", pause=0)
    assert len(server.ranges) == 2  # 404 is not tried again
    server.breaks = [10, 20, 30, 40]
    with pytest.raises(DataError, match="the line broke after 10 of 15970 bytes"):
        fetch.fetch(server.url, tmp_path / "file.amc", pause=0)
    assert [p.name for p in tmp_path.iterdir()] == ["file.amc.part"]
    with pytest.raises(DataError, match="not a web address"):
        fetch.fetch("file:///etc/passwd", tmp_path / "file.amc", pause=0)


def test_without_a_source_the_files_are_fetched(server, tmp_path, capsys):
    (tmp_path / "trials.json").write_text('{"02_01": "walk"}')
    status = prepare.main(
        ["cmu_walks", "--output", str(tmp_path / "out"), "--download", str(tmp_path / "kept")]
        + ["--trials", str(tmp_path / "trials.json"), "--url", server.url.rpartition("/")[0]]
    )
    assert status == 1 and "404" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
