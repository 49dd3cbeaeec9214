"""Distances to names, by hand."""

import numpy as np
import pytest

from gaitjax.identify import matching

NAMES = np.array(["ann", "bob", "ann", "bob"])
WALKS = np.array([0.0, 10, 4, 16])[:, None, None]


def names_of(probe, match, weights=(1, 1, 1, 1), metric="euc"):
    probe = np.array([[[probe]]], float)
    known, found = matching.to_names(probe, WALKS, NAMES, np.array(weights, float), metric, match)
    assert known == ["ann", "bob"]
    return found[0].tolist()


def test_nearest_and_mean():
    assert names_of(7.0, "nearest") == [3, 3]
    assert names_of(7.0, "mean") == [5, 6]


def test_quality_weighs_in_the_mean_alone():
    assert names_of(7.0, "nearest", (1, 1, 0.1, 1)) == [3, 3]
    assert names_of(7.0, "mean", (1, 1, 0.25, 1)) == pytest.approx([6.2, 6], rel=1e-5)


def test_mean_of_cosines_is_of_directions():
    walks = np.array([[100.0, 0], [0, 1]])[..., None]
    middle = matching.middle(walks, np.ones(2), "cos")[:, 0]
    assert middle.tolist() == [0.5, 0.5]


def test_own_name_is_left_out():
    rest = WALKS, NAMES, np.ones(4), "euc"
    assert matching.of_strangers(*rest, "nearest").tolist() == [10, 6, 6, 12]
    assert matching.of_own(*rest, "nearest").tolist() == [4, 6, 4, 6]
    assert matching.of_own(*rest, "mean").tolist() == [4, 6, 4, 6]
    alone = matching.of_own(WALKS[:2], NAMES[:2], np.ones(2), "euc", "nearest")
    assert np.isnan(alone).all()
