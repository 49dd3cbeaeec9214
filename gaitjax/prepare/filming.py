"""Walks recorded in three dimensions, filmed by virtual cameras: COCO poses, 30 frames a second.

Shared by the sets that motion capture or a depth camera made. The joints and their motion are
real. The cameras, the face and the errors of the pose estimator are made up, from the seed and
the name of the sequence alone. Coordinates are metres; what was not captured is NaN.
docs/cmu_walks.md says how it looks.
"""

import argparse
from typing import NamedTuple

import numpy as np

from gaitjax.data import cameras
from gaitjax.errors import DataError

VIEWS = ("000", "030", "060", "090", "180", "270")
IMAGE = (1000, 1000)  # pixels
FPS = 30  # frames a second of the poses
Y_UP, Z_UP = 1, 2  # the axis of a recording that points up; axes are right-handed
_LOOK_AT = 0.95  # metres above the floor: the middle of a body
_RESOLUTION = 520.0  # focal length at which cameras.estimate judges errors
DISTANCES, HEIGHTS = (5.0, 14.0), (0.5, 3.0)  # metres, of cameras that vary
SIZES = (0.25, 1.0)  # what their bodies measure in pixels, of those at `distance` and `focal`
_TALL = (0.9, 2.3)  # metres that a body may measure from its lowest joint to its highest

# COCO joint -> metres to the left, up and ahead of the middle of the head.
_FACE = {
    "nose": (0.0, 0.0, 0.11),
    "left_eye": (0.03, 0.04, 0.09),
    "right_eye": (-0.03, 0.04, 0.09),
    "left_ear": (0.075, 0.02, 0.0),
    "right_ear": (-0.075, 0.02, 0.0),
}

# What a straight walk ahead is: the hardest of 69 trials looked at has 1.3 %, 3.6 %, 10 degrees.
_DETOUR = 0.03  # how much longer than the line from start to end the path may be
_OFF_LINE = 0.05  # how far beside that line it may come, of its length
_ASKEW = 30.0  # degrees between where the body looks and where it goes
_FASTEST = 2.5  # metres a second: who is faster runs, or was recorded at another rate
_SMOOTH = 0.5  # seconds over which the sway of the steps is averaged out


