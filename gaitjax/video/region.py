"""Turned squares of an image: what the networks look at, cut out, and points brought back."""

from typing import NamedTuple

import numpy as np

from gaitjax.video import opencv

# Of the square about a person's circle; the model card's margin.
MARGIN = 1.25


class Region(NamedTuple):
    """A square.

    Attributes:
      x, y: its centre, pixels of the image.
      side: pixels of the image.
      angle: radians by which its upper edge is turned clockwise; 0: upright.
    """

    x: float
    y: float
    side: float
    angle: float = 0.0


def around(centre: np.ndarray, top: np.ndarray) -> Region:
    """The square about a person.

    BlazePose describes a body by a circle (arXiv:2006.10204, section 2): its centre between the
    hips, and the point of it that the trunk leads to.

    Args:
      centre, top: (2,) x and y of the two points.
    """
    x, y = np.asarray(top, np.float64) - centre
    return Region(
        float(centre[0]),
        float(centre[1]),
        float(2 * MARGIN * np.hypot(x, y)),
        float(np.arctan2(x, -y)),
    )


def moved(region: Region, by: np.ndarray) -> Region:
    """The region, (x, y) pixels further."""
    return region._replace(x=region.x + float(by[0]), y=region.y + float(by[1]))


def matrix(region: Region, size: int) -> np.ndarray:
    """(2, 3) that takes (x, y, 1) of the image to pixels of the region drawn `size` wide."""
    cos, sin = np.cos(region.angle), np.sin(region.angle)
    turned = size / region.side * np.array([[cos, sin], [-sin, cos]])
    return np.column_stack([turned, size / 2 - turned @ [region.x, region.y]])


def cut(image: np.ndarray, region: Region, size: int) -> np.ndarray:
    """The region of an image (H, W, 3) uint8, blue first, as (size, size, 3) uint8, red first.

    It is black beyond the image's edges.
    """
    drawn = opencv.load().warpAffine(image, matrix(region, size), (size, size))
    return drawn[..., ::-1]


def back(points: np.ndarray, region: Region, size: int) -> np.ndarray:
    """Points (..., 2) of the region drawn `size` wide as points of the image."""
    to = matrix(region, size)
    return (points - to[:, 2]) @ np.linalg.inv(to[:, :2]).T
