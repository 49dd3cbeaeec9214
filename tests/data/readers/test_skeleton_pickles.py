"""Pickles of pyskl and mmaction2."""

import pickle

import numpy as np
import pytest

from gaitjax.data import readers
from gaitjax.errors import DataError
from tests.helpers.walk import WALK


def test_pickles_of_several_videos(tmp_path):
    path = tmp_path / "x.pkl"
    entries = [
        {
            "frame_dir": name,
            "keypoint": WALK[None, ..., :2].astype(np.float16),
            "keypoint_score": WALK[None, ..., 2].astype(np.float16),
            "label": np.int64(3),
            "img_shape": (480, 640),
        }
        for name in ("a", "b")
    ]
    path.write_bytes(pickle.dumps(entries))
    np.testing.assert_allclose(readers.read(path, video="b").poses, WALK, atol=0.3)
    with pytest.raises(DataError, match="several videos, 2: a, b; name one with --video"):
        readers.read(path)
    with pytest.raises(DataError, match="no video 'c' among 2: a, b"):
        readers.read(path, video="c")
    path.write_bytes(pickle.dumps(WALK))
    with pytest.raises(DataError, match="holds one array.*python -m gaitjax.prepare opengait"):
        readers.read(path)
