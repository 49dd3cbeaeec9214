"""Where newcomers are looked for."""

import numpy as np
import pytest

from gaitjax.video import searching

SIZE = (640, 360)


@pytest.mark.parametrize("size", [(640, 360), (360, 640), (480, 480), (1920, 1080), (100, 1000)])
def test_squares_cover_the_image_at_each_size(size):
    squares = searching.windows(size)
    sides = sorted({square.side for square in squares})
    assert sides[0] == min(size) / 2 and sides[-1] == max(size)
    for side in sides:
        covered = np.zeros(size[::-1], bool)
        for square in (s for s in squares if s.side == side):
            low = np.maximum(np.floor(np.array(square[:2]) - side / 2), 0).astype(int)
            high = np.ceil(np.array(square[:2]) + side / 2).astype(int)
            covered[low[1] : high[1], low[0] : high[0]] = True
        assert covered.all()
    # Whoever is up to half as tall as a square is whole in one of it.
    left = sorted({s.x - s.side / 2 for s in squares if s.side == sides[0]})
    assert np.diff(left).max(initial=0) <= sides[0] / 2 + 1e-9


def image(x=None):
    """Grey, with a white pole at x."""
    result = np.full((360, 640, 3), 90, np.uint8)
    if x is not None:
        result[200:300, x : x + 30] = 255
    return result


def test_all_at_first_then_where_something_moves():
    first, search = searching.choose(searching.begin(SIZE), image(), 0, 1, [])
    assert tuple(first) == searching.windows(SIZE)
    (square,), search = searching.choose(search, image(500), 2, 1, [])
    assert abs(square.x - 515) < square.side / 2 and abs(square.y - 250) < square.side / 2


def test_all_over_in_turn():
    """Where nothing moves, every square is looked at as often as any other."""
    _, search = searching.choose(searching.begin(SIZE), image(), 0, 1, [])
    seen = []
    for frame in range(1, 2 * len(search.windows) + 1):
        (square,), search = searching.choose(search, image(), frame, 1, [])
        seen.append(square)
    assert all(seen.count(square) == 2 for square in search.windows)


def test_who_is_known_does_not_draw_the_look():
    joints = np.ones((17, 3))
    joints[:, 0], joints[:, 1] = 515, np.linspace(200, 300, 17)
    _, search = searching.choose(searching.begin(SIZE), image(), 0, 1, [])
    moving = image(500)
    moving[250:290, 100:110] = 255  # much less
    (square,), _ = searching.choose(search, moving, 1, 1, [joints])
    assert abs(square.x - 105) < square.side / 2


def test_a_frame_without_a_look():
    _, search = searching.choose(searching.begin(SIZE), image(), 0, 1, [])
    squares, after = searching.choose(search, image(500), 1, 0, [])
    assert squares == [] and after is search  # what moved counts at the next look
