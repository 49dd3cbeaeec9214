"""Distances and rankings against plain NumPy, and what must hold for any data."""

import numpy as np
import pytest

from gaitjax.evaluation import distances, evaluate, rank1
from gaitjax.evaluation.ranking import rank_matches


def plain_distances(x, y, metric):
    """The definition, in float64 with every pair held."""
    x, y = (e.astype(np.float64).transpose(2, 0, 1) for e in (x, y))
    if metric == "euc":
        return np.linalg.norm(x[:, :, None] - y[:, None], axis=-1).mean(axis=0)
    x, y = (e / np.linalg.norm(e, axis=-1, keepdims=True) for e in (x, y))
    return 1 - np.einsum("pnd,pmd->nm", x, y) / len(x)


def plain_ranks(distance, same, excluded):
    """Ranks of the matches by a stable sort of every row."""
    rows = []
    for d, match, out in zip(distance, same, excluded, strict=True):
        order = np.argsort(d, kind="stable")
        order = order[~out[order]]
        rows.append(1 + np.flatnonzero(match[order]))
    return rows


def walkers(identities=12, views=3, dim=8, parts=2, noise=1.0, seed=0):
    """Embeddings of types 00 and 01 scattered around one centre per identity."""
    rng = np.random.default_rng(seed)
    key = [
        (f"{i:03d}", t, f"{v:03d}")
        for i in range(identities)
        for t in ("00", "01")
        for v in range(0, 15 * views, 15)
    ]
    centres = rng.standard_normal((identities, dim, parts))
    x = centres[[int(k[0]) for k in key]] + noise * rng.standard_normal((len(key), dim, parts))
    return (x.astype(np.float32), *map(np.array, zip(*key, strict=True)))


@pytest.mark.parametrize("metric", ["euc", "cos"])
@pytest.mark.parametrize("parts", [1, 16])
def test_distances_match_the_definition(metric, parts):
    rng = np.random.default_rng(1)
    x, y = (rng.standard_normal((n, 32, parts)).astype(np.float32) for n in (70, 45))
    ours = distances.distance_matrix(x, y, metric)
    np.testing.assert_allclose(ours, plain_distances(x, y, metric), rtol=2e-6, atol=2e-6)
    half = distances.distance_matrix(x, y, metric, half=True)
    assert 1e-5 < np.abs(half - ours).max() < 0.05


def test_cosine_ignores_length_and_a_zero_part_is_unlike_everything():
    x = np.random.default_rng(7).standard_normal((6, 5, 1)).astype(np.float32)
    full = distances.distance_matrix(x, x, "cos")
    np.testing.assert_allclose(distances.distance_matrix(1e-6 * x, x, "cos"), full, atol=1e-6)
    np.testing.assert_array_equal(distances.distance_matrix(0 * x, x, "cos"), 1)


@pytest.mark.parametrize("blocks", [1, 5])
def test_nearest_is_the_stable_sort(monkeypatch, blocks):
    rng = np.random.default_rng(2)
    x = rng.integers(0, 2, (150, 3, 1)).astype(np.float32)  # few values, many ties
    probes, gallery = np.arange(80), np.arange(80, 150)
    if blocks > 1:
        monkeypatch.setattr(distances, "BLOCK_BYTES", 4 * 80 * 16)
    found, order = distances.nearest(x, probes, gallery, 20)
    full = distances.distance_matrix(x[probes], x[gallery])
    expected = np.argsort(full, axis=1, kind="stable")[:, :20]
    np.testing.assert_array_equal(order, expected)
    np.testing.assert_array_equal(found, np.take_along_axis(full, expected, axis=1))


