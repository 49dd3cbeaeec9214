"""Results of AlphaPose, OpenPose, MMPose and COCO json: one person's sequence out of them."""

import json

import numpy as np
import pytest

from gaitjax.config import load
from gaitjax.data import walkers
from gaitjax.data.readers import pose_files, pose_tracks
from gaitjax.errors import DataError
from gaitjax.prepare.__main__ import main
from tests.helpers import loading
from tests.helpers.tiny_sets import TO_COCO

WALK = walkers.identity(0, 3, 24)[0][2].astype(np.float64)  # (T, 17, 3), seen from the side
T = len(WALK)
BODY_25 = (0, 16, 15, 18, 17, 5, 2, 6, 3, 7, 4, 12, 9, 13, 10, 14, 11)  # of COCO joint i
OTHER = WALK[::-1] + np.array([400.0, 30.0, -0.2])  # far away, walking the other way, less sure


def flat(joints) -> list[float]:
    return np.asarray(joints).ravel().tolist()


def openpose(joints: np.ndarray, layout: int) -> list[float]:
    """17 COCO joints as OpenPose writes them: 18 joints or BODY_25."""
    out = np.zeros((layout, 3))
    out[list(TO_COCO if layout == 18 else BODY_25)] = joints
    out[1] = (out[2] + out[5]) / 2  # neck
    return flat(out)


def results(ids, people, **more) -> list[dict]:
    """A list of results; people[p][t] is the skeleton of person p in frame t."""
    return [
        {"image_id": i, "category_id": 1, "keypoints": flat(p[t]), "score": 2.5}
        | {key: value(k) for key, value in more.items()}
        for t, i in enumerate(ids)
        for k, p in enumerate(people)
    ]


def write_alphapose(folder):
    path = folder / "alphapose-results.json"
    path.write_text(json.dumps(results([f"{t}.jpg" for t in range(T)], [OTHER, WALK])))
    return path


def write_tracked(folder):
    path = folder / "results.json"
    names = [f"frame_{t:04d}.png" for t in range(T)]
    path.write_text(json.dumps(results(names, [WALK], idx=lambda k: [[7.0], [7.0]])))
    return path


def write_halpe(folder):
    path = folder / "halpe.json"
    walk = np.concatenate([WALK, np.full((T, 9, 3), 0.5)], axis=1)
    path.write_text(json.dumps(results([f"{t}.jpg" for t in range(T)], [walk])))
    return path


def write_coco(folder):
    path = folder / "coco.json"
    entries = results(range(100, 100 + T), [OTHER, WALK], track_id=lambda k: k)
    path.write_text("\ufeff" + json.dumps(entries), encoding="utf-8")
    return path


def write_openpose(folder, layout=25):
    for t in range(T):
        people = [{"person_id": [-1], "pose_keypoints_2d": openpose(WALK[t], layout)}]
        (folder / f"clip_{t:012d}_keypoints.json").write_text(
            json.dumps({"version": 1.3, "people": people})
        )
    return folder


def write_openpose18(folder):
    return write_openpose(folder, 18)


def write_alphapose_cmu(folder):
    path = folder / "alphapose-results.json"
    frames = {
        f"{t}.jpg": {"version": 0.1, "bodies": [{"joints": openpose(WALK[t], 18)}]}
        for t in range(T)
    }
    path.write_text(json.dumps(frames))
    return path


def instance(joints) -> dict:
    return {
        "keypoints": joints[:, :2].tolist(),
        "keypoint_scores": joints[:, 2].tolist(),
        "bbox": [[0.0, 0.0, 1.0, 1.0]],
        "bbox_score": 0.9,
    }


def write_mmpose(folder):
    path = folder / "video.json"
    frames = [{"frame_id": t + 1, "instances": [instance(WALK[t])]} for t in range(T)]
    path.write_text(json.dumps(frames))
    return path


def write_mmpose_demo(folder):
    path = folder / "results_video.json"
    frames = [{"frame_id": t + 1, "instances": [instance(WALK[t])]} for t in range(T)]
    path.write_text(json.dumps({"meta_info": {"num_keypoints": 17}, "instance_info": frames}))
    return path


def write_mmpose_images(folder):
    for t in range(T):
        (folder / f"{t}.json").write_text(json.dumps([instance(WALK[t])]))
    return folder


WRITERS = {
    "alphapose": (write_alphapose, "alphapose"),
    "alphapose_tracked": (write_tracked, "alphapose"),
    "alphapose_halpe": (write_halpe, "alphapose"),
    "alphapose_cmu": (write_alphapose_cmu, "alphapose"),
    "coco": (write_coco, "coco"),
    "openpose_body25": (write_openpose, "openpose"),
    "openpose_coco18": (write_openpose18, "openpose"),
    "mmpose": (write_mmpose, "mmpose"),
    "mmpose_demo": (write_mmpose_demo, "mmpose"),
    "mmpose_images": (write_mmpose_images, "mmpose"),
}


