"""The open benchmark: walks of CMU's motion-capture database, filmed by virtual cameras.

Each trial becomes one type, numbered from 00 in the order of a subject's trials, and each
camera one view, its azimuth in degrees: 000 from the front, 090 from the walker's left. The
joints and their motion are real. The cameras, the face and the errors of the pose estimator
are made up here, from the seed, subject, trial and view alone. docs/cmu_walks.md says how.
"""

import argparse
import functools
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gaitjax.data import cameras
from gaitjax.errors import DataError
from gaitjax.prepare import fetch
from gaitjax.prepare.driver import Job, Made, Plan
from gaitjax.prepare.sets import asf, cmu_trials
from gaitjax.skeleton import COCO
from gaitjax.untrusted import safe_json

HELP = """Walks of the CMU Graphics Lab Motion Capture Database, which anyone may use.
--source holds what CMU's "all asf's and amc's" zip holds, or the part of it needed:
    02/02.asf   02/02_01.amc   02/02_02.amc   ...
Without --source the 83 files needed (20 MB) are fetched from mocap.cs.cmu.edu.

example: python -m gaitjax.prepare cmu_walks --output cmu_walks
"""
HOLDS = ("*/*.asf",)  # files below --source

VIEWS = ("000", "030", "060", "090", "180", "270")
IMAGE = (1000, 1000)  # pixels
_CAPTURED, _FPS = 120, 30  # frames a second: of the database, of the poses
_LOOK_AT = 0.95  # metres above the floor: the middle of a body
_RESOLUTION = 520.0  # focal length at which cameras.estimate judges errors
_URL = "http://mocap.cs.cmu.edu/subjects"

# COCO joint -> the bone that ends there. The database halves the forearm: lradius, then
# lwrist, which only twists, and at whose end the hand bends.
_BONES = {
    "left_shoulder": "lclavicle",
    "right_shoulder": "rclavicle",
    "left_elbow": "lhumerus",
    "right_elbow": "rhumerus",
    "left_wrist": "lwrist",
    "right_wrist": "rwrist",
    "left_hip": "lhipjoint",
    "right_hip": "rhipjoint",
    "left_knee": "lfemur",
    "right_knee": "rfemur",
    "left_ankle": "ltibia",
    "right_ankle": "rtibia",
}
# COCO joint -> metres to the left, up and ahead of the middle of the head bone.
_FACE = {
    "nose": (0.0, 0.0, 0.11),
    "left_eye": (0.03, 0.04, 0.09),
    "right_eye": (-0.03, 0.04, 0.09),
    "left_ear": (0.075, 0.02, 0.0),
    "right_ear": (-0.075, 0.02, 0.0),
}


class Studio(NamedTuple):
    """How walks are filmed: metres, pixels; `exact` leaves all that is random out."""

    distance: float = 7.0
    height: float = 1.5
    focal: float = 1150.0
    seed: int = 0
    exact: bool = False


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    studio = Studio()
    add(
        "--cameras",
        metavar="LIST",
        type=cameras.azimuths,
        default=VIEWS,
        help=f"azimuths (default {','.join(VIEWS)})",
    )
    add(
        "--distance",
        metavar="M",
        type=float,
        default=studio.distance,
        help="metres (default %(default)s)",
    )
    add(
        "--height",
        metavar="M",
        type=float,
        default=studio.height,
        help="metres (default %(default)s)",
    )
    add(
        "--focal",
        metavar="PX",
        type=float,
        default=studio.focal,
        help="pixels (default %(default)s)",
    )
    add(
        "--seed",
        metavar="N",
        type=int,
        default=studio.seed,
        help="of cameras and errors (default 0)",
    )
    add("--exact", action="store_true", help="cameras just there, joints seen without error")
    add(
        "--trials",
        metavar="FILE",
        help='other trials: a JSON file, {"12_01": "its description", ...}',
    )
    add(
        "--download",
        metavar="DIR",
        default="~/.cache/gaitjax/cmu",
        help="keeps what is fetched (%(default)s)",
    )
    add("--url", default=_URL, help="where to fetch it (%(default)s)")


