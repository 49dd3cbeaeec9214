"""Batches made ahead: their order, how far, errors, an early end."""

import threading
import time

import numpy as np
import pytest

from gaitjax.data.prefetch import prefetch
from gaitjax.errors import DataError


def workers():
    return [t for t in threading.enumerate() if t.name.startswith("prefetch")]


def test_batches_come_in_order_and_not_too_far_ahead():
    made = []

    def make(t):
        made.append(t)
        return {"t": np.array(t)}

    for t, batch in enumerate(prefetch(make, 3, 10, depth=2), start=3):
        assert batch["t"] == t
        time.sleep(0.01)
        assert max(made) <= t + 2
    assert made == list(range(3, 10))
    assert not workers()


def test_making_a_batch_overlaps_with_using_the_one_before():
    started = threading.Event()

    def make(t):
        if t == 1:
            started.set()
        return t

    batches = prefetch(make, 0, 3)
    assert next(batches) == 0
    assert started.wait(5)  # without asking for it
    batches.close()


def test_an_error_comes_out_in_the_place_of_its_batch():
    def make(t):
        if t == 1:
            raise DataError("1_maps.pkl: empty")
        return t

    batches = prefetch(make, 0, 3)
    assert next(batches) == 0
    with pytest.raises(DataError, match="1_maps.pkl.*empty"):
        next(batches)
    assert not workers()


def test_closing_early_drops_what_is_not_begun():
    made = []
    batches = prefetch(lambda t: made.append(t) or time.sleep(0.02), 0, 1000, depth=3)
    next(batches)
    batches.close()
    assert not workers()
    assert len(made) <= 5


def test_nothing_is_made_where_nothing_is_left():
    assert list(prefetch(lambda t: t, 5, 5)) == []