class Studio(NamedTuple):
    """How walks are filmed: metres, pixels; `exact` leaves all that is random out.

    With `vary` distance, height and the size of bodies are drawn for each camera and walk
    (`DISTANCES`, `HEIGHTS`, `SIZES`).
    """

    distance: float = 7.0
    height: float = 1.5
    focal: float = 1150.0
    seed: int = 0
    exact: bool = False
    vary: bool = False


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `studio`, and --cameras."""
    usual = Studio()

    def add(flag: str, metavar: str, kind: type, help: str) -> None:
        default = getattr(usual, flag.removeprefix("--"))
        parser.add_argument(flag, metavar=metavar, type=kind, default=default, help=help)

    parser.add_argument(
        "--cameras",
        metavar="LIST",
        type=cameras.azimuths,
        default=VIEWS,
        help=f"azimuths (default {','.join(VIEWS)})",
    )
    add("--distance", "M", float, "metres (default %(default)s)")
    add("--height", "M", float, "metres (default %(default)s)")
    add("--focal", "PX", float, "pixels (default %(default)s)")
    add("--seed", "N", int, "of cameras and errors (default 0)")
    parser.add_argument(
        "--exact", action="store_true", help="cameras just there, joints seen without error"
    )
    parser.add_argument(
        "--vary",
        action="store_true",
        help="cameras anew for each walk, {:g} to {:g} m away, {:g} to {:g} high, "
        "sizes {:g} to {:g}".format(*DISTANCES, *HEIGHTS, *SIZES),
    )


def studio(args: argparse.Namespace) -> Studio:
    """The studio that the options name; DataError for one that cannot be."""
    made = Studio(args.distance, args.height, args.focal, args.seed, args.exact, args.vary)
    if not (made.distance > 0 and made.focal > 0 and made.height == made.height):
        raise DataError(
            f"distance {made.distance}, height {made.height}, focal {made.focal}; expected "
            "distance and focal above 0"
        )
    if made.seed < 0:
        raise DataError(f"seed {made.seed}; expected 0 or more")
    return made


def face(middle: np.ndarray, turn: np.ndarray) -> dict[str, np.ndarray]:
    """The face's COCO joints, (T, 3) each: made up, the same for everyone.

    Args:
      middle: (T, 3) of the head.
      turn: (T, 3, 3), columns to the left, up and ahead.
    """
    return {name: middle + turn @ np.array(offset) for name, offset in _FACE.items()}


def at_fps(points: np.ndarray, rate: float) -> np.ndarray:
    """(T, ...) recorded at `rate` frames a second, at FPS.

    Every n-th frame where that is possible, else on the line between two frames; what is not
    captured in one of them is not.
    """
    if rate % FPS == 0:
        return points[:: int(rate) // FPS]
    times = np.arange(int((len(points) - 1) * FPS / rate + 1e-9) + 1) * (rate / FPS)
    low = np.minimum(times.astype(int), len(points) - 1)
    high = np.minimum(low + 1, len(points) - 1)
    share = (times - low).reshape(-1, *[1] * (points.ndim - 1))
    return (1 - share) * points[low] + share * points[high]


def along(points: np.ndarray, root: np.ndarray, up: int, where: str) -> np.ndarray:
    """`points` (T, V, 3) turned and moved: x ahead, y to the walker's left, z up.

    The walk leads along x and its middle lies at x = y = 0. Ahead is where the body has gone
    between the first frame and the last.

    Args:
      root: (T, 3), where the body is.
      up: Y_UP or Z_UP.
      where: the file, for errors.

    Raises:
      DataError: less than half a metre walked.
    """
    level = np.ones(3)
    level[up] = 0
    path = (root[-1] - root[0]) * level
    length = np.hypot(*np.delete(path, up))
    if not length >= 0.5:
        raise DataError(f"{where}: {length:.2f} metres from its start to its end: no walk")
    upward = 1 - level
    ahead = path / length
    points = points - (root[0] + root[-1]) / 2 * level
    return points @ np.stack([ahead, np.cross(upward, ahead), upward], axis=1)


def check_body(points: np.ndarray, where: str) -> None:
    """DataError if `points` (T, V, 3), z up, are nothing as tall as a person."""
    tall = float(np.median(np.nanmax(points[..., 2], axis=1) - np.nanmin(points[..., 2], axis=1)))
    if not _TALL[0] <= tall <= _TALL[1]:
        raise DataError(
            f"{where}: a body {tall:.2f} metres tall; expected {_TALL[0]:g} to {_TALL[1]:g}. Is it "
            "of another unit of length, or with another axis upward, than expected?"
        )


def crooked(root: np.ndarray, left: np.ndarray, up: int, rate: float) -> str:
    """Why a walk is not one straight ahead, or "".

    Args:
      root: (T, 3), where the body is, `rate` frames a second.
      left: (T, 3), from the right hip to the left one.
      up: Y_UP or Z_UP.
    """
    width = max(min(int(_SMOOTH * rate), len(root) // 2), 1)
    level = [(up + 1) % 3, (up + 2) % 3]  # right-handed seen from above
    smooth = np.lib.stride_tricks.sliding_window_view(root[:, level], width, axis=0).mean(axis=-1)
    line = smooth[-1] - smooth[0]
    length, path = np.hypot(*line), np.hypot(*np.diff(smooth, axis=0).T).sum()
    if not length > 0 or path > (1 + _DETOUR) * length:
        return f"{path:.1f} metres walked to come {length:.1f} metres far"
    ahead = line / length
    beside = np.abs((smooth - smooth[0]) @ [-ahead[1], ahead[0]]).max()
    if beside > _OFF_LINE * length:
        return f"{beside:.2f} metres beside the line from start to end"
    sideways = left[:, level].mean(axis=0)
    looks = np.array([sideways[1], -sideways[0]])  # left turned right by a quarter
    askew = np.degrees(np.arccos(np.clip(looks @ ahead / np.hypot(*looks), -1, 1)))
    if askew > _ASKEW:
        return f"the body looks {askew:.0f} degrees beside where it goes"
    speed = length * rate / max(len(smooth) - 1, 1)
    return f"{speed:.1f} metres a second" if speed > _FASTEST else ""


def film(
    points: np.ndarray, azimuth: float, studio: Studio, rng: np.random.Generator | None
) -> tuple[np.ndarray, dict[str, int]]:
    """What one standing camera sees of a walk: (T, V, 3) float32 poses, and notes.

    The camera looks at the middle of the walk. Unless `studio.exact`, it stands a little off
    its place and the joints are found with errors that grow with the joint's speed. Joints
    that were not captured are missing, (0, 0, 0), as are those outside the image.

    Args:
      points: (T, V, 3) from `along`.

    Raises:
      DataError: the walk comes too near.
    """
    azimuth, distance, height = np.radians(azimuth), studio.distance, studio.height
    focal = size = studio.focal
    if studio.vary:
        assert rng is not None
        distance, height = rng.uniform(*DISTANCES), rng.uniform(*HEIGHTS)
        size *= rng.uniform(*SIZES)
        focal = size * distance / studio.distance
    aim = np.array([[0, 0, _LOOK_AT]])
    if not studio.exact:
        assert rng is not None
        azimuth += np.radians(2.0) * rng.standard_normal()
        distance *= 1 + 0.04 * rng.uniform(-1, 1)
        height += 0.05 * rng.standard_normal()
        aim = aim + 0.05 * rng.standard_normal((1, 3))
    camera = np.array([[distance * np.cos(azimuth), distance * np.sin(azimuth), height]])
    lost = np.isnan(points).any(axis=-1)
    points = _guessed(points, lost)
    pixels, depth = cameras.project(points, camera, aim, focal, IMAGE)
    if depth.min() < 0.5:
        raise DataError(
            f"the walk comes to {depth.min():.1f} metres of the camera; give more --distance"
        )
    outside = ((pixels[0] < 0) | (pixels[0] > IMAGE)).any(axis=-1) & ~lost
    if studio.exact:
        poses = np.concatenate([pixels, np.ones((*depth.shape, 1))], axis=-1)[0]
    else:
        assert rng is not None
        body = pixels[..., 1].max(axis=-1) - pixels[..., 1].min(axis=-1)
        change = np.gradient(pixels, axis=1) if len(points) > 1 else np.zeros_like(pixels)
        speed = np.linalg.norm(change, axis=-1) / body[..., None]  # bodies a frame
        scale = _RESOLUTION / size
        poses = cameras.estimate(pixels, depth, 1 + 10 * speed, rng, scale)[0]
    missed = (poses == 0).all(axis=-1) & ~outside & ~lost
    poses[outside | lost] = 0
    counts = {
        "joints missed": missed.sum(),
        "joints outside the image": outside.sum(),
        "joints not captured": lost.sum(),
    }
    return poses.astype(np.float32), {why: int(n) for why, n in counts.items() if n}


def _guessed(points: np.ndarray, lost: np.ndarray) -> np.ndarray:
    """`points` (T, V, 3) with the `lost` ones somewhere near, for as long as they are filmed.

    Between their neighbours in time; joints never captured in the middle of the others.
    """
    if not lost.any():
        return points
    points = np.where(lost[..., None], 0.0, points)
    never = lost.all(axis=0)
    for joint in np.flatnonzero(lost.any(axis=0) & ~never):
        gaps, seen = np.flatnonzero(lost[:, joint]), np.flatnonzero(~lost[:, joint])
        for axis in range(3):
            points[gaps, joint, axis] = np.interp(gaps, seen, points[seen, joint, axis])
    points[:, never] = points[:, ~never].mean(axis=1, keepdims=True)
    return points