@pytest.mark.parametrize("name", WRITERS)
def test_every_format_gives_the_walk(name, tmp_path):
    write, format = WRITERS[name]
    path = write(tmp_path)
    sequence = pose_files.read(path)
    assert sequence.poses.dtype == np.float32 and sequence.poses.shape == (T, 17, 3)
    np.testing.assert_allclose(sequence.poses, WALK, atol=1e-3)
    assert (np.diff(sequence.frames) == 1).all()
    np.testing.assert_array_equal(pose_files.read(path, format).poses, sequence.poses)
    wrong = "mmpose" if format != "mmpose" else "coco"
    with pytest.raises(DataError, match=wrong):
        pose_files.read(path, wrong)


def test_person_and_track(tmp_path):
    path = write_alphapose(tmp_path)
    np.testing.assert_allclose(pose_files.read(path, person=2).poses, OTHER, atol=1e-3)
    assert pose_files.read(path).notes == {"other people in the video": 1}
    with pytest.raises(DataError, match="no person 3; found 2"):
        pose_files.read(path, person=3)
    tracked = write_coco(tmp_path)
    np.testing.assert_allclose(pose_files.read(tracked, track="0").poses, OTHER, atol=1e-3)
    with pytest.raises(DataError, match="no track 'x'"):
        pose_files.read(tracked, track="x")


def test_people_who_cross_stay_apart():
    def frame(t):
        people = [pose_tracks.Detection(p) for p in (left[t], right[t])]
        return people if t % 2 else people[::-1]  # in any order

    height = np.ptp(WALK[0, :, 1])
    left = WALK.copy()
    right = WALK + np.array([0.0, 0.5 * height, -0.1])  # walks on a line nearer to the camera
    left[:, :, 0] += np.linspace(0, 90, T)[:, None]
    right[:, :, 0] += np.linspace(90, 0, T)[:, None]
    frames = {t: frame(t) for t in range(T) if t not in (9, 10, 11)}
    (_, first), (_, second) = pose_tracks.tracks(frames, max_gap=5)
    for track, truth in ((first, left), (second, right)):
        assert len(track) == T - 3
        for t, joints in track:
            np.testing.assert_array_equal(joints, truth[t])


def test_untracked_ids_are_not_taken_for_tracks():
    frames = {
        t: [pose_tracks.Detection(OTHER[t], "0"), pose_tracks.Detection(WALK[t], "0")]
        for t in range(T)
    }
    assert [len(track) for _, track in pose_tracks.tracks(frames, 5)] == [T, T]


def test_short_gaps_are_filled_and_long_ones_cut():
    line = np.zeros((30, 17, 3))
    line[..., 0] = np.arange(30)[:, None]
    line[..., 1] = 2.0 * np.arange(17)
    line[..., 2] = np.linspace(1.0, 0.5, 30)[:, None]
    track = [(t, line[t].copy()) for t in range(30) if t not in (5, 6) and not 20 <= t < 26]
    track[10][1][4] = 0.0  # frame 12 misses joint 4
    track[0][1][7] = 0.0  # the first frame misses joint 7: nothing before it
    poses, frames, notes = pose_tracks.fill(track, max_gap=5)
    np.testing.assert_array_equal(frames, np.arange(20))
    expected = line[:20].copy()
    expected[0, 7] = 0.0
    expected[[5, 6], :, 2] = line[7, 0, 2]
    expected[12, 4, 2] = line[13, 0, 2]
    np.testing.assert_allclose(poses, expected, atol=1e-5)
    assert notes == {
        "frames left out, beyond a long gap": 4,
        "frames interpolated": 2,
        "joints interpolated in other frames": 1,
    }
    poses, frames, _ = pose_tracks.fill(track, max_gap=6)
    assert len(poses) == len(frames) == 30
    poses, frames, _ = pose_tracks.fill(track, max_gap=0)
    assert len(poses) == 13 and not poses[12 - 7, 4].any()