@pytest.mark.parametrize("metric", ["euc", "cos"])
@pytest.mark.parametrize("coarse", [False, True])
@pytest.mark.parametrize("grouped", [False, True])
def test_ranks_match_a_full_sort(metric, coarse, grouped):
    rng = np.random.default_rng(3)
    x = rng.standard_normal((140, 6, 2)).astype(np.float32)
    if coarse:  # ties in abundance
        x = np.round(x[:, :2])
        x[(x == 0).all(axis=1).any(axis=1)] = 1
    labels, groups = rng.integers(0, 9, 140), rng.integers(0, 3, 140)
    probes, gallery = np.arange(50), np.arange(50, 140)
    gallery = gallery[labels[gallery] != 4]  # an identity without a match
    ranking = rank_matches(
        x, labels, probes, gallery, metric, groups=groups if grouped else None, all_matches=True
    )
    full = distances.distance_matrix(x[probes], x[gallery], metric)
    same = labels[probes][:, None] == labels[gallery][None]
    excluded = same & (groups[probes][:, None] == groups[gallery][None]) & grouped
    expected = plain_ranks(full, same & ~excluded, excluded)
    for i, ranks in enumerate(expected):
        np.testing.assert_array_equal(ranking.ranks[i, : len(ranks)], ranks)
        assert not ranking.ranks[i, len(ranks) :].any()
        assert ranking.matches[i] == len(ranks)
    np.testing.assert_array_equal(ranking.compared, (~excluded).sum(axis=1))
    found = np.arange(1, 1 + max(map(len, expected)))
    for ours, formula in (
        (ranking.average_precision(), lambda r: (found[: len(r)] / r).mean()),
        (ranking.inverse_penalty(), lambda r: len(r) / r[-1]),
    ):
        np.testing.assert_allclose(ours, [formula(r) if len(r) else 0 for r in expected])

    best = rank_matches(x, labels, probes, gallery, metric, groups=groups if grouped else None)
    np.testing.assert_array_equal(best.first, ranking.first)
    np.testing.assert_array_equal(best.tied, ranking.tied)
    to_match = np.where(same & ~excluded, full, np.inf).min(axis=1)
    to_other = np.where(same, np.inf, full).min(axis=1)
    np.testing.assert_array_equal(best.tied, np.isfinite(to_match) & (to_match == to_other))
    assert best.tied.any() == coarse
    assert (labels[best.match] == labels[probes])[best.match >= 0].all()
    np.testing.assert_array_equal(best.match >= 0, np.isfinite(to_match))


@pytest.mark.parametrize("protocol", ["oumvlp", "cross_view_gallery", "gallery_probe"])
def test_order_of_rows_changes_nothing(protocol):
    x, *strings = walkers()
    order = np.random.default_rng(4).permutation(len(x))
    before = evaluate(protocol, x, *strings)
    after = evaluate(protocol, x[order], *(s[order] for s in strings))
    for key in ("headline", "chance"):
        assert before[key] == pytest.approx(after[key], abs=1e-9)
    for name, bounds in before["interval"].items():
        assert bounds == pytest.approx(after["interval"][name], abs=1e-9)
    assert before["conditions"].keys() == after["conditions"].keys()
    for name, entry in before["conditions"].items():
        assert entry["counts"] == after["conditions"][name]["counts"]
        assert entry["cmc"] == pytest.approx(after["conditions"][name]["cmc"])


@pytest.mark.parametrize("metric", ["euc", "cos"])
def test_ties_go_to_the_first_gallery_row_and_are_counted(metric):
    x = np.random.default_rng(5).standard_normal((1, 4, 3)).repeat(4, axis=0)
    types, views = ["00", "01", "01", "00"], ["a", "b", "c", "d"]
    scores = []
    for gallery in (["p", "q"], ["q", "p"]):
        labels = ["p", *gallery, "q"]
        record = evaluate("gallery_probe", x, labels, types, views, metric=metric,
                          gallery_types=["01"], probe_types=["00"])  # fmt: skip
        assert record["conditions"]["all"]["counts"]["ties"] == 2
        scores.append(record["headline"]["Rank-1"])
        assert record["hardest"][0]["probe_key"] == ("q-00-d" if gallery[0] == "p" else "p-00-a")
    assert scores == [50.0, 50.0]


def test_duplicate_embeddings_are_equally_far_anywhere_in_the_gallery():
    rng = np.random.default_rng(6)
    y = np.tile(rng.standard_normal((1, 256, 16)), (777, 1, 1)).astype(np.float32)
    x = rng.standard_normal((37, 256, 16)).astype(np.float32)
    for metric in distances.METRICS:
        full = distances.distance_matrix(x, y, metric)
        assert (full == full[:, :1]).all()


