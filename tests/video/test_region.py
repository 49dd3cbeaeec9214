"""The square about a person, there and back."""

import numpy as np
import pytest

from gaitjax.video import region
from gaitjax.video.region import Region

TURNED = Region(120.5, 80.25, 64, 0.4)


@pytest.mark.parametrize(
    "top, angle",
    [((0, -10), 0), ((10, 0), np.pi / 2), ((-10, 0), -np.pi / 2), ((6, -8), np.arctan2(6, 8))],
)
def test_around(top, angle):
    """The circle's radius is 10; the square has a quarter more; up is where its top lies."""
    found = region.around(np.array([5.0, 7.0]), np.array([5.0, 7.0]) + top)
    np.testing.assert_allclose(found, (5, 7, 25, angle), atol=1e-12)


def test_there_and_back():
    points = np.random.default_rng(0).uniform(0, 200, (5, 3, 2))
    to = region.matrix(TURNED, 256)
    drawn = points @ to[:, :2].T + to[:, 2]
    np.testing.assert_allclose(region.back(drawn, TURNED, 256), points, atol=1e-10)


def test_corners():
    """A person who leans to the right is drawn upright: the top is above the middle."""
    hips, top = np.array([100.0, 60.0]), np.array([106.0, 52.0])
    place = region.around(hips, top)
    to = region.matrix(place, 250)
    np.testing.assert_allclose(to[:, :2] @ hips + to[:, 2], [125, 125], atol=1e-9)
    np.testing.assert_allclose(to[:, :2] @ top + to[:, 2], [125, 25], atol=1e-9)


def test_cut_puts_pixels_where_the_matrix_says():
    image = np.zeros((160, 200, 3), np.uint8)
    image[58:63, 98:103] = 10, 20, 200
    place = Region(110, 70, 80, 0.3)
    drawn = region.cut(image, place, 160)
    assert drawn.shape == (160, 160, 3)
    v, u = np.argwhere(drawn[..., 0] > 150).mean(axis=0)  # red comes first
    to = region.matrix(place, 160)
    np.testing.assert_allclose([u, v], to[:, :2] @ [100, 60] + to[:, 2], atol=0.1)
    outside = region.cut(image + 99, Region(0, 0, 40), 40)
    assert not outside[:19].any() and outside[21:, 21:].all()


def test_moved():
    assert region.moved(TURNED, np.array([1.0, -2.0])) == Region(121.5, 78.25, 64, 0.4)
