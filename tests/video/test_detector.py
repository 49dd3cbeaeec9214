"""Anchors, boxes and one detection a person."""

import numpy as np
import pytest

from gaitjax.video import detector
from gaitjax.video.detector import SIZE, Detections
from gaitjax.video.region import Region

NOBODY = np.full(2254, -20.0, np.float32)


def test_anchors():
    """28 x 28 cells of two anchors, 14 x 14 of two, 7 x 7 of six, row by row, in their middle."""
    anchors = detector.anchors()
    assert anchors.shape == (28 * 28 * 2 + 14 * 14 * 2 + 7 * 7 * 6, 2) == (2254, 2)
    np.testing.assert_allclose(anchors[[0, 1, 2]], np.array([[1, 1], [1, 1], [3, 1]]) / 56)
    np.testing.assert_allclose(anchors[28 * 2], np.array([1, 3]) / 56)
    np.testing.assert_allclose(anchors[1568], np.array([1, 1]) / 28)
    np.testing.assert_allclose(anchors[[1960, 1965, 1966]], np.array([[1, 1], [1, 1], [3, 1]]) / 14)
    np.testing.assert_allclose(anchors[-1], np.array([13, 13]) / 14)


def test_decode():
    """Places are pixels from the anchor; width and height are pixels."""
    raw, logits = np.zeros((2254, 12), np.float32), NOBODY.copy()
    raw[1960] = [10, 20, 30, 40, 1, 2, 3, -4, 5, 6, 7, 8]  # its anchor is (16, 16)
    logits[1960], logits[0], logits[5] = (
        np.log(3),
        -0.01,
        300,
    )  # 0.75, just too low, as sure as can be
    found = detector.decode(raw, logits)
    np.testing.assert_allclose(found.scores, [1, 0.75], rtol=1e-6)  # the surest first
    np.testing.assert_allclose(found.boxes[1], [11, 16, 41, 56])
    np.testing.assert_allclose(found.points[1], [[17, 18], [19, 12], [21, 22], [23, 24]])


def test_suppress_takes_the_weighted_mean_of_one_person():
    boxes = np.array([[0, 0, 10, 10], [50, 0, 60, 10], [2, 0, 12, 10]], float)
    points = np.arange(24, dtype=float).reshape(3, 4, 2)
    found = detector.suppress(Detections(np.array([0.9, 0.8, 0.6]), boxes, points))
    assert found.scores.tolist() == [0.9, 0.8]
    np.testing.assert_allclose(found.boxes, [[0.8, 0, 10.8, 10], boxes[1]])
    np.testing.assert_allclose(found.points[0], 0.6 * points[0] + 0.4 * points[2])


@pytest.mark.parametrize("apart, people", [(5.0, 1), (5.5, 2)])
def test_boxes_of_one_person_overlap_by_more_than_three_tenths(apart, people):
    boxes = np.array([[0, 0, 10, 10], [apart, 0, 10 + apart, 10]])  # 5: a third of both
    found = detector.suppress(Detections(np.array([0.9, 0.8]), boxes, np.zeros((2, 4, 2))))
    assert len(found.scores) == people


def test_detect_looks_at_a_square_and_tells_where_in_the_image():
    image = np.zeros((100, 300, 3), np.uint8)
    image[..., 0] = 255  # blue comes first
    raw, logits = np.zeros((2254, 12), np.float32), NOBODY.copy()
    raw[1960, 4:8] = [96, 96, 96, 40]  # the middle, and 56 above it
    logits[1960] = 5

    def network(pixels):
        assert pixels.shape == (SIZE, SIZE, 3) and pixels.dtype == np.float32
        np.testing.assert_allclose(pixels[112, 112], [-1, -1, 1])  # red first here
        np.testing.assert_allclose(pixels[0, 112], -1)  # beyond the image
        return raw, logits[:, None]

    (found,) = detector.detect(network, image, Region(150, 50, 200))
    np.testing.assert_allclose(found, Region(150, 50, 2 * 1.25 * 50, 0))


def test_nobody():
    image = np.zeros((50, 50, 3), np.uint8)

    def network(pixels):
        return np.zeros((2254, 12), np.float32), NOBODY[:, None]

    assert detector.detect(network, image, Region(25, 25, 50)) == []