def test_frame_rate(tmp_path):
    path = write_tracked(tmp_path)
    assert pose_files.read(path, frame_rate=25).notes == {}
    (note,) = pose_files.read(path, frame_rate=60).notes
    assert note.startswith("60 frames a second")
    halved = pose_files.read(path, frame_rate=50, resample=25)
    np.testing.assert_allclose(halved.poses, WALK[::2], atol=1e-3)
    np.testing.assert_array_equal(halved.frames, np.arange(T)[::2])
    doubled = pose_files.read(path, frame_rate=12.5, resample=25)
    assert len(doubled.poses) == 2 * T - 1 and doubled.frame_rate == 25 and not doubled.notes
    np.testing.assert_allclose(doubled.poses[1::2], (WALK[1:] + WALK[:-1]) / 2, atol=1e-3)
    with pytest.raises(DataError, match="frame_rate of the video"):
        pose_files.read(path, resample=25)


def test_missing_and_unusable_joints(tmp_path):
    entries = results([f"{t}.jpg" for t in range(6)], [WALK])
    for entry in entries:
        entry["keypoints"][0:3] = [float("nan"), 5.0, 0.9]
        entry["keypoints"][3:6] = [1e30, 5.0, 0.9]
        entry["keypoints"][6:9] = [7.0, 5.0, 0.0]
    path = tmp_path / "results.json"
    path.write_text(json.dumps(entries))
    poses = pose_files.read(path).poses
    assert not poses[:, :3].any()
    np.testing.assert_allclose(poses[:, 3:], WALK[:6, 3:], atol=1e-3)


REFUSED = {
    "two videos": ([{"image_id": f"{v}_1.jpg", "keypoints": []} for v in "ab"], "two videos"),
    "no number": ([{"image_id": "a.jpg", "keypoints": []}], "no frame number"),
    "16 joints": ([{"image_id": 1, "keypoints": [0.5] * 48}], "48 numbers.*17 x 3"),
    "text": ([{"image_id": 1, "keypoints": ["0.5"] * 51}], "list of numbers"),
    "bool": ([{"image_id": 1, "keypoints": [True] * 51}], "list of numbers"),
    "annotations": ({"images": [], "annotations": []}, "an object with the keys"),
    "nobody": ([{"frame_id": 1, "instances": []}], "no person"),
    "empty list": ([], "a list of 0"),
    "null": (None, "null"),
    "scores": (
        [{"frame_id": 1, "instances": [{"keypoints": [[1, 2]], "keypoint_scores": [1, 1]}]}],
        "one for each score",
    ),
    "huge frame": ([{"image_id": 10**30, "keypoints": [0.5] * 51}], "out of range"),
    "huge integer": ([{"image_id": 1, "keypoints": [10**350] * 51}], "too large"),
    "crowd": ([{"image_id": 1, "keypoints": [0.5] * 51}] * 300, "more than 200 people"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name, tmp_path):
    content, message = REFUSED[name]
    path = tmp_path / "x.json"
    path.write_text(json.dumps(content))
    with pytest.raises(DataError, match=message) as error:
        pose_files.read(path)
    assert str(path) in str(error.value)


def test_refused_folders(tmp_path):
    with pytest.raises(DataError, match="no .json file"):
        pose_files.read(tmp_path)
    with pytest.raises(DataError, match="No such file"):
        pose_files.read(tmp_path / "missing.json")
    (tmp_path / "0.json").write_text('{"people": [], "bodies": []}')
    with pytest.raises(DataError, match=r"0.json: found .*expected \{"):
        pose_files.read(tmp_path)


def test_command_adds_sequences_that_evaluation_reads(tmp_path, capsys):
    source, root = write_alphapose(tmp_path), tmp_path / "videos"
    arguments = ["poses", "--source", str(source), "--output", str(root), "--label", "anna"]
    for options in (
        ["--type", "nm-01", "--view", "090", "--frame_rate", "25"],
        ["--type", "nm-02", "--view", "090", "--person", "2", "--frame_rate", "60"],
    ):
        assert main([*arguments, *options]) == 0
    out = capsys.readouterr().out
    assert f"{T} frames, 0 to {T - 1} of the video" in out and "60 frames a second" in out
    config = load("gaitgraph2_walkers")
    config.data.update(root=str(root), cache_dir=str(tmp_path / "cache"))
    packed = loading.packed(config.data, "test")
    assert packed.types.tolist() == ["nm-01", "nm-02"]
    np.testing.assert_allclose(packed.poses, np.concatenate([WALK, OTHER]), atol=1e-3)
    assert main([*arguments, "--type", "nm-01", "--view", "090"]) == 1
    assert "exists already" in capsys.readouterr().err
    assert main([*arguments, "--type", "../x", "--view", "090"]) == 1
    assert "cannot be the name of a folder" in capsys.readouterr().err
    (root / "partition.json").write_text("{")
    assert main([*arguments, "--type", "nm-03", "--view", "090"]) == 1
    assert not (root / "anna" / "nm-03").exists()
