"""Gait3D-Pose: text for each frame (specification section 10.2)."""

import argparse

from gaitjax.prepare import source
from gaitjax.prepare.driver import Job, Plan
from gaitjax.prepare.sets import text_frames

HELP = """\
Gait3D-Pose, one text file a frame. --source holds

  <id>/<camX_videoY>/<seqZ>/human_crop_f*.txt

and becomes <id>/<camX_videoY>/<seqZ>/<seqZ>.pkl. Which identities train, which test and
which sequences are probes is not in it: give OpenGait's datasets/Gait3D/Gait3D.json here
with --partition, or to every later command as --config.data.partition.

example: python -m gaitjax.prepare gait3d --source 2D_Poses --output gait3d \\
           --partition Gait3D.json
"""
HOLDS = ("*/*/*/human_crop_f*.txt",)  # files below --source


def add_arguments(parser: argparse.ArgumentParser) -> None:
    text_frames.add_arguments(parser)
    source.add_partition(parser)


def plan(args: argparse.Namespace) -> Plan:
    """Every folder of three levels, and the partition given.

    Raises:
      DataError: a folder that cannot be listed; a partition of another data set.
    """
    names = list(source.sequences(args.source))
    jobs = [Job(*name, ("/".join(name),)) for name in names]
    make = text_frames.maker(args, "human_crop_f*.txt")
    if not args.partition:
        return Plan(jobs, make, notes={"no partition given: set data.partition to train": 1})
    return Plan(jobs, make, *source.partition(args.partition, names))
