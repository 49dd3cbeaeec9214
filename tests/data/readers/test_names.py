"""Frame numbers out of names and times."""

import numpy as np
import pytest

from gaitjax.data.readers import names as frame_names
from gaitjax.errors import DataError


@pytest.mark.parametrize(
    ("names", "numbers"),
    [
        (["f_0001_jpg.rf.0a1b2c3d4e5f.jpg", "f_0002_jpg.rf.9f8e7d6c5b4a.jpg"], [1, 2]),
        (["9_cam2.png", "10_cam2.png"], [9, 10]),
        (["cam1_7.png", "cam2_8.png"], [7, 8]),  # no number comes twice: one video
        (["20260102-030405.jpg", "20260102-030407.jpg"], [0, 2_000_000]),
        (["d41d8cd98f00.png", "a41d8cd98f01.png"], [0, 1]),
    ],
)
def test_frames_by_name(names, numbers):
    found, _ = frame_names.frame_numbers("x", names, in_order=True)
    values = [found[name] for name in names]
    assert values == numbers or np.diff(values).tolist() == np.diff(numbers).tolist()


def test_frames_of_two_videos():
    with pytest.raises(DataError, match="'a/1.jpg' and 'b/1.jpg' have the same number"):
        frame_names.frame_numbers("x", ["a/1.jpg", "a/2.jpg", "b/1.jpg", "b/2.jpg"])
    with pytest.raises(DataError, match="holds no frame number"):
        frame_names.frame_numbers("x", ["d41d8cd98f00.png", "a41d8cd98f01.png"])


def test_steps():
    """Gaps stay gaps; what max_gap bridges stays as it is."""
    assert frame_names.evenly([0, 10, 20, 50], 5)[0] == {0: 0, 10: 1, 20: 2, 50: 5}
    assert frame_names.evenly([100, 133, 166, 201, 233], 5)[0] == {
        100: 0, 133: 1, 166: 2, 201: 3, 233: 4,
    }  # fmt: skip
    assert frame_names.evenly([3, 5, 7, 30], 5) == ({3: 3, 5: 5, 7: 7, 30: 30}, [])
    assert frame_names.evenly([4], 5)[0] == {4: 4}
