"""Somebody's poses in an ordinary video, found by a pose estimator, as one prepared sequence."""

import argparse
import pickle
import re
from pathlib import Path

import numpy as np

from gaitjax import command, files
from gaitjax.data import familiar, partitions, readers
from gaitjax.errors import DataError
from gaitjax.skeleton import FORMATS

HELP = """\
One person of one video, as pose estimators write it (docs/data.md lists them); joins TEST_SET.

example: python -m gaitjax.prepare poses --source results.json --output videos --label anna \\
           --type nm-01 --view 090 --frame_rate 30
"""


def main(argv: list[str]) -> int:
    args = _parser().parse_args(argv)
    sequence = readers.read(
        args.source,
        format=args.format,
        person=args.person,
        track=args.track,
        max_gap=args.max_gap,
        frame_rate=args.frame_rate,
        resample=args.resample,
        joints=args.joints,
        source_joints=args.source_joints,
        image_size=args.image_size,
        video=args.video,
    )
    keep(sequence, args)
    return 0


def keep(sequence: readers.PoseSequence, args: argparse.Namespace) -> None:
    """Adds the sequence to the data set and says what it holds; `args` of `add_target`.

    Raises:
      DataError: as `write`; weights that cannot be read.
    """
    differences = _differences(sequence.poses, args.weights) if args.weights else []
    path = write(sequence, args.output, args.label, args.type, args.view)
    first, last = sequence.frames[[0, -1]]
    print(f"{path}: {len(sequence.poses)} frames, {first} to {last} of the video")
    for what, count in sequence.notes.items():
        print(f"  {count:6}  {what}")
    for difference in differences:
        print(f"note: {difference}")
    name = f"{args.label}/{args.type}/{args.view}"
    print(
        "look at it: python -m gaitjax.prepare inspect "
        f"--config.data.root={args.output} --sequence {name}"
    )


def _differences(poses: np.ndarray, weights: str) -> list[str]:
    """How the poses are far from those that a network was trained on, a line each."""
    from gaitjax.training import checkpoint  # JAX: only where it is asked for

    known = checkpoint.load_variables(weights)[1].get("knows")
    if not known:
        return [familiar.UNKNOWN]
    known = familiar.checked(known, weights)
    return familiar.differences(familiar.measure(lambda row: poses, 1), known)


def new_file(output: Path, label: str, kind: str, view: str) -> Path:
    """The file that a walk will be. DataError: it is there already, or cannot be a file's name."""
    for part in (label, kind, view):
        if not part or part.startswith(".") or any(c in part for c in "/\\\0"):
            raise DataError(f"{part!r} (--label, --type, --view) cannot be the name of a folder")
    path = output / label / kind / view / f"{view}.pkl"
    if path.exists():
        raise DataError(f"{path} exists already; remove it, or give another label, type or view")
    return path


def write(sequence: readers.PoseSequence, output: Path, label: str, kind: str, view: str) -> Path:
    """Adds a sequence to the data set in `output`, and its label to the partition's tests.

    Raises:
      DataError: as `new_file`; a damaged partition.
      OSError: no space or permission. Nothing half-written stays.
    """
    path = new_file(output, label, kind, view)
    partition = output / partitions.PARTITION_FILE
    sets = partitions.read(partition) if partition.exists() else partitions.Partition((), ())
    files.write_bytes(path, pickle.dumps(sequence.poses, protocol=4))
    if label not in sets.train + sets.test:
        listed = {"TRAIN_SET": sets.train, "TEST_SET": (*sets.test, label)}
        if sets.probe:
            listed["PROBE_SET"] = sets.probe
        files.write_json(partition, listed)
    return path


def _parser() -> argparse.ArgumentParser:
    parser = command.parser(HELP, "", prog="python -m gaitjax.prepare poses")
    add = parser.add_argument
    add(
        "--source",
        required=True,
        type=command.path,
        metavar="FILE",
        help="or a folder of a file a frame",
    )
    add_target(parser)
    add("--format", choices=tuple(readers.FORMATS), default="auto", metavar="NAME")
    add("--track", metavar="ID", help="the one with this identity of the estimator's tracker")
    add("--frame_rate", type=float, metavar="FPS", help="of the video; networks know 25 to 30")
    add("--image_size", type=_size, metavar="WxH", help="pixels, where x and y are shares of these")
    add("--joints", choices=FORMATS, default="coco", metavar="NAME", help="joint format to write")
    add(
        "--source_joints",
        choices=FORMATS,
        default="",
        metavar="NAME",
        help="the file's, if need be",
    )
    add("--video", metavar="NAME", help="which one, of a pickle with several (frame_dir)")
    return parser


def add_target(parser: argparse.ArgumentParser) -> None:
    """The options that say where a walk goes, whose it is, and what is done to it."""
    add = parser.add_argument
    add("--output", required=True, type=command.path, metavar="DIR", help="data set to add to")
    add("--label", required=True, metavar="ID", help="who it is")
    add("--type", required=True, metavar="T", help="how: normal, with a bag, ...; the walk's name")
    add("--view", required=True, metavar="V", help="from where: degrees, or the camera's name")
    add("--person", type=int, default=1, metavar="K", help="the K-th most present one (default 1)")
    add("--max_gap", type=int, default=5, metavar="N", help="frames interpolated (default 5)")
    add("--resample", type=float, metavar="FPS", help="frames a second to convert to")
    add("--weights", metavar="FILE", help="of a network: say how far the poses are from its own")


def _size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"([1-9][0-9]{0,4})[xX*,]([1-9][0-9]{0,4})", text)
    if not match:
        raise argparse.ArgumentTypeError(f"{text!r}; expected WIDTHxHEIGHT, as 1280x720")
    return int(match[1]), int(match[2])
