"""Van Criekinge's walks: 138 able-bodied people and 50 after a stroke, filmed by virtual cameras.

Source: T. Van Criekinge et al., Scientific Data 10:852 (2023); figshare collection 6503791, CC0.
Vicon, 100 frames a second, markers of the full Plug-in Gait model and the joint centres that it
computes. Each pass of a person's one session becomes one type, "ab-00" (able-bodied) or "st-00"
(after a stroke), in the order of the files. Written from descriptions of the archive and tried
on made-up files alone.
"""

import argparse
import functools
import re
from collections import Counter
from collections.abc import Iterator

import numpy as np

from gaitjax.data.sets import by_number
from gaitjax.errors import DataError
from gaitjax.prepare import filming, source
from gaitjax.prepare.driver import Job, Made, Plan
from gaitjax.prepare.filming import Studio
from gaitjax.skeleton import COCO
from gaitjax.untrusted import safe_c3d

HELP = """Walks of 138 able-bodied people and 50 after a stroke (Van Criekinge et al., 2023; CC0).
--source holds the two archives of figshare collection 6503791, unpacked:
    138_HealthyPiG_10.05/SUBJ01/SUBJ1 (1).c3d   ...   50_StrokePiG/TVC03/BWA6.c3d   ...
or one of them. Needs pip install 'gaitjax[c3d]'. Not run on the real archives yet.

example: python -m gaitjax.prepare van_criekinge --source figshare --output van_criekinge
"""
HOLDS = ("*/SUBJ*/*.c3d", "*/TVC*/*.c3d", "SUBJ*/*.c3d", "TVC*/*.c3d")  # files below --source

_DEPTH = 3  # folders within each other, at most, above those of the people
_PEOPLE = {"ab": re.compile(r"(SUBJ)0*(\d{1,4})"), "st": re.compile(r"(TVC)-?0*(\d{1,4})")}
# A pass by its file's name; number 0 of an able-bodied person is the static trial.
_PASSES = {
    "ab": re.compile(r"SUBJ\d+ *\(0*([1-9]\d*)\)\.c3d", re.IGNORECASE),
    "st": re.compile(r"BWA[ _-]*(\d+)\.c3d", re.IGNORECASE),
}

# COCO joint -> the joint centre of Plug-in Gait: a segment's origin (O), or the end of the axis
# that leads from it to the body (P).
_CENTRES = {
    "shoulder": "HUP",
    "elbow": "HUO",
    "wrist": "RAO",
    "hip": "FEP",
    "knee": "FEO",
    "ankle": "TIO",
}
_HEAD = ("LFHD", "RFHD", "LBHD", "RBHD")  # markers on the left and right front and back
_BELOW = 0.07  # metres from the middle of those markers down to the middle of the head


def add_arguments(parser: argparse.ArgumentParser) -> None:
    filming.add_arguments(parser)


def plan(args: argparse.Namespace) -> Plan:
    safe_c3d.library()  # before everybody is dropped for want of it
    studio = filming.studio(args)
    jobs, sets, notes = [], {"train": [], "test": []}, Counter()
    for kind, label, folder in sorted(_people(args.source), key=lambda p: source.natural(p[1])):
        names = source.files(args.source, folder)
        numbers = {name: m[1] for name in names if (m := _PASSES[kind].fullmatch(name))}
        notes["C3D files that are no pass, as static trials"] += sum(
            name.lower().endswith(".c3d") and name not in numbers for name in names
        )
        passes = sorted(numbers, key=lambda name: (int(numbers[name]), name))
        for index, name in enumerate(passes):
            jobs += [
                Job(label, f"{kind}-{index:02d}", view, (f"{folder}/{name}",))
                for view in args.cameras
            ]
        if passes:  # nobody after a stroke trains
            sets["test" if kind == "st" else by_number(label)].append(label)
    partition = {f"{name.upper()}_SET": labels for name, labels in sets.items()}
    return Plan(jobs, functools.partial(make, args.source, studio), partition, dict(+notes))


def _people(root: str, folder: str = "", depth: int = 0) -> Iterator[tuple[str, str, str]]:
    """The kind ("ab", "st"), the label and the folder of everybody."""
    for name in source.folders(root, folder):
        inner = f"{folder}/{name}".lstrip("/")
        for kind, pattern in _PEOPLE.items():
            if match := pattern.fullmatch(name):
                yield kind, f"{match[1]}{int(match[2]):03d}", inner
                break
        else:
            if depth < _DEPTH:
                yield from _people(root, inner, depth + 1)


def make(root: str, studio: Studio, job: Job) -> Made:
    """One pass as one camera sees it: (T, 17, 3) float32."""
    points, doubt = walk(source.resolve(root, job.files[0]))
    rng = np.random.default_rng((studio.seed, *job.name.encode()))
    poses, notes = filming.film(points, float(job.view), studio, rng)
    return Made(poses, notes | ({"sequences of no straight walk ahead, kept": 1} if doubt else {}))


@functools.lru_cache(maxsize=2)  # the views of a pass come one after the other
def walk(path: str) -> tuple[np.ndarray, str]:
    """COCO joints (T, 17, 3) of a pass, as `filming.along` has them, and why it is not straight.

    From the first frame in which both hips are known to the last.

    Raises:
      DataError: as `safe_c3d.read`; a point that is needed is not there; no body, no walk.
    """
    rate, points = safe_c3d.read(path)
    names = {
        f"{side}_{joint}": f"{side[0].upper()}{centre}"
        for side in ("left", "right")
        for joint, centre in _CENTRES.items()
    }
    if missing := [name for name in (*names.values(), *_HEAD) if name not in points]:
        raise DataError(
            f"{path}: no point {', '.join(missing[:4])} ({len(missing)} missing); expected the "
            "joint centres of Plug-in Gait and the four markers of the head"
        )
    joints = {joint: points[name] for joint, name in names.items()}
    root = (joints["left_hip"] + joints["right_hip"]) / 2
    known = np.flatnonzero(~np.isnan(root).any(axis=1))
    if len(known) < 2:
        raise DataError(f"{path}: the hips are in {len(known)} frames; expected a walk")
    joints |= _face(*(points[name] for name in _HEAD))
    every = np.stack([joints[name] for name in COCO.joints], axis=1)[known[0] : known[-1] + 1]
    hips = every[:, [COCO.joints.index("left_hip"), COCO.joints.index("right_hip")]]
    whole = hips[~np.isnan(hips).any(axis=(1, 2))]
    doubt = filming.crooked(whole.mean(axis=1), whole[:, 0] - whole[:, 1], filming.Z_UP, rate)
    every, root = filming.at_fps(every, rate), filming.at_fps(hips.mean(axis=1), rate)
    root = root[~np.isnan(root).any(axis=1)]
    found = filming.along(every, root, filming.Z_UP, path)
    filming.check_body(found, path)
    return found, doubt


def _face(*markers: np.ndarray) -> dict[str, np.ndarray]:
    """The face's COCO joints (T, 3) from the markers `_HEAD`: their frame is that of the head."""
    left_front, right_front, left_back, right_back = markers
    ahead = _unit(left_front + right_front - left_back - right_back)
    left = left_front + left_back - right_front - right_back
    left = _unit(left - (left * ahead).sum(axis=1, keepdims=True) * ahead)
    up = np.cross(ahead, left)
    middle = np.mean(markers, axis=0) - _BELOW * up
    return filming.face(middle, np.stack([left, up, ahead], axis=-1))


def _unit(vectors: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore", divide="ignore"):  # NaN: the head is not known
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
