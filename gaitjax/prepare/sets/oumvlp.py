"""OUMVLP-Pose: a json of people for each frame (An et al., 2020; specification section 10.1).

Frames without a person are dropped; the time gap is not marked. Of several people in a
frame the walker is chosen by `gaitjax.prepare.sets.oumvlp_walker`. A frame's number stands before
".json" or "_keypoints.json"; in the odd names of subject 00001 it is the first group of four
digits. The training and test ids are built into `gaitjax.data.partitions`.
"""

import argparse
import os
import re
from collections import Counter
from functools import partial

import numpy as np

from gaitjax.data.readers.people import keypoints_of, people_of
from gaitjax.errors import DataError
from gaitjax.prepare import source
from gaitjax.prepare.driver import Job, Made, Plan
from gaitjax.prepare.sets import oumvlp_walker
from gaitjax.skeleton import ALPHAPOSE, COCO, convert
from gaitjax.untrusted import safe_json

HELP = """\
OUMVLP-Pose, the release of AlphaPose or of OpenPose. --source holds

  00001/000_00/*.json          <id>/<view>_<sequence>, one json a frame

and becomes 00001/00/000/000.pkl. Frames with several people need --index_dir (the published
index files), --silhouettes (OUMVLP's own) or --person first.

example: python -m gaitjax.prepare oumvlp --source OUMVLP-Pose/AlphaPose --output oumvlp \\
           --index_dir match_idx/AlphaPose
"""
HOLDS = ("*/[0-9][0-9][0-9]_[0-9][0-9]/*.json",)  # files below --source

_SEQUENCE = re.compile(r"([0-9]{3})_([0-9]{2})")
_NUMBER = re.compile(r"([0-9]+)(?:_keypoints)?\.json$")
_ODD_NUMBER = re.compile(r"[0-9]{4}")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--joints", type=int, choices=(18, 17), default=18, help="17: COCO's, without the neck")
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument(
        "--index_dir", metavar="DIR", help="index files, <id>/<seq>/<view>.json or .pkl"
    )
    choice.add_argument(
        "--silhouettes",
        metavar="DIR",
        help="uncropped silhouettes: a png a frame in <id>/<seq>/<view>/ or Silhouette_<view>-<seq>"
        "/<id>/, or there one pickle (frames, height, width)",
    )
    choice.add_argument("--person", choices=("first",), help="always take the first person")
    add(
        "--compat",
        action="store_true",
        help="as the reference until 2025: the first person, names sorted as strings",
    )


def plan(args: argparse.Namespace) -> Plan:
    """One job for each folder of frames.

    Raises:
      DataError: no such folder, no way to choose among several people, an option's folder
        that cannot be it.
    """
    jobs, notes = [], Counter()
    for label in source.folders(args.source):
        for folder in source.folders(args.source, label):
            if match := _SEQUENCE.fullmatch(folder):
                jobs.append(Job(label, match[2], match[1], (f"{label}/{folder}",)))
            else:
                notes["folders ignored: not named <view>_<sequence>"] += 1
    if not jobs:
        raise DataError(
            f"{args.source}: no folder <id>/<view>_<sequence> in it, as 00001/000_00; give the "
            "folder that holds the ids"
        )
    jobs.sort(key=lambda job: job[:3])
    choose = _choice(args, jobs)
    make_one = partial(
        make, root=args.source, choose=choose, joints=args.joints, compat=args.compat
    )
    return Plan(jobs, make_one, notes=dict(notes))


def _choice(args: argparse.Namespace, jobs: list[Job]) -> partial:
    for option in ("index_dir", "silhouettes"):
        if folder := getattr(args, option):
            folder = os.path.realpath(os.path.expanduser(folder))
            if not os.path.isdir(folder):
                raise DataError(f"{folder} (--{option}) is not a folder")
            is_there, choose = {
                "index_dir": (oumvlp_walker.index_file, oumvlp_walker.by_index),
                "silhouettes": (oumvlp_walker.silhouette_folder, oumvlp_walker.by_silhouettes),
            }[option]
            if not any(is_there(folder, job) for job in jobs):
                raise DataError(
                    f"{folder} (--{option}): holds nothing for any sequence of the source, such "
                    f"as {jobs[0].name}; see --help for how it must be laid out"
                )
            return partial(choose, folder)
    if args.person or args.compat:
        return partial(oumvlp_walker.first)
    raise DataError(
        "some frames hold several people: say how to find the walker, with --index_dir (the "
        "published index files), --silhouettes (OUMVLP's own) or --person first (as for the "
        "numbers published in 2023, with some strangers in the sequences)"
    )


def make(job: Job, root: str, choose: partial, joints: int, compat: bool) -> Made:
    """The walker's poses, (T, 18 or 17, 3).

    Raises:
      DataError: the folder or a file cannot be read or leads out of the source; an index
        file or a silhouette is damaged.
    """
    (folder,) = job.files
    notes = Counter()
    names = _in_order(source.files(root, folder, "*.json"), compat, notes)
    frames = []  # (number, people (P, 18, 3))
    for name in names:
        try:
            people = _people(source.read(root, f"{folder}/{name}"), f"{folder}/{name}")
        except DataError as error:
            if isinstance(error.__cause__, OSError):
                raise
            notes["frames dropped: not the json of people that is expected"] += 1
            continue
        if not people:
            notes["frames dropped: no person"] += 1
            continue
        frames.append((_number(name), np.stack(people)))
    if not frames:
        notes["no frame with a person" if names else "no .json file"] = 1
        return Made(None, _told(notes))
    chosen = np.zeros(len(frames), int)
    several = [i for i, (_, people) in enumerate(frames) if len(people) > 1]
    if several:
        notes["frames with several people"] = len(several)
        numbers = [_number(name) for name in names]
        chosen[several] = choose(job, [frames[i] for i in several], numbers, notes)
        notes["wrong-person frames replaced"] = int(np.count_nonzero(chosen))
    poses = np.stack([people[k] for (_, people), k in zip(frames, chosen, strict=True)])
    return Made(convert(ALPHAPOSE, COCO)(poses) if joints == 17 else poses, _told(notes))


def _told(notes: Counter) -> dict[str, int]:
    return {reason: count for reason, count in notes.items() if count}


def _in_order(names: list[str], compat: bool, notes: Counter) -> list[str]:
    """Names that hold a frame number, in the order of the numbers or, `compat`, of strings."""
    numbered = [name for name in names if _number(name) is not None]
    notes["frames dropped: no number in the name"] += len(names) - len(numbered)
    as_strings = sorted(numbered)
    in_time = sorted(numbered, key=lambda name: (_number(name), name))
    moved = sum(a != b for a, b in zip(as_strings, in_time, strict=True))
    if compat:
        notes["frames left in an order that is not that of time"] += moved
        return as_strings
    notes["frames re-ordered by number"] += moved
    return in_time


def _number(name: str) -> int | None:
    if match := _NUMBER.search(name):
        return int(match[1])
    match = _ODD_NUMBER.search(name)
    return int(match[0]) if match else None


def _people(data: bytes, where: str) -> list[np.ndarray]:
    """The (18, 3) skeletons of a frame. DataError: another layout, or no coordinates."""
    people = []
    for person in people_of(safe_json.parse(data, where), where):
        joints = keypoints_of(person, (ALPHAPOSE.num_joints,), where)
        if np.isnan(joints).any():
            raise DataError(f"{where}: numbers that are no pixels")
        people.append(joints)
    return people
