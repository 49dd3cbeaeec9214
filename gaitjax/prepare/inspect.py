"""A look at a prepared data set: what it holds, and one sequence as an animation and a sheet."""

import argparse
import os
from collections import Counter

import numpy as np

from gaitjax import command, progress
from gaitjax.errors import DataError
from gaitjax.prepare import drawing, source, summary
from gaitjax.skeleton import FORMATS, tell
from gaitjax.untrusted import safe_pickle

HELP = """\
Statistics of a prepared data set, and a drawing of one sequence: <output>/<id>-<type>-<view>
.gif, the walk with its skeleton maps, and .png, eight frames of it side by side.

example: python -m gaitjax.prepare inspect --config.data.root=oumvlp --sequence 00001/00/090
"""

_LISTED = 12  # types and views named


def main(argv: list[str]) -> int:
    args = _parser().parse_args(command.respelled(argv, {"--data.root": "--config.data.root"}))
    root = args.root
    if not root.is_dir():
        raise DataError(f"{root} (--config.data.root) is not a folder")
    names = ["/".join(name) for name in source.sequences(root)]
    if not names:
        raise DataError(f"{root}: no folder <id>/<type>/<view> in it")
    name = (args.sequence or names[0]).strip("/")
    if name not in names:
        raise DataError(f"{root}: no sequence {name}; there are such as {names[0]}")
    print(statistics(root, _spread(names, args.limit), len(names)), end="")
    array = read(root, name)
    fmt = None if array.dtype == np.uint8 else tell(array)
    joints = args.joints or getattr(fmt, "name", "")
    for path in drawing.save(array, name, args.output / name.replace("/", "-"), joints):
        print(f"drawn: {path}")
    return 0


def read(root: str | os.PathLike, name: str) -> np.ndarray:
    """The first array of a sequence "id/type/view": poses (T, V, 3), or uint8 images.

    Raises:
      DataError: no .pkl file, or one that holds neither.
    """
    files = source.files(root, name, "*.pkl")
    if not files:
        raise DataError(f"{root}/{name}: no .pkl file in it")
    path = source.resolve(root, f"{name}/{files[0]}")
    array = safe_pickle.load(path)
    images = array.dtype == np.uint8 and array.ndim in (3, 4)
    if not len(array) or not images and (array.ndim != 3 or array.shape[2] != 3):
        raise DataError(
            f"{path}: {array.dtype} {array.shape}; expected poses (frames, joints, 3) or uint8 "
            "images (frames, ...)"
        )
    return array if images else array.astype(np.float32)


def statistics(root: str | os.PathLike, names: list[str], total: int) -> str:
    """What the sequences `names`, of `total`, hold; ends with a newline."""
    lines, ranges = [], []
    for name in progress.each(names, len(names), "reading"):
        line = {"sequence": name, "notes": {}}
        try:
            array = read(root, name)
            lines.append(line | summary.describe(array))
        except DataError as error:
            lines.append(line | {"dropped": str(error)})
            continue
        if array.dtype != np.uint8 and (seen := array[..., :2].any(axis=-1)).any():
            ranges.append((array[seen].min(axis=0), array[seen].max(axis=0)))
    record = summary.record(lines, {}, {})
    text = [str(root)]
    if len(names) < total:
        text.append(f"{len(names)} sequences, evenly spread over the {total} (all: --limit 0)")
    parts = [name.split("/") for name in names]
    for what, column in (("type", 1), ("view", 2)):
        text.append(_counted(what, Counter(part[column] for part in parts)))
    if ranges:
        low, high = np.min([r[0] for r in ranges], axis=0), np.max([r[1] for r in ranges], axis=0)
        text.append(
            f"x {low[0]:.1f} to {high[0]:.1f}, y {low[1]:.1f} to {high[1]:.1f} pixels; "
            f"confidence {low[2]:.3f} to {high[2]:.3f}"
        )
    found = summary.text(record).replace("sequences dropped", "sequences that cannot be read")
    found = found.replace("dropped (all of them in prepare_log.jsonl)", "cannot be read")
    return "\n".join(text) + "\n" + found


def _counted(what: str, counts: Counter) -> str:
    named = [f"{name} ({n})" for name, n in sorted(counts.items())[:_LISTED]]
    more = ", ..." if len(counts) > _LISTED else ""
    return f"{len(counts)} {what}{'s' * (len(counts) > 1)}: {', '.join(named)}{more}"


def _spread(names: list[str], limit: int) -> list[str]:
    if not limit or len(names) <= limit:
        return names
    return [names[i] for i in np.linspace(0, len(names) - 1, limit).astype(int)]


def _parser() -> argparse.ArgumentParser:
    parser = command.parser(HELP, "", prog="python -m gaitjax.prepare inspect")
    add = parser.add_argument
    add(
        "--config.data.root",
        dest="root",
        required=True,
        type=command.path,
        metavar="DIR",
        help="the prepared data set",
    )
    add("--sequence", metavar="ID/TYPE/VIEW", help="what to draw; default the first")
    add("--output", default="inspect", type=command.path, metavar="DIR", help="folder (inspect)")
    add(
        "--joints",
        choices=FORMATS,
        metavar="NAME",
        help="the poses' joint format; default: by their number and the limbs",
    )
    add(
        "--limit",
        type=int,
        default=2000,
        metavar="N",
        help="most sequences to read for the statistics (2000; 0: all)",
    )
    return parser
