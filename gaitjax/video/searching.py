"""Where newcomers are looked for: where something moves that is nobody known, and all over in turn.

A look at one square takes as long as a third of a person's joints, so that a frame gets only a few.
The next one goes to the square with the largest product of what has changed in it, nobody known
counted, and of the time since it was looked at.
"""

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from gaitjax.video import opencv
from gaitjax.video.region import Region

_WIDTH = 160  # pixels of the picture in which changes are sought
_CHANGED = 20  # grey levels
_ANYWHERE = 0.005  # share of a square that counts as changed where nothing is
_AROUND = 0.2  # of the height of somebody known, that may have moved


class Search(NamedTuple):
    """What has been looked at.

    Attributes:
      windows: the squares.
      looked: (N,) frame of each one's last look.
      picture: small and grey, of the last frame in which changes were sought; None: no frame yet.
    """

    windows: tuple[Region, ...]
    looked: np.ndarray
    picture: np.ndarray | None = None


def begin(size: tuple[int, int]) -> Search:
    """Of the squares that `windows` has, none looked at."""
    squares = windows(size)
    return Search(squares, np.zeros(len(squares)))


def windows(size: tuple[int, int]) -> tuple[Region, ...]:
    """The squares, each half over the next: of the image's longer and shorter side, for people who
    fill it, and of half the shorter side, for those far away.

    Args:
      size: width and height of the image.
    """
    long, short = max(size), min(size)
    found = [Region(size[0] / 2, size[1] / 2, long)]
    for side in (short, short / 2) if long > 1.2 * short else (short / 2,):
        y, x = (_centres(length, side) for length in reversed(size))
        found += [Region(left, top, side) for top in y for left in x]
    return tuple(found)


def _centres(length: float, side: float) -> list[float]:
    count = math.ceil(2 * (length - side) / side - 1e-6) + 1
    return np.linspace(side / 2, length - side / 2, max(1, count)).tolist()


def choose(
    search: Search, image: np.ndarray, frame: int, count: int, people: Iterable[np.ndarray]
) -> tuple[list[Region], Search]:
    """The `count` squares to look at in this frame; all of them in the first one.

    Args:
      image: (H, W, 3) uint8.
      frame: its number.
      people: joints (17, 3) of those known to be in it.
    """
    if search.picture is None:
        looked = np.full(len(search.windows), float(frame))
        return list(search.windows), search._replace(looked=looked, picture=_small(image))
    if not count:
        return [], search
    picture = _small(image)
    changed = np.abs(picture.astype(int) - search.picture) > _CHANGED
    scale = picture.shape[1] / image.shape[1]
    for joints in people:
        known = joints[joints[:, 2] > 0, :2]
        if len(known):
            more = _AROUND * float(np.ptp(known[:, 1]))
            low, high = (known.min(axis=0) - more) * scale, (known.max(axis=0) + more) * scale
            changed[_span(low[1], high[1]), _span(low[0], high[0])] = False
    share = np.array([_share(changed, window, scale) for window in search.windows])
    order = np.argsort(-(_ANYWHERE + share) * (frame - search.looked), kind="stable")[:count]
    looked = search.looked.copy()
    looked[order] = frame
    return [search.windows[i] for i in order], Search(search.windows, looked, picture)


def _small(image: np.ndarray) -> np.ndarray:
    cv2 = opencv.load()
    height = max(1, round(image.shape[0] * _WIDTH / image.shape[1]))
    return cv2.cvtColor(cv2.resize(image, (_WIDTH, height)), cv2.COLOR_BGR2GRAY)


def _span(low: float, high: float) -> slice:
    return slice(max(0, math.floor(low)), max(0, math.ceil(high)))


def _share(changed: np.ndarray, window: Region, scale: float) -> float:
    half = window.side / 2
    inside = changed[
        _span((window.y - half) * scale, (window.y + half) * scale),
        _span((window.x - half) * scale, (window.x + half) * scale),
    ]
    return float(inside.sum()) / (window.side * scale) ** 2
