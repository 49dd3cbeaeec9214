"""A whole video, and frame by frame, through networks that see white boxes."""

import numpy as np
import pytest

from gaitjax import video
from gaitjax.errors import DataError
from gaitjax.skeleton import COCO
from gaitjax.video import following
from tests.helpers import boxes_on_video


def joints_of(box):
    """(17, 2) where the joints of a box are."""
    left, top, width, height = box
    shares = np.array([boxes_on_video.place(joint) for joint in COCO.joints])
    return np.array([left, top]) + shares * [width, height] - 0.5  # pixels' middles are whole


@pytest.fixture
def pose_model(monkeypatch, tmp_path):
    return boxes_on_video.install(monkeypatch, tmp_path / "model")


@pytest.fixture
def crossing(tmp_path):
    """Two boxes that walk past each other, one twice as near; the nearer one comes later."""
    far = [(20 + 4 * t, 60, 14, 44) for t in range(50)]
    near = [(280 - 5 * t, 110, 30, 96) for t in range(10, 50)]
    frames = [[far[t]] + ([near[t - 10]] if t >= 10 else []) for t in range(50)]
    boxes_on_video.write(tmp_path / "walk.avi", frames)
    return tmp_path / "walk.avi", far, near


def test_two_people(pose_model, crossing):
    path, far, near = crossing
    first, second = video.read(path, pose_model, progress=False)
    assert (first.name, second.name) == ("1", "2") and first.fps == 25
    assert first.frames[0] == 2 and first.frames[-1] == 49  # from the third frame on
    for track, boxes, start in ((first, far, 0), (second, near, 10)):
        assert track.poses.shape == (len(track.frames), 17, 3) and track.poses.dtype == np.float32
        expected = np.stack([joints_of(boxes[n - start]) for n in track.frames])
        assert np.abs(track.poses[..., :2] - expected).max() < 1.5  # a pixel of the network's view
        assert np.ptp(track.poses[..., 2]) < 1e-6 and track.poses[0, 0, 2] > 0.9
    assert second.frames[0] < 10 + 25  # a newcomer is found within a second
    assert abs(second.height / 96 - 0.9) < 0.03


def test_the_same_on_one_processor(pose_model, crossing, monkeypatch):
    both = []
    for count in (1, 3):
        monkeypatch.setattr(following, "_processors", lambda count=count: count)
        both.append(video.read(crossing[0], pose_model, progress=False, seconds=0.8))
    for one, other in zip(*both, strict=True):
        assert one.name == other.name and (one.poses == other.poses).all()


def test_frame_by_frame(pose_model, crossing):
    path, far, _ = crossing
    frames = video.follow(path, pose_model)
    for number, frame in zip(range(6), frames, strict=False):
        assert (frame.number, frame.seconds) == (number, number / 25)
        assert frame.image.shape == (240, 320, 3)
        assert list(frame.people) == (["1"] if number >= 2 else [])
    np.testing.assert_allclose(frame.people["1"][:, :2], joints_of(far[5]), atol=1.5)
    frames.close()


def test_a_sequence_without_holes(pose_model, tmp_path):
    """Three frames hidden are interpolated; ten end the stretch."""
    boxes = [[(20 + 4 * t, 60, 20, 70)] for t in range(60)]
    for t in (20, 21, 22, *range(40, 50)):
        boxes[t] = []
    boxes_on_video.write(tmp_path / "v.avi", boxes)
    (track,) = video.read(tmp_path / "v.avi", pose_model, progress=False)
    assert track.frames.tolist() == [*range(2, 20), *range(23, 40), *range(50, 60)]
    sequence = track.sequence()
    assert sequence.frames.tolist() == list(range(2, 40)) and sequence.frame_rate == 25
    assert sequence.notes["frames interpolated"] == 3
    np.testing.assert_allclose(
        sequence.poses[19, :, :2], joints_of((20 + 84, 60, 20, 70)), atol=1.5
    )
    assert len(track.sequence(resample=12.5).poses) == 19


def test_only_so_many_seconds(pose_model, crossing):
    (track,) = video.read(crossing[0], pose_model, progress=False, seconds=0.7)
    assert track.frames[-1] == 17


def test_nobody(pose_model, tmp_path):
    boxes_on_video.write(tmp_path / "v.avi", [[]] * 12)
    with pytest.raises(DataError, match=r"v\.avi: nobody is seen in its 12 frames"):
        video.read(tmp_path / "v.avi", pose_model, progress=False)
    boxes_on_video.write(tmp_path / "v.avi", [[(50, 50, 20, 70)]] * 6 + [[]] * 6)
    with pytest.raises(DataError, match="nobody is seen for 10 frames or more in its 12 frames"):
        video.read(tmp_path / "v.avi", pose_model, progress=False)


def test_a_video_that_breaks_off(pose_model, tmp_path, capsys):
    boxes_on_video.write(tmp_path / "v.avi", [[(50, 50, 20, 70)]] * 40)
    path = tmp_path / "v.avi"
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    (track,) = video.read(path, pose_model, progress=False)
    assert 12 < len(track.frames) < 38
    said = capsys.readouterr().err
    assert said == "" or "v.avi: ends after" in said  # some versions count what is there
