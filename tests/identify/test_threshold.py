"""Thresholds: worked by hand, and kept on people never seen."""

import math

import numpy as np
import pytest

from gaitjax.identify import matching, threshold
from gaitjax.identify.threshold import NOBODY, choose, of_enrolled, of_impostors, of_people


def test_by_hand():
    nine = of_people([*range(1, 10)], [*"abcdefghi"])
    # The next stranger is the tenth: each tenth of the rate lets one more pass.
    assert nine.below(0.1) == 1 and nine.below(0.199) == 1 and nine.below(0.2) == 2
    assert nine.below(0.9) == 9 and nine.below(0.99) == 9 and nine.below(1.0) == math.inf
    assert nine.below(0.05) == 0, "of nine, no threshold can promise one in twenty"
    assert nine.promise(1) == pytest.approx(0.1) and nine.promise(3) == pytest.approx(0.3)
    assert nine.as_near(0.5) == pytest.approx(0.1) and nine.as_near(3) == pytest.approx(0.4)


def test_a_person_counts_once_however_many_walks():
    found = of_people([1, 2, 3, 4], ["ann", "ann", "bob", "cyd"])
    assert found.people == 3 and found.weights.tolist() == [0.5, 0.5, 1, 1]
    assert found.below(0.25) == 1
    assert found.below(0.375) == 2 and found.below(0.5) == 3


def test_enrolled_people_make_up_for_the_name_that_is_left_out():
    found = of_enrolled([1, 2, 3], [*"abc"])
    assert found.weights.tolist() == [1.5, 1.5, 1.5]
    assert of_enrolled([1.0], ["a"]) == NOBODY


def test_choice():
    walkers = of_people(np.linspace(1, 2, 99), range(99))
    many, two = of_enrolled(np.linspace(3, 4, 150), range(150)), of_enrolled([0.5, 0.6], [*"ab"])
    assert (
        choose(0.01, many, walkers).value == 3 and "150 enrolled" in choose(0.01, many, NOBODY)[3]
    )
    assert choose(0.01, NOBODY, walkers).value == 1
    assert choose(0.01, two, walkers).value == 0.5, "real people came nearer than that"
    assert "lowered to the nearest two" in choose(0.01, two, walkers).found
    alone = choose(0.01, two, NOBODY)
    assert alone.value == 0.5 and alone.promised == pytest.approx(1 / 3)
    assert choose(0.01, NOBODY, NOBODY).value == 0
    few = of_impostors(0.01, of_people([1, 2, 3, 4], [*"abcd"]), "DIR")
    assert few.value == 1 and few.promised == pytest.approx(0.2) and "4 impostors in DIR" in few[3]


@pytest.mark.parametrize("match", matching.MATCH)
def test_promise_holds_on_people_never_seen(match):
    """Galleries of 29 people, 3 walks each; 300 strangers, 2 walks each, come to every one.

    The promise is of the mean over galleries. It is no empty one: somebody does pass.
    """
    wanted, passed, asked = 0.1, {"enrolled": [], "impostors": []}, 29
    for seed in range(25):
        rng = np.random.default_rng(seed)

        def people(count, walks, rng=rng):
            middles = rng.normal(0, 1, (count, 1, 5))
            spread = 0.25 * rng.normal(0, 1, (count, walks, 5))
            return (middles + spread).reshape(-1, 5, 1).astype(np.float32)

        walks, names = people(asked, 3), np.repeat(np.arange(asked).astype(str), 3)
        rest = walks, names, np.ones(len(walks)), "euc", match
        strangers, others = people(300, 2), people(49, 2)
        near = matching.to_names(strangers, *rest)[1].min(axis=1)
        own = matching.of_strangers(*rest)
        near_others = matching.to_names(others, *rest)[1].min(axis=1)
        impostors = of_people(near_others, np.repeat(np.arange(49), 2))
        for how, found in (
            ("enrolled", choose(wanted, of_enrolled(own, names), NOBODY)),
            ("impostors", of_impostors(wanted, impostors, "DIR")),
        ):
            assert found.promised <= wanted
            passed[how].append((near < found.value).mean())
    for how, rates in passed.items():
        assert 0.03 < np.mean(rates) <= wanted, (how, np.mean(rates))


def test_nobody_is_named_without_a_threshold():
    assert threshold.choose(0.01, NOBODY, NOBODY).strangers.people == 0
