"""Cutting a test set into batches: every frame once, within the bounds, in few shapes."""

import numpy as np
import pytest

from gaitjax.evaluation import batches
from gaitjax.evaluation.batches import Bounds

LENGTHS = np.concatenate([np.random.default_rng(0).integers(1, 200, 300), [1, 999, 3000, 16]])
SEES = (5, 7)


@pytest.mark.parametrize("devices", [1, 8])
@pytest.mark.parametrize("frames", [64, 500, 10**6])
def test_every_frame_of_every_sequence_is_pooled_once(frames, devices):
    bounds = Bounds(frames, 32, devices)
    pooled = [np.zeros(length, int) for length in LENGTHS]
    shapes = set()
    for batch in batches.of_sequences(LENGTHS, bounds, SEES):
        rows, index, mask, own = batches.clips_of_sequences(batch, LENGTHS, SEES)
        assert index.shape == mask.shape == own.shape == (batch.size, batch.frames)
        assert (index >= 0).all() and (index < LENGTHS[rows, None]).all()
        shapes.add((index.shape, batch.pieces > 1))
        for clip in range(len(batch.rows)):
            mine = index[clip][own[clip]]
            pooled[rows[clip]][mine] += 1
            # Before and after its own frames it has those that they see, as far as there are any.
            first, last = mine.min(initial=10**6), mine.max(initial=-1)
            real = index[clip][mask[clip]]
            if batch.pieces > 1 and len(mine):
                assert real.min() == max(0, first - SEES[0])
                assert real.max() >= min(LENGTHS[rows[clip]] - 1, last + SEES[1])
        each = batch.size / devices
        assert batch.size % devices == 0 and each * devices <= 32
        assert each * batch.frames <= frames + sum(SEES) + 8 or each == 1
    assert all((counts == 1).all() for counts in pooled)
    assert len(shapes) <= 13


def test_windows():
    starts = np.arange(20).reshape(10, 2)
    lengths = np.full(10, 21)
    found = {}
    for batch in batches.of_windows(10, 3, 2, Bounds(20, 100)):
        assert batch.size == 3  # 20 frames hold 3 times 2 windows of 3
        rows, index = batches.clips_of_windows(batch, starts, lengths, first=1)
        assert index.shape == (6, 3)
        found |= {(row, window[0]): window for row, window in zip(rows, index, strict=True)}
    for (row, first), window in found.items():
        assert first - 1 in starts[row]
        np.testing.assert_array_equal(window, (first + np.arange(3)) % 21)
    assert len(found) == 20


def test_a_batch_is_no_larger_than_what_is_wanted():
    bounds = Bounds(1000, 64)
    assert [bounds.fitting(10, n) for n in (1, 2, 3, 5, 60)] == [1, 2, 4, 8, 64]
    assert bounds.fitting(100, 1000) == 10 and bounds.fitting(2000, 9) == 1
    assert bounds._replace(devices=8).fitting(10, 3) == 8


def test_batches_are_equal():
    """Filling up the last of 64, 64 and 2 would cost a third."""
    assert Bounds(1000, 64).fitting(10, 130) == 44  # three batches
    assert Bounds(1000, 64, 8).fitting(10, 130) == 48
    assert Bounds(228, 256).fitting(1, 512) == 171
