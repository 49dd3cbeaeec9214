"""Maps or poses beside the silhouettes of the same frames, for SkeletonGait++ (section 11)."""

import argparse
import os
from functools import partial
from pathlib import Path

import numpy as np

from gaitjax.errors import DataError
from gaitjax.prepare import source
from gaitjax.prepare.driver import Job, Made, Plan
from gaitjax.prepare.sets import pickles
from gaitjax.untrusted import safe_pickle

HELP = """\
Two prepared sets side by side, for SkeletonGait++. --source and --silhouettes hold

  <id>/<type>/<view>/*.pkl     maps or poses; silhouettes (T, H, W) uint8

and become <id>/<type>/<view>/0_heatmap.pkl (0_pose.pkl) and 1_sil.pkl, links to the files
or copies. Sequences of which one part is missing, or whose parts have different numbers of
frames, are dropped and logged. Train with --config.data.modality=map+silhouette, of poses
with pose+silhouette.

example: python -m gaitjax.prepare link --source gait3d-maps --silhouettes Gait3D-sils \\
           --output gait3d-both
"""
HOLDS = ("*/*/*/*.pkl",)  # files below --source


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--silhouettes", required=True, type=_folder, help="folder of the silhouettes")
    add("--pick", default="*.pkl", help="pattern of a map's or pose's file where there are several")
    add("--pick_silhouette", default="*.pkl", help="the same for silhouettes, as '06*.pkl'")
    add("--copy", action="store_true", help="copies instead of links")


def _folder(text: str) -> str:
    path = os.path.realpath(os.path.expanduser(text))
    if not os.path.isdir(path):
        raise argparse.ArgumentTypeError(f"no such folder: {text}")
    return path


def plan(args: argparse.Namespace) -> Plan:
    """Every sequence of the source; sequences of silhouettes alone are noted.

    Raises:
      DataError: a folder that cannot be listed; a partition of another data set.
    """
    names = list(source.sequences(args.source))
    jobs = [Job(*name, ("/".join(name),)) for name in names]
    partition, notes = pickles.partition(args.source, "", names)
    if lone := set(source.sequences(args.silhouettes)).difference(names):
        notes["sequences of silhouettes alone, left out"] = len(lone)
    picks = ((args.source, args.pick), (args.silhouettes, args.pick_silhouette))
    return Plan(jobs, partial(make, picks=picks, copy=args.copy), partition, notes)


def make(job: Job, picks: tuple[tuple[str, str], ...], copy: bool) -> Made:
    """Both parts of a sequence, if they belong together.

    Raises:
      DataError: a part that cannot be read or is none.
    """
    if not os.path.isdir(os.path.join(picks[1][0], job.files[0])):
        return Made(None, {"sequences without silhouettes": 1})
    paths = [pickles.pose_file(root, job.files[0], pick) for root, pick in picks]
    body, silhouettes = map(safe_pickle.load, paths)
    name = "0_heatmap.pkl"
    if body.dtype != np.uint8 or body.ndim != 4 or body.shape[1] != 2:
        name = "0_pose.pkl"
        body, notes = pickles.as_poses(body, paths[0])
        if notes and not copy:
            raise DataError(f"{paths[0]}: {', '.join(notes)}; prepare it first, or use --copy")
    if silhouettes.dtype != np.uint8 or silhouettes.ndim != 3:
        raise DataError(
            f"{paths[1]}: {silhouettes.dtype} {silhouettes.shape}; expected silhouettes, uint8 "
            "(frames, height, width): name the file with --pick_silhouette"
        )
    if len(body) != len(silhouettes):
        raise DataError(
            f"{paths[0]} has {len(body)} frames, {paths[1]} {len(silhouettes)}; they must be of "
            "the same images"
        )
    contents = (body, silhouettes) if copy else map(Path, paths)
    return Made(body, {}, dict(zip((name, "1_sil.pkl"), contents, strict=True)))
