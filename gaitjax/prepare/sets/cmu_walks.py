"""The open benchmark: walks of CMU's motion-capture database, filmed by virtual cameras.

Each trial becomes one type, numbered from 00 in the order of a subject's trials, and each
camera one view, its azimuth in degrees: 000 from the front, 090 from the walker's left.
docs/cmu_walks.md says more.
"""

import argparse
import functools
import re
from pathlib import Path

import numpy as np

from gaitjax.data.sets import by_number
from gaitjax.errors import DataError
from gaitjax.prepare import fetch, filming
from gaitjax.prepare.driver import Job, Made, Plan
from gaitjax.prepare.filming import Studio
from gaitjax.prepare.sets import asf, cmu_trials
from gaitjax.skeleton import COCO
from gaitjax.untrusted import safe_json

HELP = """Walks of the CMU Graphics Lab Motion Capture Database, which anyone may use.
--source holds CMU's "all asf's and amc's" zip, or a part (02/02.asf, 02/02_01.amc, ...);
without it the 83 files needed (20 MB) are fetched from mocap.cs.cmu.edu.

example: python -m gaitjax.prepare cmu_walks --output cmu_walks
"""
HOLDS = ("*/*.asf",)  # files below --source

ORIGINAL, ALL = "original", "all"  # lists of trials
_CAPTURED = 120  # frames a second of the database
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


def add_arguments(parser: argparse.ArgumentParser) -> None:
    filming.add_arguments(parser)
    add = parser.add_argument
    add(
        "--trials",
        metavar="LIST",
        help=f'{ORIGINAL} (69), {ALL} (145 walks, of --source) or a JSON, {{"12_01": "walk"}}',
    )
    add(
        "--download",
        metavar="DIR",
        default="~/.cache/gaitjax/cmu",
        help="keeps what is fetched (%(default)s)",
    )
    add("--url", default=_URL, help="where to fetch it (%(default)s)")


def plan(args: argparse.Namespace) -> Plan:
    studio = filming.studio(args)
    if args.trials == ALL:
        root, trials, notes = _whole(args.source)
    else:
        root, trials, notes = _given(args)
    jobs = []
    subjects = sorted({_subject(trial) for trial in trials}, key=int)
    for subject in subjects:
        own = sorted((t for t in trials if _subject(t) == subject), key=_number)
        for index, trial in enumerate(own):
            jobs += [
                Job(_label(subject), f"{index:02d}", view, _files(trial)) for view in args.cameras
            ]
    partition = {
        f"{name.upper()}_SET": [_label(s) for s in subjects if _set(s, args.trials) == name]
        for name in ("train", "test")
    }
    return Plan(jobs, functools.partial(make, root, studio), partition, notes)


def make(root: Path, studio: Studio, job: Job) -> Made:
    """One trial as one camera sees it: (T, 17, 3) float32."""
    skeleton, motion = job.files
    points = walk(str(root / skeleton), str(root / motion))
    stem = Path(motion).stem
    key = (studio.seed, int(_subject(stem)), _number(stem), int(job.view))
    poses, notes = filming.film(points, float(job.view), studio, np.random.default_rng(key))
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
    joints |= filming.face(middle, head.turn)
    points = filming.at_fps(np.stack([joints[name] for name in COCO.joints], axis=1), _CAPTURED)
    root = filming.at_fps(pose[asf.ROOT].end, _CAPTURED)
    return filming.along(points, root, filming.Y_UP, motion)


def crooked(skeleton: str, motion: str) -> str:
    """Why a trial is not one straight walk ahead, or ""; as `walk`, a file must be readable."""
    bones = asf.read_skeleton(skeleton)
    pose = asf.pose(bones, asf.read_motion(motion, bones, root_alone=True))
    left = pose["lhipjoint"].end - pose["rhipjoint"].end
    return filming.crooked(pose[asf.ROOT].end, left, filming.Y_UP, _CAPTURED)


def _given(args: argparse.Namespace) -> tuple[Path, list[str], dict[str, int]]:
    """The folder of files, the trials of the original list or of a JSON file, and notes."""
    trials = list(cmu_trials.TRIALS if args.trials in (None, ORIGINAL) else _trials(args.trials))
    subjects = sorted({_subject(trial) for trial in trials}, key=int)
    files = {f"{s}/{s}.asf": cmu_trials.SUBJECTS.get(s, (None, None))[1] for s in subjects}
    for trial in trials:
        files[_files(trial)[1]] = cmu_trials.TRIALS.get(trial, (None, None))[1]
    if args.source:
        root, notes = _local(Path(args.source), files)
        return root, trials, notes
    root = Path(args.download).expanduser()
    for number, (file, sha256) in enumerate(files.items(), start=1):
        if not (root / file).exists():
            print(f"fetching {number} of {len(files)}: {args.url}/{file}", flush=True)
        fetch.fetch(f"{args.url}/{file}", root / file, sha256)
    return root, trials, {}


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


def _whole(source: str | None) -> tuple[Path, list[str], dict[str, int]]:
    """The folder of files, the trials of the whole list that can be used, and notes on the others.

    Raises:
      DataError: no source, or none of the trials in it.
    """
    if not source:
        raise DataError(
            f"--trials {ALL} needs --source: CMU's \"all asf's and amc's\" zip, unpacked or not; "
            "its files are too many to fetch from a site that asks not to be crawled"
        )
    root, kept, notes = Path(source), [], {}
    held = [t for t in cmu_trials.WHOLE if all((root / file).is_file() for file in _files(t))]
    if not held:
        raise DataError(
            f"{source} (--source): none of the {len(cmu_trials.WHOLE)} trials of --trials {ALL} is "
            "there, such as 02/02_01.amc beside 02/02.asf"
        )
    if lost := len(cmu_trials.WHOLE) - len(held):
        notes["trials of the list that the source does not hold"] = lost
    for trial in held:
        try:
            reason = crooked(*(str(root / file) for file in _files(trial)))
        except DataError as error:
            if isinstance(error.__cause__, OSError):
                raise
            reason = str(error)
        if reason:
            notes[f"trial {trial} left out, no straight walk: {reason}"] = 1
        else:
            kept.append(trial)
    return root, kept, notes


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


def _files(trial: str) -> tuple[str, str]:
    """Skeleton and motion, below the source."""
    return f"{_subject(trial)}/{_subject(trial)}.asf", f"{_subject(trial)}/{trial}.amc"


def _set(subject: str, trials: str | None) -> str:
    """The set that a subject belongs to: "train" or "test"."""
    if trials == ALL:
        return "train" if subject in cmu_trials.WHOLE_SETS["train"] else "test"
    return cmu_trials.SUBJECTS.get(subject, (by_number(subject),))[0]
