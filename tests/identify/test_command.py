"""python -m gaitjax.identify: what it prints, writes and refuses, and its exit status."""

import json
import threading
import time

import numpy as np
import pytest

from gaitjax import api
from gaitjax.identify import following, gallery_file
from gaitjax.identify.__main__ import main
from tests.helpers import boxes_on_video
from tests.helpers.people import Seer, walk, write_results


@pytest.fixture
def say(tmp_path, monkeypatch, capsys):
    """Runs the command in a folder of walks; gives its exit status, output and errors."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(api, "load", lambda source, *_: Seer(float(source == "other")))
    for name, place in (("ann", 0.1), ("bob", 0.9)):
        write_results(tmp_path / f"{name}.json", walk(place))
    np.save(tmp_path / "again.npy", walk(0.12))
    np.save(tmp_path / "stranger.npy", walk(0.1, 0.99, 0.01, 0.99))

    def run(*words):
        try:
            status = main(list(words))
        except SystemExit as error:  # argparse
            status = error.code
        out, err = capsys.readouterr()
        return status, out, err

    return run


@pytest.fixture
def gallery(say):
    for name in ("ann", "bob"):
        assert say("enrol", "--gallery", "people.npz", "--name", name, f"{name}.json")[0] == 0
    return "--gallery", "people.npz"


def test_enrol_who_json_and_exit_status(say, gallery, tmp_path):
    status, out, _ = say("who", *gallery, "again.npy", "--json", "answers.jsonl", "--top", "2")
    assert status == 0
    assert out.startswith("again.npy, 1: ann; distance 0.02 below 0.8; bob is 0.76 farther")
    assert "at most 33 % of strangers come as near" in out
    assert "60 frames, 0 % of the joints missing, weight 1.00" in out
    (line,) = (tmp_path / "answers.jsonl").read_text().splitlines()
    answer = json.loads(line)
    assert list(answer)[:7] == [
        "source", "person", "frames", "name", "distance", "threshold", "candidates"
    ]  # fmt: skip
    assert (answer["name"], answer["frames"]) == ("ann", 60)
    assert [c["name"] for c in answer["candidates"]] == ["ann", "bob"]

    status, out, _ = say("who", *gallery, "again.npy", "stranger.npy", "--json", "a.jsonl")
    assert status == 3 and "stranger.npy, 1: unknown; no name is near enough" in out
    names = [json.loads(row)["name"] for row in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert names == ["ann", None]


def test_all_people_of_a_file_are_answered(say, gallery, tmp_path):
    write_results(tmp_path / "both.json", walk(0.88), walk(0.11)[:50] + [300, 0, 0])
    status, out, _ = say("who", *gallery, "both.json")
    assert status == 0 and "both.json, 1: bob" in out and "both.json, 2: ann" in out


def test_list_calibrate_remove(say, gallery, tmp_path):
    (tmp_path / "others").mkdir()
    for i in range(1, 10):
        np.save(tmp_path / f"others/{i}.npy", walk(0.5 + i / 100))
    status, out, _ = say("calibrate", *gallery, "--impostors", "others", "--fpir", "0.1")
    assert status == 0 and "threshold 0.31, of 9 impostors in others: at most 10 %" in out
    status, out, _ = say("calibrate", *gallery)
    assert "1 % were asked for, which takes 99 people" in out
    status, out, _ = say("list", *gallery)
    assert "ann   ann.json, 1" in out and "2 people, 2 walks; embeddings of gaittr" in out
    assert "because they consented" in out
    status, out, _ = say("remove", *gallery, "--name", "bob")
    assert status == 0 and "bob and the embeddings of 1 walks are deleted" in out
    assert "bob" not in say("list", *gallery)[1]
    assert say("remove", *gallery, "--name", "bob")[0] == 1


@pytest.mark.parametrize(
    "words, status, expected",
    [
        (["enrol", "--name", "cyd", "two.json"], 1, "two.json: 2 people in it, 2, 1; one name is"),
        (["enrol", "--name", "cyd", "--person", "7", "two.json"], 1, "nobody called '7' in it"),
        (["enrol", "--name", "a", "--name", "b", "two.json"], 2, "--name is given twice"),
        (
            ["enrol", "--name", "Ann", "again.npy"],
            1,
            "people.npz: 'Ann' is enrolled already, spelt",
        ),
        (["enrol", "--name", "bob", "ann.json"], 1, "already, as ann: one walk, two names"),
        (["enrol", "--name", "cyd", "none.json"], 1, "none.json: no person in any of its 1 frames"),
        (["enrol", "--name", "cyd", "--match", "mean", "again.npy"], 1, "its match is nearest"),
        (["who", "none.json"], 1, "none.json: no person in any of its 1 frames"),
        (
            ["who", "zeros.npy"],
            1,
            "zeros.npy: no person in it, every joint of every frame is missing",
        ),
        (
            ["remove", "--name", "cyd"],
            1,
            "people.npz: nobody called 'cyd' is enrolled; enrolled: ann",
        ),
        (["who", "no.json"], 1, "no.json: no such file or folder; expected results of a pose"),
        (["who", "--weights", "other", "again.npy"], 1, "embeddings are of other weights"),
        (["who", "--follow", "again.npy", "ann.json"], 1, "--follow takes one source, found 2"),
        (
            ["who", "--follow", "walk.mp4"],
            1,
            "walk.mp4: a video file does not grow; leave --follow",
        ),
        (["calibrate", "--fpir", "3"], 1, "fpir is 3.0; expected a share between 0 and 1"),
        (["calibrate", "--impostors", "nowhere"], 1, "nowhere: no such folder"),
    ],
)
def test_bad_input_is_one_line(say, gallery, tmp_path, words, status, expected):
    write_results(tmp_path / "two.json", walk(0.3), walk(0.4) + [300, 0, 0])
    np.save(tmp_path / "zeros.npy", np.zeros((60, 17, 3)))
    (tmp_path / "none.json").write_text('[{"frame_id": 1, "instances": []}]')
    before = (tmp_path / "people.npz").read_bytes()
    found, _, err = say(words[0], *gallery, *words[1:])
    assert found == status and expected in err
    assert status == 2 or (err.count("\n") == 1 and err.startswith("error: "))
    assert (tmp_path / "people.npz").read_bytes() == before


def test_damaged_gallery_and_none(say, gallery, tmp_path):
    path = tmp_path / "people.npz"
    path.write_bytes(path.read_bytes()[:-100])
    for command in ("who", "list", "calibrate", "remove", "enrol"):
        words = {"who": ["again.npy"], "remove": ["--name", "ann"]}.get(command, [])
        words = ["--name", "cyd", "again.npy"] if command == "enrol" else words
        status, _, err = say(command, *gallery, *words)
        assert status == 1 and err.count("\n") == 1 and "people.npz: no .npz of arrays" in err
    assert "none.npz: no such gallery" in say("who", "--gallery", "none.npz", "again.npy")[2]
    status, _, err = say("enrol", "--gallery", "people", "--name", "cyd", "again.npy")
    assert status == 1 and "people: a gallery is a file whose name ends in .npz" in err


def test_one_person_chosen_of_several(say, gallery, tmp_path):
    write_results(tmp_path / "two.json", walk(0.3), walk(0.4) + [300, 0, 0])
    status, out, _ = say("enrol", *gallery, "--name", "cyd", "--person", "2", "two.json")
    assert status == 0 and "two.json, 2: enrolled as cyd" in out and "3 people, 3 walks" in out


def test_follow_a_growing_folder(say, gallery, tmp_path, monkeypatch):
    monkeypatch.setattr(following, "EVERY", 0.2)
    folder, poses = tmp_path / "live", walk(0.1)
    folder.mkdir()

    def write(t):
        frame = {"people": [{"pose_keypoints_2d": poses[t].ravel().tolist()}]}
        (folder / f"{t:04d}_keypoints.json").write_text(json.dumps(frame))

    def grow():
        for t in range(60):
            write(t)
            time.sleep(0.01)

    writer = threading.Thread(target=grow)
    writer.start()
    status, out, _ = say(
        "who", *gallery, "--follow", "--seconds", "0.6", "live", "--json", "a.jsonl"
    )
    writer.join()
    assert status == 0 and "live, 1: ann; distance" in out and "latency" in out
    last = json.loads((tmp_path / "a.jsonl").read_text().splitlines()[-1])
    assert (last["name"], last["frames"]) == ("ann", 32)


def test_follow_a_camera(say, gallery, tmp_path, monkeypatch):
    """A video that comes as a camera's pictures do, half of them while the pose model works."""
    cv2 = pytest.importorskip("cv2")
    pose_model = boxes_on_video.install(monkeypatch, tmp_path / "model")
    boxes_on_video.write(tmp_path / "v.avi", [[(20 + 4 * t, 60, 30, 90)] for t in range(60)])
    capture = cv2.VideoCapture
    began = time.monotonic()

    class Camera:
        def __init__(self, where):
            assert where == 0
            self.video, self.count = capture(str(tmp_path / "v.avi")), 0

        def read(self):
            time.sleep(max(0, began + self.count / 25 - time.monotonic()))
            self.count += 1
            return self.video.read()

        def get(self, what):
            return self.video.get(what)

        def release(self):
            self.video.release()

    monkeypatch.setattr(cv2, "VideoCapture", Camera)
    monkeypatch.setattr(following, "EVERY", 0.2)
    words = ["--follow", "0", "--pose_model", str(pose_model), "--json", "a.jsonl"]
    status, out, _ = say("who", *gallery, *words)
    assert status == 0 and "1 too short yet; latency 0.0" in out
    answers = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert len(answers) >= 2 and {a["source"] for a in answers} == {"0"}
    assert answers[-1]["frames"] == 32 and answers[-1]["missing"] == 0


def test_half_written_lines_are_left_out(tmp_path):
    from gaitjax.data import readers

    def frame(t):
        keypoints = walk()[t].ravel().tolist()
        return json.dumps({"frame": t, "predictions": [{"keypoints": keypoints}]})

    lines = "\n".join(frame(t) for t in range(50))
    path = tmp_path / "live.json"
    path.write_text(lines + "\n" + frame(50)[:100])
    (found,) = readers.read_people(path, last=20).values()
    assert found.frames.tolist() == list(range(30, 50))


def test_only_one_changes_a_gallery_at_a_time(say, gallery, tmp_path):
    with gallery_file.ours(tmp_path / "people.npz"):
        status, _, err = say("remove", *gallery, "--name", "ann")
        assert status == 1 and "another run is writing there" in err
        assert say("who", *gallery, "again.npy")[0] == 0, "reading needs no lock"
    assert say("remove", *gallery, "--name", "ann")[0] == 0
    assert not list(tmp_path.glob(".people*"))