def plan(args: argparse.Namespace) -> Plan:
    studio = Studio(args.distance, args.height, args.focal, args.seed, args.exact)
    if not (studio.distance > 0 and studio.focal > 0 and studio.height == studio.height):
        raise DataError(
            f"distance {studio.distance}, height {studio.height}, focal {studio.focal}; expected "
            "distance and focal above 0"
        )
    if studio.seed < 0:
        raise DataError(f"seed {studio.seed}; expected 0 or more")
    trials = (
        _trials(args.trials) if args.trials else {t: d for t, (d, _) in cmu_trials.TRIALS.items()}
    )
    subjects = sorted({_subject(trial) for trial in trials}, key=int)
    files = {f"{s}/{s}.asf": cmu_trials.SUBJECTS.get(s, (None, None))[1] for s in subjects}
    for trial in trials:
        known = cmu_trials.TRIALS.get(trial, (None, None))[1]
        files[f"{_subject(trial)}/{trial}.amc"] = known
    if args.source:
        root, notes = _local(Path(args.source), files)
    else:
        root, notes = Path(args.download).expanduser(), {}
        for number, (file, sha256) in enumerate(files.items(), start=1):
            if not (root / file).exists():
                print(f"fetching {number} of {len(files)}: {args.url}/{file}", flush=True)
            fetch.fetch(f"{args.url}/{file}", root / file, sha256)
    jobs = []
    for subject in subjects:
        own = sorted((t for t in trials if _subject(t) == subject), key=_number)
        for index, trial in enumerate(own):
            jobs += [
                Job(
                    _label(subject),
                    f"{index:02d}",
                    view,
                    (f"{subject}/{subject}.asf", f"{subject}/{trial}.amc"),
                )
                for view in args.cameras
            ]
    sets = {s: cmu_trials.SUBJECTS.get(s, (_by_number(s),))[0] for s in subjects}
    partition = {
        f"{name.upper()}_SET": [_label(s) for s in subjects if sets[s] == name]
        for name in ("train", "test")
    }
    return Plan(jobs, functools.partial(make, root, studio), partition, notes)


def make(root: Path, studio: Studio, job: Job) -> Made:
    """One trial as one camera sees it: (T, 17, 3) float32."""
    skeleton, motion = job.files
    points = walk(str(root / skeleton), str(root / motion))
    stem = Path(motion).stem
    key = (studio.seed, int(_subject(stem)), _number(stem), int(job.view))
    poses, notes = film(points, float(job.view), studio, np.random.default_rng(key))
    return Made(poses, notes)


