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
from gaitjax.skeleton import TO_COCO
from gaitjax.untrusted import safe_pickle

HELP = """\
Pickled poses in OpenGait's layout: SUSTech1K, CCPG, or any other set (opengait). --source holds

  <id>/<type>/<view>/*.pkl     one pose array a folder: (T, V, 3) with 17 or 18 joints, or
                               GREW's rows (T, 53) or (T, 51)

Where a folder holds several files, --pick names the one: sustech1k takes 03*.pkl, the pose
of its 16. Arrays are checked, written as float32 as <view>.pkl, numbers that are not
finite as missing joints. partition.json of the source is copied, or --partition.

example: python -m gaitjax.prepare sustech1k --source SUSTech1K --output sustech1k \\
           --partition SUSTech1K.json
example: python -m gaitjax.prepare opengait --source GREW-pkl --output grew
"""

_EVERY = "*.pkl"
_LARGEST = 1e30  # what float32 takes easily


def add_arguments(parser: argparse.ArgumentParser) -> None:
    source.add_partition(parser)
    parser.add_argument("--pick", default="", help="pattern of the pose's file, as '03*.pkl'")
    parser.add_argument(
        "--coco17", action="store_true", help="write 18 joints as the 17 of COCO, without neck"
    )


def plan(args: argparse.Namespace) -> Plan:
    """Every folder of three levels; the partition given or found.

    Raises:
      DataError: a folder that cannot be listed; a partition of another data set.
    """
    names = list(source.sequences(args.source))
    jobs = [Job(*name, ("/".join(name),)) for name in names]
    prepared = (s for s in SETS.values() if s.preparation)
    known = next(s.pose_file for s in prepared if s.preparation.command == args.dataset)
    pick = args.pick or known or _EVERY
    make_one = partial(make, root=args.source, pick=pick, coco17=args.coco17)
    return Plan(jobs, make_one, *partition(args.source, args.partition, names))


def partition(
    root: str, path: str, names: list[tuple[str, str, str]]
) -> tuple[dict | None, dict[str, int]]:
    """The partition in `path`, if given, else that in the source, if there is one; with notes."""
    if not path and partitions.PARTITION_FILE in source.files(root, ""):
        path = source.resolve(root, partitions.PARTITION_FILE)
    return source.partition(path, names) if path else (None, {})


def make(job: Job, root: str, pick: str, coco17: bool) -> Made:
    """The poses of a folder, (T, V, 3).

    Raises:
      DataError: not one file to take; no pickled array of poses.
    """
    path = pose_file(root, job.files[0], pick)
    poses, notes = as_poses(safe_pickle.load(path), path)
    if coco17 and poses.shape[1] == 18:
        poses = poses[:, TO_COCO]
        notes["sequences brought from 18 to 17 joints"] = 1
    return Made(poses, notes)


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
    path = source.resolve(root, f"{folder}/{picked[0]}")
    source.check_plain(path)
    return path


def as_poses(array: np.ndarray, path: str) -> tuple[np.ndarray, dict[str, int]]:
    """An array of poses in any of the layouts in use as (T, V, 3) float64, with notes."""
    notes = {}
    rows = array.ndim == 2 and array.shape[1] in (51, 53)
    if rows:
        notes[f"sequences stored as rows of {array.shape[1]} numbers"] = 1
        array = array[:, -51:].reshape(-1, 17, 3)
    if array.ndim != 3 or array.shape[1] not in (17, 18) or array.shape[2] != 3:
        raise DataError(
            f"{path}: shape {array.shape}; expected (frames, 17 or 18, 3): x, y, confidence, or "
            "rows of 51 or 53 numbers"
        )
    poses = array.astype(np.float64)
    lost = ~(np.abs(poses) < _LARGEST).all(axis=-1)
    if lost.any():
        poses[lost] = 0.0
        notes["joints that were not finite, written as missing"] = int(lost.sum())
    return poses, notes
