"""People in one look at an image: BlazePose's detector, its anchors and boxes.

The network sees a square of 224 x 224 pixels, values -1 to 1, and gives 12 numbers and a score for
each of 2254 anchors (arXiv:2006.10204, arXiv:1907.05047; the model card of BlazePose GHUM 3D): the
box of the face and upper body, and four points, of which two describe the circle about the person.
"""

from typing import NamedTuple

import numpy as np

from gaitjax.video.model import Network
from gaitjax.video.region import Region, around, back, cut

SIZE = 224  # pixels of a side of what the network sees
# Cells of SIZE a side -> anchors in each.
_GRIDS = {28: 2, 14: 2, 7: 6}
SURE = 0.5  # score of a person
OVERLAP = 0.3  # intersection over union of two boxes that are of one person


class Detections(NamedTuple):
    """Who is in a square, the surest first.

    Attributes:
      scores: (N,) 0 to 1.
      boxes: (N, 4) left, top, right, bottom, in pixels.
      points: (N, 4, 2) the middle of the hips, the top of the circle about the person, and the same
        two of the upper body, in pixels.
    """

    scores: np.ndarray
    boxes: np.ndarray
    points: np.ndarray


def anchors() -> np.ndarray:
    """(2254, 2) centres of the anchors, as shares of the square, row by row, finest grid first."""
    centres = []
    for cells, count in _GRIDS.items():
        y, x = np.mgrid[:cells, :cells].reshape(2, -1)
        centres.append(np.repeat(np.column_stack([x, y]) + 0.5, count, axis=0) / cells)
    return np.concatenate(centres)


_ANCHORS = anchors()


def decode(raw: np.ndarray, logits: np.ndarray, least: float = SURE) -> Detections:
    """What the network says, of anchors with a score of `least` and more, in its 224 pixels.

    Args:
      raw: (2254, 12) x, y, width, height and four points x, y, pixels from the anchor.
      logits: (2254,).
    """
    scores = 1 / (1 + np.exp(-np.clip(logits, -50, 50).astype(np.float64)))
    kept = np.flatnonzero(scores >= least)
    kept = kept[np.argsort(-scores[kept], kind="stable")]
    places = raw[kept].reshape(-1, 6, 2).astype(np.float64)
    places[:, [0, 2, 3, 4, 5]] += SIZE * _ANCHORS[kept, None]
    centre, half = places[:, 0], places[:, 1] / 2
    boxes = np.concatenate([centre - half, centre + half], axis=1)
    return Detections(scores[kept], boxes, places[:, 2:])


def suppress(found: Detections, overlap: float = OVERLAP) -> Detections:
    """One detection a person: of boxes that overlap, the means weighed by score.

    Args:
      overlap: intersection over union.
    """
    left = np.arange(len(found.scores))
    kept = []
    while len(left):
        same = _overlaps(found.boxes[left[0]], found.boxes[left]) > overlap
        same[0] = True
        group, left = left[same], left[~same]
        weights = found.scores[group] / found.scores[group].sum()
        kept.append(
            (
                found.scores[group[0]],
                weights @ found.boxes[group],
                np.tensordot(weights, found.points[group], 1),
            )
        )
    if not kept:
        return Detections(found.scores[:0], found.boxes[:0], found.points[:0])
    return Detections(*map(np.stack, zip(*kept, strict=True)))


def _overlaps(box: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    low, high = np.maximum(box[:2], boxes[:, :2]), np.minimum(box[2:], boxes[:, 2:])
    both = np.clip(high - low, 0, None).prod(axis=1)
    sizes = np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).prod(axis=1)
    size = np.clip(box[2:] - box[:2], 0, None).prod()
    return both / np.maximum(sizes + size - both, 1e-9)


def detect(network: Network, image: np.ndarray, window: Region) -> list[Region]:
    """Where the people in a square of an image (H, W, 3) uint8 are, the surest first."""
    seen = cut(image, window, SIZE).astype(np.float32) / 127.5 - 1
    raw, logits = network(seen)
    found = suppress(decode(raw, logits[:, 0]))
    return [around(hips, top) for hips, top in back(found.points[:, :2], window, SIZE)]
