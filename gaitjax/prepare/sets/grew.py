"""GREW-Pose: text for each frame, in the folders of the challenge (specification 9.4, 10.2).

Training identities get "train" after their number. The sequences of a gallery identity
become types 01 and 02 in natural order of their names, the same on every machine (the
reference takes them as the disk lists them); a third one and more become 04, 05, ...,
since 03 is the type of the probes. Probes are of the identity "probe".
"""

import argparse
from collections import Counter

from gaitjax.errors import DataError
from gaitjax.prepare import source
from gaitjax.prepare.driver import Job, Plan
from gaitjax.prepare.sets import text_frames

HELP = """\
GREW-Pose, one text file a frame. --source holds

  train/<id>/<sequence>/*_2d_pose.txt
  test/gallery/<id>/<sequence>/*_2d_pose.txt
  test/probe/<sequence>/*_2d_pose.txt

which become <id>train/00/<sequence>, <id>/01|02/<sequence> and probe/03/<sequence>. Other
files are not read.

example: python -m gaitjax.prepare grew --source GREW-raw --output grew
"""
_TRAIN, _GALLERY, _PROBE = "train", "test/gallery", "test/probe"
_SEQUENCES = (f"{_TRAIN}/*/*", f"{_GALLERY}/*/*", f"{_PROBE}/*")
HOLDS = tuple(f"{folder}/*_2d_pose.txt" for folder in _SEQUENCES)  # files below --source

add_arguments = text_frames.add_arguments


def plan(args: argparse.Namespace) -> Plan:
    """The sequences of training, gallery and probe set.

    Raises:
      DataError: none of the three folders, or one that cannot be listed.
    """
    notes = Counter()
    have = [part for part in (_TRAIN, _GALLERY, _PROBE) if _exists(args.source, part)]
    if not have:
        raise DataError(
            f"{args.source} (--source): neither {_TRAIN} nor {_GALLERY} nor {_PROBE} in it; found "
            f"{', '.join(source.folders(args.source)[:5]) or 'no folder'}"
        )
    notes.update(f"folder absent: {p}" for p in (_TRAIN, _GALLERY, _PROBE) if p not in have)
    jobs = []
    if _TRAIN in have:
        for label in source.folders(args.source, _TRAIN):
            for view in source.folders(args.source, f"{_TRAIN}/{label}"):
                jobs.append(Job(f"{label}train", "00", view, (f"{_TRAIN}/{label}/{view}",)))
    if _GALLERY in have:
        for label in source.folders(args.source, _GALLERY):
            views = source.folders(args.source, f"{_GALLERY}/{label}")
            if len(views) != 2:
                notes[f"gallery identities with {len(views)} sequences, not 2"] += 1
            for kind, view in zip(_kinds(len(views)), views, strict=True):
                jobs.append(Job(label, kind, view, (f"{_GALLERY}/{label}/{view}",)))
    if _PROBE in have:
        for view in source.folders(args.source, _PROBE):
            jobs.append(Job("probe", "03", view, (f"{_PROBE}/{view}",)))
    return Plan(jobs, text_frames.maker(args, "*_2d_pose.txt"), notes=dict(notes))


def _exists(root: str, part: str) -> bool:
    above, _, name = part.rpartition("/")
    return (not above or _exists(root, above)) and name in source.folders(root, above)


def _kinds(count: int) -> list[str]:
    """01, 02, 04, 05, ...: without the probes' 03."""
    return [f"{i:02d}" for i in range(1, count + 2) if i != 3][:count]
