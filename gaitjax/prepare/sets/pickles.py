"""Pickled poses in folders as OpenGait lays them out: checked, and written as float32.

For SUSTech1K and CCPG as their owners give them, and for every set that was made for
OpenGait (specification sections 10.3 and 11, step 1).
"""

import argparse
from functools import partial

import numpy as np

from gaitjax.data import partitions
from gaitjax.data.sets import SETS
from gaitjax.errors import DataError
from gaitjax.prepare import source
from gaitjax.prepare.driver import Job, Made, Plan
from gaitjax.skeleton import FORMATS, convert, joint_format, stated, with_joints
from gaitjax.untrusted import safe_pickle

HELP = """\
Pickled poses in OpenGait's layout: SUSTech1K, CCPG, or any other set (opengait). --source holds

  <id>/<type>/<view>/*.pkl     one pose array a folder: (T, V, 3) in any joint format, or
                               GREW's rows (T, 53) or (T, 51)

Of several files in a folder --pick names the pose (sustech1k: 03*.pkl). Arrays are checked and
written as float32, what is not finite as missing; the source's partition.json is copied.

example: python -m gaitjax.prepare sustech1k --source SUSTech1K --output sustech1k \\
           --partition SUSTech1K.json
example: python -m gaitjax.prepare opengait --source GREW-pkl --output grew
"""
HOLDS = ("*/*/*/*.pkl",)  # files below --source

_EVERY = "*.pkl"
_LARGEST = 1e30  # what float32 takes easily


def add_arguments(parser: argparse.ArgumentParser) -> None:
    source.add_partition(parser)
    parser.add_argument("--pick", default="", help="pattern of the pose's file, as '03*.pkl'")
    add_source_joints(parser)
    parser.add_argument(
        "--joints", choices=FORMATS, default="", metavar="NAME", help="write this joint format"
    )
    parser.add_argument(
        "--coco17",
        dest="joints",
        action="store_const",
        const="coco",
        help="--joints coco: 18 joints as 17, without neck",
    )


def add_source_joints(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--source_joints",
        choices=FORMATS,
        default="",
        metavar="NAME",
        help="the source's joint format; default by their number, as 17: coco",
    )


def plan(args: argparse.Namespace) -> Plan:
    """Every folder of three levels; the partition given or found.

    Raises:
      DataError: a folder that cannot be listed; a partition of another data set.
    """
    names = list(source.sequences(args.source))
    jobs = [Job(*name, ("/".join(name),)) for name in names]
    prepared = ((s.preparation, s.pose_file) for s in SETS.values())
    known = next(file for p, file in prepared if p and p.command == args.dataset)
    pick = args.pick or known or _EVERY
    make_one = partial(make, root=args.source, pick=pick, have=args.source_joints, want=args.joints)
    return Plan(jobs, make_one, *partition(args.source, args.partition, names))


def partition(
    root: str, path: str, names: list[tuple[str, str, str]]
) -> tuple[dict | None, dict[str, int]]:
    """The partition in `path`, if given, else that in the source, if there is one; with notes."""
    if not path and partitions.PARTITION_FILE in source.files(root, ""):
        path = source.resolve(root, partitions.PARTITION_FILE)
    return source.partition(path, names) if path else (None, {})


def make(job: Job, root: str, pick: str, have: str, want: str) -> Made:
    """The poses of a folder, (T, V, 3), brought from joint format `have` to `want`, if given.

    Raises:
      DataError: not one file to take; no pickled array of poses; joints of `want` not known.
    """
    path = pose_file(root, job.files[0], pick)
    poses, notes = as_poses(safe_pickle.load(path), path, have)
    if want:
        before = poses.shape[1]
        poses = in_format(poses, path, have, want)
        if poses.shape[1] != before:
            notes[f"sequences brought from {before} to {poses.shape[1]} joints"] = 1
    return Made(poses, notes)


def in_format(poses: np.ndarray, path: str, have: str, want: str) -> np.ndarray:
    """Poses of joint format `have` ("": the usual one of as many joints) in format `want`."""
    try:
        return convert(stated(poses.shape[1], have), joint_format(want))(poses)
    except DataError as error:
        raise DataError(f"{path}: {error} (--source_joints)") from None


def pose_file(root: str, folder: str, pick: str) -> str:
    """The one file of a folder that `pick` names, or the only one there is."""
    names = source.files(root, folder, _EVERY)
    picked = source.files(root, folder, pick) if len(names) > 1 else names
    if len(picked) != 1:
        found = ", ".join(names[:4]) + (", ..." if len(names) > 4 else "")
        raise DataError(
            f"{root}/{folder}: {len(picked)} files named {pick} among {found or 'none'}; expected "
            "one: name it with --pick"
        )
    return source.resolve(root, f"{folder}/{picked[0]}")


def as_poses(array: np.ndarray, path: str, have: str = "") -> tuple[np.ndarray, dict[str, int]]:
    """An array of poses in any of the layouts in use as (T, V, 3) float64, with notes.

    Args:
      have: its joint format; "": any with as many joints.

    Raises:
      DataError: no layout of poses, another number of joints.
    """
    notes = {}
    rows = array.ndim == 2 and array.shape[1] in (51, 53)
    if rows:
        notes[f"sequences stored as rows of {array.shape[1]} numbers"] = 1
        array = array[:, -51:].reshape(-1, 17, 3)
    if array.ndim != 3 or not with_joints(array.shape[1]) or array.shape[2] != 3:
        raise DataError(
            f"{path}: shape {array.shape}; expected (frames, joints, 3): x, y, confidence, of as "
            f"many joints as a format of {', '.join(FORMATS)}, or rows of 51 or 53 numbers"
        )
    if have and array.shape[1] != joint_format(have).num_joints:
        in_format(array, path, have, have)
    poses = array.astype(np.float64)
    lost = ~(np.abs(poses) < _LARGEST).all(axis=-1)
    if lost.any():
        poses[lost] = 0.0
        notes["joints that were not finite, written as missing"] = int(lost.sum())
    return poses, notes
