"""CU Denver's walks: 100 people seen by a Kinect v2, about 30 walks each, in virtual cameras.

Source: L. Konz et al., "ST-DeepGait", Sensors 22:8075 (2022); cse.ucdenver.edu/~bdlab/datasets/gait
tells the form of the text: for each frame 20 lines, one a joint, with the joint's name, its place
x y z in metres, and a rotation x y z w; 30 frames a second, smoothed over time by its makers.
Places are in the Kinect's axes: x to its left, y up, z away from it.

How the files are called is not published. Assumed: a person is a number, the name of a folder or
the beginning of the file's name; sorted by name, walks are types 00, 01, ... That numbers stand
apart by blanks, tabs or commas is assumed too. The sensor's tilt is not told either: the floor is
taken to be level along the walk, and the lowest joint to stand on it. Tried on made-up files alone.
"""

import argparse
import functools
import re
from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from gaitjax.data.sets import by_number
from gaitjax.errors import DataError
from gaitjax.prepare import filming, source
from gaitjax.prepare.driver import Job, Made, Plan
from gaitjax.prepare.filming import Studio
from gaitjax.skeleton import COCO, KINECT, convert

HELP = """CU Denver's gait data: 100 people seen by a Kinect v2 (Konz et al., 2022; to be cited).
--source holds the text files, of 20 lines a frame; a number names the person:
    10267/1.txt   10267/2.txt   10555/1.txt   ...     or 10267_1.txt   10267_2.txt   ...
How the real files are called is not known here: rename them so. Not run on the real ones yet.

example: python -m gaitjax.prepare cu_denver --source gait --output cu_denver
"""
HOLDS = ("*.txt", "*/*.txt")  # files below --source

_DEPTH = 3  # folders within each other, at most
_BY_NAME = re.compile(r"(\d+)[ _-].*\.txt", re.IGNORECASE)
_NAMES = (  # of the joints of KINECT, in its order
    "Head", "Shoulder-Center", "Shoulder-Right", "Shoulder-Left", "Elbow-Right", "Elbow-Left",
    "Wrist-Right", "Wrist-Left", "Hand-Right", "Hand-Left", "Spine", "Hip-Center", "Hip-Right",
    "Hip-Left", "Knee-Right", "Knee-Left", "Ankle-Right", "Ankle-Left", "Foot-Right", "Foot-Left",
)  # fmt: skip
_JOINT = {name.lower(): index for index, name in enumerate(_NAMES)}
_FAR = 20.0  # metres: a Kinect sees people up to 4.5
_STEEPEST = 0.6  # metres up a metre: more than a sensor that sees a whole body is tilted


def add_arguments(parser: argparse.ArgumentParser) -> None:
    filming.add_arguments(parser)
    parser.add_argument(
        "--joints",
        type=int,
        choices=(COCO.num_joints, KINECT.num_joints),
        default=COCO.num_joints,
        help=f"{COCO.num_joints} of COCO (default): nose, eyes and ears are missing, for the "
        f"Kinect gives the middle of the head; or the Kinect's own {KINECT.num_joints}",
    )


def plan(args: argparse.Namespace) -> Plan:
    studio = filming.studio(args)
    walks: dict[str, list[str]] = defaultdict(list)
    for person, path in _texts(args.source):
        walks[person].append(path)
    jobs = [
        Job(person, f"{index:02d}", view, (path,))
        for person in sorted(walks, key=source.natural)
        for index, path in enumerate(sorted(walks[person], key=source.natural))
        for view in args.cameras
    ]
    partition = {
        f"{name.upper()}_SET": [
            p for p in sorted(walks, key=source.natural) if by_number(p) == name
        ]
        for name in ("train", "test")
    }
    return Plan(jobs, functools.partial(make, args.source, studio, args.joints), partition)


