"""People followed from frame to frame, and gaps in their tracks."""

import numpy as np

from gaitjax.data.readers import pose_tracks
from tests.helpers.walk import OTHER, WALK, T


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
