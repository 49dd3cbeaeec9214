"""Pickles of pyskl and mmaction2, many videos in a file, one of them as `Video`."""

from pathlib import Path
from typing import Any

import numpy as np

from gaitjax.data.readers.people import COUNTS, Frame, Person
from gaitjax.data.readers.video import Video
from gaitjax.errors import DataError
from gaitjax.untrusted import safe_pickle

_EXPECTED = (
    'expected {"annotations": [{"frame_dir": ..., "keypoint": (people, frames, joints, 2), '
    '"keypoint_score": (people, frames, joints)}]}, as of pyskl and mmaction2'
)


def open_file(path: Path, video: str | None = None) -> Video:
    """The only video of the file, or the one whose frame_dir is `video`.

    Raises:
      DataError: no such pickle, or no such video; several, and none is named.
    """
    content = safe_pickle.load_tree(path)
    if isinstance(content, np.ndarray):
        raise DataError(
            f"{path}: holds one array {content.dtype} {content.shape}, no results of a pose "
            "estimator. If these are poses (frames, joints, 3), they need no reading: lay them out "
            "as <id>/<type>/<view>/<view>.pkl, or run python -m gaitjax.prepare opengait"
        )
    entries = content.get("annotations") if isinstance(content, dict) else content
    if isinstance(content, dict) and "keypoint" in content:
        entries = [content]
    if not isinstance(entries, list) or not all(isinstance(e, dict) for e in entries):
        raise DataError(f"{path}: {_EXPECTED}")
    names = [
        str(entry.get("frame_dir", entry.get("filename", i))) for i, entry in enumerate(entries)
    ]
    if video is None and len(entries) == 1:
        video = names[0]
    if video not in names:
        some = ", ".join(name[:60] for name in names[:5]) + (", ..." if len(names) > 5 else "")
        found = f"no video {video!r} among" if video else "several videos,"
        raise DataError(f"{path}: {found} {len(names)}: {some}; name one with --video")
    entry = entries[names.index(video)]
    return _of_entry(f"{path}, {video[:60]}", entry)


def _of_entry(where: str, entry: dict) -> Video:
    points, scores = entry.get("keypoint"), entry.get("keypoint_score")
    if not isinstance(points, np.ndarray) or points.ndim != 4 or points.shape[2] not in COUNTS:
        raise DataError(f"{where}: {_EXPECTED}")
    if points.shape[3] not in (2, 3) or points.shape[3] == 3 and scores is None:
        raise DataError(f"{where}: points of {points.shape[3]} numbers, in space; {_EXPECTED}")
    points = points.astype(np.float64)
    if scores is None:
        scores = points.any(axis=-1)
    if not isinstance(scores, np.ndarray) or scores.shape != points.shape[:3]:
        raise DataError(f"{where}: a confidence for each joint is missing; {_EXPECTED}")
    table = np.concatenate([points[..., :2], scores[..., None].astype(np.float64)], axis=-1)
    table[~np.isfinite(table).all(axis=-1) | ~(table[..., 2] > 0)] = 0.0
    frames = [
        Frame(t, [Person(joints, None) for joints in table[:, t] if joints.any()])
        for t in range(table.shape[1])
    ]
    size: Any = entry.get("img_shape", entry.get("original_shape"))
    known = isinstance(size, tuple) and len(size) >= 2 and all(isinstance(v, int) for v in size[:2])
    return Video(where, frames, size=(float(size[1]), float(size[0])) if known else None)
