"""What a network was trained on: measured, told from other cameras, and poses brought to it."""

import re

import numpy as np
import pytest

from gaitjax.data import familiar, walkers
from gaitjax.errors import DataError


@pytest.fixture(scope="module")
def walks() -> list[np.ndarray]:
    return [walk for i in range(6) for walk in walkers.identity(0, i, 50)[0]]


@pytest.fixture(scope="module")
def known(walks) -> dict:
    return measured(walks)


def measured(walks) -> dict:
    return familiar.measure(walks.__getitem__, len(walks))


def moved(walk: np.ndarray, scale: float = 1, right: float = 0, down: float = 0) -> np.ndarray:
    there = (walk[..., :2] != 0).any(axis=-1, keepdims=True)
    out = walk * np.float32([scale, scale, 1]) + np.float32([right, down, 0])
    return np.where(there, out, 0).astype(np.float32)


def test_measures_what_is_there():
    body = np.zeros((4, 17, 3), np.float32)
    body[:, 0], body[:, 1] = (100, 50, 0.5), (110, 250, 0.7)  # all others are missing
    body[:, :2, 0] += np.arange(4)[:, None] * 3
    found = familiar.look(body)
    assert found["frames"] == 4 and found["height"] == 200 and found["y"] == 150
    assert found["x"] == pytest.approx(105 + 4.5) and found["speed"] == pytest.approx(3)
    assert found["motion"] == pytest.approx(0)
    np.testing.assert_allclose(found["confidence"][[0, -1]], [0.5, 0.7], atol=1e-6)
    nothing = familiar.measure(lambda row: np.zeros((3, 17, 3)), 2)
    assert nothing["height"] == [0.0] * 5 and nothing["frames"] == [3.0] * 5


def test_the_same_camera_is_no_difference(walks, known):
    assert familiar.differences(measured(walks[::2]), known) == []


@pytest.mark.parametrize(
    ("change", "told", "mended"),
    [
        (lambda w: moved(w, 2), "people are .* pixels high.*rescale=fit", True),
        (lambda w: moved(w, 0.5), "people are .* pixels high", True),
        (lambda w: w / np.float32([320, 240, 1]), "people are 0.* high.*shares of an image", True),
        (lambda w: moved(w, right=300), "people stand at x = .*rescale=fit", True),
        (lambda w: moved(w, down=-200), "people stand at y = ", True),
        (lambda w: w * np.float32([1, 1, 6]), "confidences are .* in the middle", True),
        (lambda w: np.dstack([w[..., :2], w[..., 2] > 0]), "confidences are all 1,", True),
        (lambda w: w[::2], "limbs move 1.* times as far .*--resample", False),
        (lambda w: np.repeat(w, 2, axis=0), "limbs move 0.[45].* times as far", False),
        (lambda w: w[:10], "sequences have 10 frames", False),
        (lambda w: w[:1], "sequences have 1 frames", False),
    ],
)
def test_differences_are_said_and_mended(walks, known, change, told, mended):
    other = [change(walk) for walk in walks]
    assert len(familiar.differences(measured(other), known)) >= 1

    assert any(re.match(told, line) for line in familiar.differences(measured(other), known))
    fitted = [familiar.fit(walk, known) for walk in other]
    left = familiar.differences(measured(fitted), known)
    assert mended == (not [line for line in left if re.match(told, line)])


def test_fit_is_exact_and_undoes_scale_and_place(walks, known):
    for walk in walks[:3]:
        plain = familiar.fit(walk, known)
        seen = familiar.look(plain)
        assert seen["height"] == pytest.approx(known["height"][2], rel=1e-4)
        assert seen["x"] == pytest.approx(known["x"][2], abs=0.1)
        other = familiar.fit(moved(walk, 3, 40, -7), known)
        np.testing.assert_allclose(other, plain, atol=2e-3)
        shares = familiar.fit(walk / np.float32([320, 240, 1]), known)
        np.testing.assert_allclose(shares, plain, atol=2e-3)
        # Joints that are missing stay missing, those made up keep no confidence.
        assert ((walk == 0).all(axis=-1) == (plain == 0).all(axis=-1)).all()
        larger = familiar.fit(walk * np.float32([1, 1, 6]), known)
        assert known["confidence"][0] <= np.median(larger[..., 2]) <= known["confidence"][4]


def test_nothing_seen_stays_as_it_is(known):
    empty = np.zeros((5, 17, 3), np.float32)
    np.testing.assert_array_equal(familiar.fit(empty, known), empty)


def test_without_any_confidence_only_size_and_place_change(walks, known):
    unsure = walks[0] * np.float32([1, 1, 0])
    fitted = familiar.fit(unsure, known)
    assert familiar.look(fitted)["height"] == pytest.approx(known["height"][2], rel=1e-4)
    assert not fitted[..., 2].any()


def test_confidences_that_say_nothing_become_those_of_such_a_body(walks, known):
    """Nearer to the true ones than any constant, and in whatever units x and y are."""
    ones = [np.dstack([w[..., :2], w[..., 2] > 0]).astype(np.float32) for w in walks]

    def error(found, of) -> float:
        return np.sqrt(np.mean([(f - w[..., 2])[w[..., 2] > 0].std() ** 2
                                for f, w in zip(found, of, strict=True)]))  # fmt: skip

    fitted = [familiar.fit(one, known)[..., 2] for one in ones]
    assert error(fitted, walks) < 0.8 * error([one[..., 2] for one in ones], walks)
    for one, found in zip(ones, fitted, strict=True):
        shares = familiar.fit(one / np.float32([320, 240, 1]), known)
        np.testing.assert_allclose(shares[..., 2], found)
        assert ((found == 0) == (one[..., 2] == 0)).all()
    # Of several estimators, what any of them says of the same body becomes one.
    sure = [familiar.fit(w * np.float32([1, 1, 6]), known, "typical")[..., 2] for w in walks]
    for found, other in zip(fitted, sure, strict=True):
        np.testing.assert_array_equal(other, found)
    older = {name: values for name, values in known.items() if name != "bodies"}
    np.testing.assert_array_equal(
        np.unique(familiar.fit(ones[0], older)[..., 2]),
        np.unique(np.float32([0, known["confidence"][2]])),
    )


def test_a_record_that_is_none(known):
    assert familiar.checked(known, "w.npz") == known
    assert familiar.checked({k: v for k, v in known.items() if k != "bodies"}, "w.npz")  # older
    bad_bodies = [[[0.0, 1.0]]], [[[0.0, 1.0, "a"]]], [[[0.0] * 3], 7], {"a": 1}
    bad_records = [{**known, "bodies": bodies} for bodies in bad_bodies]
    for bad in (None, {}, {**known, "height": [1.0]}, {**known, "x": ["a"] * 5}, *bad_records):
        with pytest.raises(DataError, match="w.npz: does not say what poses"):
            familiar.checked(bad, "w.npz")