@functools.lru_cache(maxsize=2)  # the views of a trial come one after the other
def walk(skeleton: str, motion: str) -> np.ndarray:
    """COCO joints (T, 17, 3) of a trial in metres: x ahead, y to the left, z up.

    The walk, at 30 frames a second, leads along x and its middle lies at x = y = 0. Ahead is
    where the body has gone between the first frame and the last.

    Raises:
      DataError: files that cannot be read, a skeleton without the bones needed, less than
        half a metre walked.
    """
    bones = asf.read_skeleton(skeleton)
    pose = asf.pose(bones, asf.read_motion(motion, bones))
    missing = [name for name in (*_BONES.values(), "head", "upperneck") if name not in pose]
    if missing:
        raise DataError(f"{skeleton}: no bone {', '.join(missing)}; not a skeleton of the database")
    head, middle = pose["head"], (pose["upperneck"].end + pose["head"].end) / 2
    joints = {name: pose[bone].end for name, bone in _BONES.items()}
    joints |= {name: middle + head.turn @ np.array(offset) for name, offset in _FACE.items()}
    points = np.stack([joints[name] for name in COCO.joints], axis=1)[:: _CAPTURED // _FPS]
    root = pose[asf.ROOT].end[:: _CAPTURED // _FPS]
    path = root[-1] - root[0]
    length = np.hypot(path[0], path[2])
    if length < 0.5:
        raise DataError(f"{motion}: {length:.2f} metres from its start to its end: no walk")
    ahead = np.array([path[0], 0, path[2]]) / length
    up = np.array([0.0, 1, 0])
    points = points - (root[0] + root[-1]) / 2 * [1, 0, 1]
    return points @ np.stack([ahead, np.cross(up, ahead), up], axis=1)


def film(
    points: np.ndarray, azimuth: float, studio: Studio, rng: np.random.Generator
) -> tuple[np.ndarray, dict[str, int]]:
    """What one standing camera sees of a walk: (T, 17, 3) float32 poses, and notes.

    The camera looks at the middle of the walk. Unless `studio.exact`, it stands a little off
    its place and the joints are found with errors that grow with the joint's speed.
    """
    azimuth, distance, height = np.radians(azimuth), studio.distance, studio.height
    aim = np.array([[0, 0, _LOOK_AT]])
    if not studio.exact:
        azimuth += np.radians(2.0) * rng.standard_normal()
        distance *= 1 + 0.04 * rng.uniform(-1, 1)
        height += 0.05 * rng.standard_normal()
        aim = aim + 0.05 * rng.standard_normal((1, 3))
    camera = np.array([[distance * np.cos(azimuth), distance * np.sin(azimuth), height]])
    pixels, depth = cameras.project(points, camera, aim, studio.focal, IMAGE)
    if depth.min() < 0.5:
        raise DataError(
            f"the walk comes to {depth.min():.1f} metres of the camera; give more --distance"
        )
    outside = ((pixels[0] < 0) | (pixels[0] > IMAGE)).any(axis=-1)
    if studio.exact:
        poses = np.concatenate([pixels, np.ones((*depth.shape, 1))], axis=-1)[0]
    else:
        body = pixels[..., 1].max(axis=-1) - pixels[..., 1].min(axis=-1)
        change = np.gradient(pixels, axis=1) if len(points) > 1 else np.zeros_like(pixels)
        speed = np.linalg.norm(change, axis=-1) / body[..., None]  # bodies a frame
        scale = _RESOLUTION / studio.focal
        poses = cameras.estimate(pixels, depth, 1 + 10 * speed, rng, scale)[0]
    missed = (poses == 0).all(axis=-1) & ~outside
    poses[outside] = 0
    counts = {"joints missed": missed.sum(), "joints outside the image": outside.sum()}
    return poses.astype(np.float32), {why: int(n) for why, n in counts.items() if n}


def _local(source: Path, files: dict[str, str | None]) -> tuple[Path, dict[str, int]]:
    """The folder that holds the files, and what is odd about them."""
    missing = [file for file in files if not (source / file).is_file()]
    if missing:
        raise DataError(
            f"{source} (--source): {missing[0]} is missing, {len(missing)} of {len(files)} files "
            "in all; leave --source out to fetch them, or list what you have with --trials"
        )
    other = sum(fetch.digest(source / file) != known for file, known in files.items() if known)
    return source, {"files that differ from those recorded": other} if other else {}


def _trials(path: str) -> dict[str, str]:
    """Trials and descriptions of a JSON file."""
    expected = 'expected {"12_01": "walk", ...}: trial, description'
    try:
        content = safe_json.load(path, 1 << 20)
    except DataError as error:
        raise DataError(f"{error} (--trials: {expected})") from error.__cause__
    if not isinstance(content, dict) or not content:
        raise DataError(f"{path} (--trials): found no trials; {expected}")
    for trial, description in content.items():
        if not re.fullmatch(r"\d{2,3}_\d{2,3}", trial) or not isinstance(description, str):
            raise DataError(f"{path} (--trials): found {trial!r}: {description!r}; {expected}")
    return content


def _subject(trial: str) -> str:
    return trial.partition("_")[0]


def _number(trial: str) -> int:
    return int(trial.partition("_")[2])


def _label(subject: str) -> str:
    return f"{int(subject):03d}"


def _by_number(subject: str) -> str:
    """Subjects outside the benchmark: odd ones train."""
    return "train" if int(subject) % 2 else "test"
