"""Open-set rates: worked by hand, and as the record, the text and the figure show them."""

import numpy as np
import pytest

from gaitjax.evaluation import evaluate, format_record, open_set
from gaitjax.evaluation.figures import figures

NAN, INF = np.nan, np.inf


def made(found, stranger, labels=None):
    labels = np.arange(len(found)).astype(str) if labels is None else np.array(labels)
    return open_set.Searches(labels, np.array(found, float), np.array(stranger, float))


@pytest.mark.parametrize(
    "fpir, expected",
    [(0.0, 0.5), (0.249, 0.5), (0.25, 2.0), (0.5, 4.0), (0.75, 5.0), (0.99, 5.0), (1.0, INF)],
)
def test_threshold_lets_in_no_more_than_asked(fpir, expected):
    stranger = np.array([2.0, 4.0, 5.0, 0.5])
    threshold = open_set.threshold_at(stranger, fpir)
    assert threshold == expected
    assert (stranger < threshold).mean() <= fpir


def test_weighted_threshold():
    stranger, weights = np.array([1.0, 2.0, 3.0]), np.array([2.0, 1.0, 1.0])
    assert open_set.threshold_at(stranger, 0.5, weights) == 2.0
    assert open_set.threshold_at(stranger, 0.49, weights) == 1.0


def test_rates_by_hand():
    """Ten strangers at 1 to 10; four people at 0.5, 1.5, 20, behind another; one not enrolled."""
    searches = made([0.5, 1.5, 20, INF, NAN, *[NAN] * 5], range(1, 11))
    found = open_set.rates(searches, samples=0)
    assert (found["mated"], found["nonmated"]) == (4, 10)
    # 0.1 and 1 percent of ten strangers are none: below 1. 10 percent is one: below 2.
    assert [row["threshold"] for row in found["at"]] == [1, 1, 2]
    assert [row["fnir"] for row in found["at"]] == [75, 75, 50]
    assert found["curve"]["fpir"][-1] == 100 and found["curve"]["fnir"][-1] == 25
    assert found["at"][0]["fnir_interval"] is None
    assert open_set.rates(made([NAN, NAN], [1, 2])) is None


def test_one_identity_has_no_interval_and_many_probes_of_it_count_together():
    assert open_set.rates(made([1, 2], [3, 4], "aa"))["at"][0]["fnir_interval"] is None
    # One of two identities is always missed: a bootstrap sample has none, half or all of it.
    found = open_set.rates(made([1] * 50 + [INF] * 50, [2] * 100, ["a"] * 50 + ["b"] * 50))
    assert found["at"][0]["fnir"] == 50
    np.testing.assert_allclose(found["at"][0]["fnir_interval"], [0, 100])


def test_interval_holds_the_truth_about_as_often_as_it_says():
    """FNIR at 10 % of a normal model: mated N(0, 1), strangers N(3, 1); exactly 4.28 percent."""
    truth, hits = 4.278, 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        searches = made(rng.normal(0, 1, 400), rng.normal(3, 1, 400))
        low, high = open_set.rates(searches, samples=100)["at"][2]["fnir_interval"]
        hits += low <= truth <= high
    assert 33 <= hits <= 40


def test_d_prime_by_hand():
    same, different = np.array([1.0, 3.0]), np.array([6.0, 10.0])  # means 2, 8; variances 1, 4
    moments = np.array([[2, d.sum(), (d * d).sum()] for d in (different, same)])
    assert open_set.d_prime(moments) == pytest.approx(6 / np.sqrt(2.5))
    each = np.stack([moments, moments])
    assert open_set.d_prime_interval(each) == pytest.approx([6 / np.sqrt(2.5)] * 2)


def test_record_text_and_figure():
    """Positions on a line: gallery at 0, 10, 20; probes at 1, 13 and 16: bob is taken for cyd."""
    x = np.array([0.0, 10, 20, 1, 13, 16])[:, None]
    record = evaluate(
        "gallery_probe",
        x,
        ["ann", "bob", "cyd", "ann", "cyd", "cyd"],
        ["g", "g", "g", "p", "p", "q"],
        ["0"] * 6,
        gallery_types=["g"],
        probe_types=["p", "q"],
    )
    found = record["conditions"]["all"]["open_set"]
    # Own identity taken out, the nearest lies at 9 (bob), 3 (bob), 6 (bob).
    assert [row["threshold"] for row in found["at"]] == [3, 3, 3]
    assert found["at"][0]["fnir"] == pytest.approx(200 / 3)
    # Same: 1, 7, 4. Different: 9, 19, 13, 3, 16, 6.
    same, other = np.array([1, 7, 4.0]), np.array([9, 19, 13, 3, 16, 6.0])
    spread = np.sqrt((same.var() + other.var()) / 2)
    assert record["verification"]["d_prime"] == pytest.approx((other.mean() - same.mean()) / spread)
    text = format_record(record)
    assert "open set: FNIR at" in text and "66.67" in text and "d-prime 1.63" in text
    assert "det" in figures(record)