def _texts(root: str, folder: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    """The person and the path below `root` of every text file; DataError: whose it is not told."""
    inside = folder.rpartition("/")[2]
    for name in source.files(root, folder, "*.[tT][xX][tT]"):
        path = f"{folder}/{name}".lstrip("/")
        match = _BY_NAME.fullmatch(name)
        if re.fullmatch(r"\d+", inside):
            yield inside, path
        elif match:
            yield match[1], path
        elif not name.lower().startswith("readme"):
            raise DataError(
                f"{root}/{path}: whose walk is it? Expected a folder or a beginning of the name "
                "that is the person's number, as in 10267/1.txt or 10267_1.txt; rename it so"
            )
    if depth < _DEPTH:
        for name in source.folders(root, folder):
            yield from _texts(root, f"{folder}/{name}".lstrip("/"), depth + 1)


def make(root: str, studio: Studio, joints: int, job: Job) -> Made:
    """One walk as one camera sees it: (T, `joints`, 3) float32."""
    points, doubt = walk(root, job.files[0])
    rng = np.random.default_rng((studio.seed, *job.name.encode()))
    poses, notes = filming.film(points, float(job.view), studio, rng)
    if joints == COCO.num_joints:
        poses = convert(KINECT, COCO, partial=True)(poses)
    return Made(poses, notes | ({"sequences of no straight walk ahead, kept": 1} if doubt else {}))


@functools.lru_cache(maxsize=2)  # the views of a walk come one after the other
def walk(root: str, path: str) -> tuple[np.ndarray, str]:
    """Joints of KINECT (T, 20, 3), as `filming.along` has them, and why it is not straight.

    Raises:
      DataError: as `read`; no body, no walk, one that seems to climb.
    """
    points, where = read(source.read(root, path), f"{root}/{path}"), f"{root}/{path}"
    hips = points[:, [KINECT.joints.index("left_hip"), KINECT.joints.index("right_hip")]]
    known = np.flatnonzero(~np.isnan(hips).any(axis=(1, 2)))
    if len(known) < 2:
        raise DataError(f"{where}: the hips are in {len(known)} frames; expected a walk")
    points = _levelled(points[known[0] : known[-1] + 1], hips[known].mean(axis=1), where)
    hips = _levelled(hips[known], hips[known].mean(axis=1), where)
    doubt = filming.crooked(hips.mean(axis=1), hips[:, 0] - hips[:, 1], filming.Z_UP, filming.FPS)
    found = filming.along(points, hips.mean(axis=1), filming.Z_UP, where)
    filming.check_body(found, where)
    found[..., 2] -= np.nanpercentile(np.nanmin(found[..., 2], axis=1), 5)
    return found, doubt


def read(data: bytes, where: str) -> np.ndarray:
    """Places of the joints of KINECT in a text file, (T, 20, 3) metres; NaN where all are 0.

    Raises:
      DataError: a line or a frame that is not as the data's page says.
    """
    rows = [line.replace(",", " ").split() for line in data.decode("latin-1").splitlines()]
    lines = [(number, words) for number, words in enumerate(rows, start=1) if words]

    def wrong(number: int, found: str) -> DataError:
        return DataError(
            f"{where}, line {number}: found {found}; expected 20 lines a frame, each with a "
            f"joint's name ({', '.join(_NAMES[:2])}, ...), three numbers of its place, four of its "
            "turn"
        )

    if not lines or len(lines) % len(_NAMES):
        raise wrong(rows and len(rows) or 1, f"{len(lines)} lines in all")
    points = np.full((len(lines) // len(_NAMES), len(_NAMES), 3), np.nan)
    for index, (number, words) in enumerate(lines):
        joint = _JOINT.get(words[0].lower())
        frame = index // len(_NAMES)
        if joint is None or not np.isnan(points[frame, joint, 0]):
            raise wrong(number, f"{words[0][:40]!r}" + (" again" if joint is not None else ""))
        try:
            values = [float(word) for word in words[1:]]
        except ValueError as error:
            raise wrong(number, str(error)[:60]) from None
        if len(values) != 7 or not all(abs(value) < _FAR for value in values):
            raise wrong(number, f"{' '.join(words)[:60]!r}")
        points[frame, joint] = values[:3]
    points[(points == 0).all(axis=-1)] = np.nan
    return points


def _levelled(points: np.ndarray, root: np.ndarray, where: str) -> np.ndarray:
    """`points` (T, ..., 3), y up, as x ahead, y left, z up, with the way of `root` level."""
    path = root[-1] - root[0]
    length = np.hypot(path[0], path[2])
    if not length >= 0.5 or abs(path[1]) > _STEEPEST * length:
        raise DataError(
            f"{where}: from start to end {length:.2f} metres ahead and {path[1]:.2f} up: no walk"
        )
    ahead = np.array([path[0], 0, path[2]]) / length
    left = np.cross([0.0, 1, 0], ahead)
    ahead = path / np.linalg.norm(path)
    return points @ np.stack([ahead, left, np.cross(ahead, left)], axis=1)
