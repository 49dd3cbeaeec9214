"""A video with the skeletons and names of its people drawn into it, to look at."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from gaitjax import files
from gaitjax.errors import DataError
from gaitjax.evaluation.figures import side_colour
from gaitjax.progress import each
from gaitjax.skeleton import COCO
from gaitjax.video import footage, opencv
from gaitjax.video.reading import Track

CODES = {".mp4": "mp4v", ".avi": "MJPG", ".webm": "VP80"}  # ending -> the codec it is written with
HEIGHT = 720  # most pixels of the written video's shorter side
_FAINT = 0.3  # confidence below which a joint is drawn as a dot alone


def skeletons(image: np.ndarray, people: Mapping[str, np.ndarray]) -> np.ndarray:
    """A copy of an image (H, W, 3) uint8, blue first, with people's joints and names in it.

    Left limbs are blue, right ones orange.

    Args:
      people: name -> (17, 3) joints of COCO in pixels of the image.
    """
    cv2 = opencv.load()
    image = image.copy()
    for name, joints in people.items():
        known = joints[:, 2] > 0
        if not known.any():
            continue
        places = np.rint(joints[:, :2]).astype(int).tolist()
        tall = max(float(np.ptp(joints[known, 1])), 20.0)
        width = max(1, round(tall / 120))
        for i, j in COCO.edges:
            if min(joints[i, 2], joints[j, 2]) > _FAINT:
                cv2.line(
                    image, places[i], places[j], _bgr(side_colour(COCO, i, j)), width, cv2.LINE_AA
                )
        for i in np.flatnonzero(known):
            cv2.circle(image, places[i], width + 1, (255, 255, 255), -1, cv2.LINE_AA)
        top = joints[known, 1].min()
        left = joints[known, 0].min()
        _write(cv2, image, name, (int(left), int(top - 0.12 * tall)), max(0.7, tall / 400))
    return image


def video(
    source: str | os.PathLike | int,
    tracks: Sequence[Track],
    path: str | Path,
    names: Mapping[str, str] = {},
    progress: bool = True,
) -> None:
    """Writes the video `source` with its people drawn into it.

    Args:
      tracks: of `read`.
      path: ends in one of `CODES`.
      names: name of a track -> what to write beside the person; default: its own.

    Raises:
      DataError: another ending; what cannot be read or written.
    """
    cv2, code = opencv.load(), codec(path)
    seen: dict[int, dict[str, np.ndarray]] = {}
    for track in tracks:
        for number, joints in zip(track.frames.tolist(), track.poses, strict=True):
            seen.setdefault(number, {})[names.get(track.name, track.name)] = joints
    with footage.opened(source) as opened, files.whole(path, sync=False) as temporary:
        scale = min(1.0, HEIGHT / min(opened.size))
        size = tuple(2 * round(side * scale / 2) for side in opened.size)
        # A codec wants whole frames a second, or nearly.
        writer = cv2.VideoWriter(
            str(temporary), cv2.VideoWriter_fourcc(*code), round(opened.fps, 3), size
        )
        if not writer.isOpened():
            raise DataError(f"{path}: OpenCV here cannot write {code}; try another ending")
        try:
            frames = opened.frames
            if progress and opened.total:
                frames = each(frames, opened.total, f"drawing {Path(path).name}", "frames")
            for number, image, _ in frames:
                people = {
                    name: joints * [*np.array(size) / opened.size, 1.0]
                    for name, joints in seen.get(number, {}).items()
                }
                small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
                writer.write(skeletons(small, people))
        finally:
            writer.release()


def codec(path: str | Path) -> str:
    """The codec for a file's ending. DataError: another ending than `CODES` has."""
    ending = Path(path).suffix.lower()
    if ending not in CODES:
        raise DataError(f"{path}: cannot be written; expected the ending {', '.join(CODES)}")
    return CODES[ending]


def _write(cv2, image: np.ndarray, text: str, at: tuple[int, int], scale: float) -> None:
    at = (max(at[0], 2), max(at[1], round(24 * scale)))
    for colour, width in (((0, 0, 0), 4), ((255, 255, 255), 1)):
        thick = max(width, round(width * scale * 1.5))
        cv2.putText(image, text, at, cv2.FONT_HERSHEY_SIMPLEX, scale, colour, thick, cv2.LINE_AA)


def _bgr(colour: str) -> tuple[int, int, int]:
    """#RRGGBB as OpenCV has it."""
    red, green, blue = bytes.fromhex(colour[1:])
    return blue, green, red
