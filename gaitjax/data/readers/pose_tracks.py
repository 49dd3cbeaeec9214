"""From the people found in each frame of a video to one person's gap-free sequence.

Pose estimators give, for each frame, any number of skeletons in any order. `tracks` joins
them over time, `fill` closes short gaps, `resample` changes the frame rate.
"""

from typing import NamedTuple

import numpy as np

# A person in the next frame is the nearest one, if the joints moved by less than this
# share of the body's height: at 25 frames a second a walker moves by about 0.04.
REACH = 0.25
REACH_MORE = 0.05  # for each frame in which the person was not seen
# An identity that everybody has is nobody's: it is not believed if it jumps by this much.
JUMP = 1.0


class Detection(NamedTuple):
    """One skeleton in one frame.

    Attributes:
      joints: (V, 3) x, y in pixels, confidence; missing joints are (0, 0, 0).
      track: identity that the estimator's tracker gave, or None.
    """

    joints: np.ndarray
    track: str | None = None


Track = list[tuple[int, np.ndarray]]  # frame number, (V, 3) joints


def tracks(frames: dict[int, list[Detection]], max_gap: int) -> list[tuple[str, Track]]:
    """The people of a video, the most present first: largest sum of mean confidences.

    The tracker's own identities are used if every skeleton has one and none appears
    twice in a frame or, if it is the only one, jumps (estimators without tracking write
    the same one everywhere); otherwise nearest skeletons in successive frames are joined,
    closest pairs first.

    Args:
      frames: frame number -> its skeletons.
      max_gap: frames a person may be out of sight and still be joined.

    Returns:
      (name, track) of each person; names are the tracker's, or "1", "2", ... in the
      order of appearance.
    """
    found = _given(frames) or _joined(frames, max_gap)
    weight = {name: sum(joints[:, 2].mean() for _, joints in track) for name, track in found}
    return sorted(found, key=lambda item: -weight[item[0]])


def _given(frames: dict[int, list[Detection]]) -> list[tuple[str, Track]]:
    result: dict[str, Track] = {}
    for number in sorted(frames):
        named = {d.track: d.joints for d in frames[number] if d.track is not None}
        if len(named) < len(frames[number]):
            return []
        for name, joints in named.items():
            result.setdefault(name, []).append((number, joints))
    if len(result) == 1 and _jumps(*result.values()):
        return []
    return list(result.items())


def _jumps(track: Track) -> bool:
    joints = np.stack([joints for _, joints in track])
    moved = [distances(a[None], b[None]).item() for a, b in zip(joints, joints[1:], strict=False)]
    return any(JUMP < distance < np.inf for distance in moved)


def _joined(frames: dict[int, list[Detection]], max_gap: int) -> list[tuple[str, Track]]:
    result: list[Track] = []
    active: list[Track] = []
    for number in sorted(frames):
        people = [d.joints for d in frames[number]]
        active = [track for track in active if number - track[-1][0] <= max_gap + 1]
        taken_tracks, taken_people = set(), set()
        if active and people:
            distance = distances(np.stack([t[-1][1] for t in active]), np.stack(people))
            unseen = np.array([number - t[-1][0] - 1 for t in active])
            close = distance < (REACH + REACH_MORE * unseen)[:, None]
            pairs = np.argwhere(close)
            for i, j in pairs[np.argsort(distance[close], kind="stable")].tolist():
                if i not in taken_tracks and j not in taken_people:
                    taken_tracks.add(i)
                    taken_people.add(j)
                    active[i].append((number, people[j]))
        new = [[(number, p)] for j, p in enumerate(people) if j not in taken_people]
        active += new
        result += new
    return [(str(i), track) for i, track in enumerate(result, start=1)]


def distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(A, B) mean distances of the joints both have, in body heights; infinite if they share none.

    Args:
      a, b: (A, V, 3) and (B, V, 3) skeletons.
    """
    seen_a, seen_b = a[..., 2] > 0, b[..., 2] > 0
    both = seen_a[:, None] & seen_b[None]
    moved = np.linalg.norm(a[:, None, :, :2] - b[None, :, :, :2], axis=-1)
    count = both.sum(axis=-1)
    height = np.maximum(_heights(a, seen_a)[:, None], _heights(b, seen_b)[None])
    mean = (moved * both).sum(axis=-1) / np.maximum(count, 1)
    return np.where(count > 0, mean / height, np.inf)


def _heights(people: np.ndarray, seen: np.ndarray) -> np.ndarray:
    y = people[..., 1]
    top = np.where(seen, y, np.inf).min(axis=-1)
    bottom = np.where(seen, y, -np.inf).max(axis=-1)
    return np.where(seen.any(axis=-1), np.maximum(bottom - top, 1.0), 1.0)


def fill(track: Track, max_gap: int) -> tuple[np.ndarray, np.ndarray, dict[str, int]]:
    """One array without holes in time: the longest stretch with gaps of at most `max_gap`.

    Frames and single joints that are missing for at most `max_gap` frames are interpolated
    linearly between the frames before and after; their confidence is the lower of the two
    ends. Joints missing for longer, or at an end of the sequence, stay (0, 0, 0).

    Returns:
      poses (T, V, 3) float32; frame numbers (T,) int64, consecutive; notes.
    """
    track = sorted(track, key=lambda item: item[0])
    numbers = np.array([n for n, _ in track], np.int64)
    cuts = np.flatnonzero(np.diff(numbers) > max_gap + 1) + 1
    pieces = np.split(np.arange(len(numbers)), cuts)
    piece = max(pieces, key=len)
    kept = numbers[piece]
    frames = np.arange(kept[0], kept[-1] + 1)
    poses = np.zeros((len(frames), *track[0][1].shape))
    poses[kept - kept[0]] = [track[i][1] for i in piece]

    seen = poses[..., 2] > 0
    for joint in range(poses.shape[1]):
        present = np.flatnonzero(seen[:, joint])
        for before, after in zip(present[:-1], present[1:], strict=True):
            gap = after - before - 1
            if 0 < gap <= max_gap:
                ends = poses[[before, after], joint]
                share = (np.arange(1, gap + 1) / (gap + 1))[:, None]
                poses[before + 1 : after, joint] = (1 - share) * ends[0] + share * ends[1]
                poses[before + 1 : after, joint, 2] = ends[:, 2].min()
    in_frames = (~seen & (poses[..., 2] > 0))[kept - kept[0]]
    notes = {
        "frames left out, beyond a long gap": len(numbers) - len(kept),
        "frames interpolated": len(frames) - len(kept),
        "joints interpolated in other frames": int(in_frames.sum()),
    }
    return poses.astype(np.float32), frames, {what: n for what, n in notes.items() if n}


def resample(poses: np.ndarray, rate: float, target: float) -> tuple[np.ndarray, np.ndarray]:
    """Poses at another frame rate, by linear interpolation between neighbouring frames.

    A joint missing in one of the two neighbours is taken from the nearer, missing or not.

    Args:
      poses: (T, V, 3) at `rate` frames a second.

    Returns:
      (T', V, 3) float32 at `target` frames a second, and the (T',) nearest frames.
    """
    last = len(poses) - 1
    times = np.arange(int(last * target / rate + 1e-9) + 1) * (rate / target)
    low = np.minimum(times.astype(int), last)
    high = np.minimum(low + 1, last)
    share = np.clip(times - low, 0.0, 1.0)[:, None, None]
    between = (1 - share) * poses[low] + share * poses[high]
    nearest = np.where(times - low < 0.5, low, high)
    both = (poses[low, :, 2] > 0) & (poses[high, :, 2] > 0)
    return np.where(both[..., None], between, poses[nearest]).astype(np.float32), nearest
