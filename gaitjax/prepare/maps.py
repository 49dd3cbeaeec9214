"""Skeleton maps of a set of poses, drawn in float64 as the reference draws them (section 11).

Training draws maps from poses as it goes; files are for other programs, and for several
trainings on one slow device. Drawing is spread over the processor by XLA, in one process.
"""

import argparse
from functools import partial

import numpy as np

from gaitjax.data import imputation
from gaitjax.prepare import source
from gaitjax.prepare.driver import Job, Made, Plan
from gaitjax.prepare.sets import pickles
from gaitjax.untrusted import safe_pickle

HELP = """\
Skeleton maps of a prepared set of poses. --source holds

  <id>/<type>/<view>/*.pkl     one pose array a folder, as every data set is prepared

and becomes <id>/<type>/<view>/<view>.pkl with uint8 (T, 2, 64, 64): limbs, joints. Poses of
other formats are brought to COCO's, missing joints filled from similar frames of the sequence.
Train from them with --config.data.modality=map.

example: python -m gaitjax.prepare maps --source gait3d --output gait3d-maps
"""
HOLDS = ("*/*/*/*.pkl",)  # files below --source

_PADDING = 64  # frames: lengths that maps are drawn in, to compile few programs


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--pick", default="*.pkl", help="pattern of the pose's file, as '03*.pkl'")
    pickles.add_source_joints(parser)


def plan(args: argparse.Namespace) -> Plan:
    """One job a sequence; the source's partition goes along.

    Raises:
      DataError: a folder that cannot be listed; a partition of another data set.
    """
    names = list(source.sequences(args.source))
    jobs = [Job(*name, ("/".join(name),)) for name in names]
    partition, notes = pickles.partition(args.source, "", names)
    make_one = partial(make, root=args.source, pick=args.pick, have=args.source_joints)
    return Plan(jobs, make_one, partition, notes, in_process=True)


def make(job: Job, root: str, pick: str, have: str = "") -> Made:
    """The maps of a folder's poses in joint format `have`, (T, 2, 64, 64) uint8.

    Raises:
      DataError: not one file to take; no pickled array of poses; joints of COCO not known.
    """
    from gaitjax.transforms import maps  # loads JAX

    path = pickles.pose_file(root, job.files[0], pick)
    poses, notes = pickles.as_poses(safe_pickle.load(path), path, have)
    poses = pickles.in_format(poses, path, have, "coco")
    if not (poses[..., :2] != 0).any(axis=0).all():
        notes["sequences un-imputed: a coordinate missing in every frame"] = 1
    poses = imputation.knn(poses)
    y = poses[..., 1]
    flat = int((y.max(axis=1) <= y.min(axis=1)).sum())
    if flat:
        notes["frames without height, blank maps"] = flat
    padding = np.zeros((-len(poses) % _PADDING, *poses.shape[1:]))
    drawn = maps.render_exact(np.concatenate([poses, padding]))[: len(poses)]
    return Made(np.moveaxis(drawn, -1, 1), notes)
