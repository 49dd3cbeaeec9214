"""BlazePose itself, on painted walkers. Needs the pose model; see docs/video.md."""

import numpy as np
import pytest

from gaitjax import video
from gaitjax.data import walkers
from gaitjax.skeleton import COCO
from gaitjax.video import model
from tests.helpers import painted_walkers

HEIGHT = 220.0


def walk(view, x, speed, frames):
    """(frames, 17, 2) joints of a walker, HEIGHT pixels tall, whose hips go from x at `speed`."""
    joints = walkers.identity(0, view + 1, frames)[0][view][:frames, :, :2].astype(float)
    joints = (
        (joints - joints[:, 11:13].mean(axis=1, keepdims=True)) * HEIGHT / np.ptp(joints[0, :, 1])
    )
    return (
        joints + np.stack([x + speed * np.arange(frames), np.full(frames, 240.0)], axis=1)[:, None]
    )


@pytest.fixture(scope="module")
def pose_model():
    pytest.importorskip("ai_edge_litert", reason="gaitjax[video] is not installed")
    if not model.place().exists():
        pytest.skip(f"no pose model in {model.place()}: python -m gaitjax.prepare pose_model")


def test_two_painted_walkers(pose_model, tmp_path):
    """Joints of the body within a twentieth of the height, in the mean of a frame.

    A painted leg does not tell whether it is the left one or the right one.
    """
    truth = [walk(0, 160, 3, 16), walk(1, 480, -2, 16)]
    painted_walkers.write(tmp_path / "walk.avi", [[j[t] for j in truth] for t in range(16)])
    tracks = video.read(tmp_path / "walk.avi", progress=False)
    assert len(tracks) == 2
    for track in sorted(tracks, key=lambda track: track.poses[0, :, 0].mean()):
        own = truth.pop(0)[track.frames]
        assert len(track.frames) >= 12
        off = [
            np.linalg.norm(track.poses[..., :2] - legs, axis=-1)[:, 5:].mean(axis=1) / HEIGHT
            for legs in (
                own,
                np.concatenate([own[:, :11], own[:, list(COCO.swap)][:, 11:]], axis=1),
            )
        ]
        assert np.median(np.minimum(*off)) < 0.05, off
        assert np.median(track.poses[..., 2]) > 0.8