@pytest.mark.parametrize("protocol", ["oumvlp", "cross_view_gallery", "grew_local", "gait3d"])
def test_perfect_embeddings_score_100(protocol):
    x, labels, types, views = walkers(identities=24, noise=0.01)
    if protocol == "grew_local":
        types = np.where(types == "00", "02", "01")
    options = {}
    if protocol == "gait3d":
        options["probe_set"] = [f"{i:03d}-00-000" for i in range(24)]
    record = evaluate(protocol, x, labels, types, views, **options)
    assert set(record["headline"].values()) == {100.0}
    assert all(bounds == [100.0, 100.0] for bounds in record["interval"].values())
    assert record["verification"]["eer"] == 0
    assert record["hardest"] == []


@pytest.mark.parametrize("protocol", ["oumvlp", "cross_view_gallery", "gallery_probe"])
def test_random_embeddings_score_chance(protocol):
    scores, chances = [], []
    options = dict(gallery_types=["01"]) if protocol == "gallery_probe" else {}
    for seed in range(40):
        x, *strings = walkers(identities=5)
        x = np.random.default_rng(seed).standard_normal(x.shape)
        record = evaluate(protocol, x, *strings, samples=0, **options)
        known = [name for name in record["headline"] if record["chance"][name] is not None]
        scores.append([record["headline"][name] for name in known])
        chances.append([record["chance"][name] for name in known])
        curve = record["conditions"][next(iter(record["conditions"]))]
        assert curve["chance_cmc"][-1] == pytest.approx(100) == curve["cmc"][-1]
    error = np.std(scores, axis=0) / np.sqrt(len(scores))
    assert (np.abs(np.mean(scores, axis=0) - np.mean(chances, axis=0)) < 4 * error + 1e-9).all()


def test_chance_of_map_is_the_mean_over_all_orders():
    from itertools import permutations

    from gaitjax.evaluation.ranking import Ranking
    from gaitjax.evaluation.scoring import Questions, chance_map

    found = [np.flatnonzero(p) + 1 for p in permutations([1, 1, 0, 0, 0])]
    expected = 100 * np.mean([np.mean([1 / r[0], 2 / r[1]]) for r in found])
    one = np.ones(1, int)
    ranking = Ranking(one[:, None], 2 * one, 5 * one, one > 0, one, one, one, one)
    assert chance_map(Questions(one, 0 * one, one > 0, ranking)) == pytest.approx(expected)


def test_rank1_of_integer_labels_and_flat_embeddings():
    x = np.array([[0.0, 1], [0, 1.1], [5, 5], [5, 5.2], [0, 0.9]])
    assert rank1(x, [1, 1, 2, 2, 2]) == 80.0
    assert rank1(x[:2], [1, 2], x[2:], [2, 2, 1]) == 50.0


def test_ccpg_styles_agree_with_a_count_by_hand():
    # Camera 0's gallery holds the probe itself, camera 1's puts identity b nearest to a's probe.
    rows = [
        ("a", "U3_D3", "0_x", 0.0), ("b", "U3_D3", "0_x", 9.0),
        ("a", "U0_D3", "0_x", 0.0), ("b", "U0_D3", "0_x", 9.0),
        ("a", "U0_D3", "1_y", 4.0), ("b", "U0_D3", "1_y", 1.0),
    ]  # fmt: skip
    labels, types, views, x = zip(*rows, strict=True)
    record = evaluate("ccpg", np.array(x)[:, None], labels, types, views, compat=True)
    headline = record["headline"]
    # Pooled without the own camera's match: a finds b@1, a@1, b@0; b finds a@1, b@1, a@0.
    assert headline["UP ReID Rank-1"] == 0
    assert headline["UP ReID mAP"] == headline["UP ReID mINP"] == 50
    # Probes of camera 0 against the gallery of camera 1: a takes b, b takes a.
    assert headline["UP gait Rank-1"] == 0
    also = record["conditions"]["UP gait"]["also"]
    assert also["Rank-1, identical views included"] == 50
