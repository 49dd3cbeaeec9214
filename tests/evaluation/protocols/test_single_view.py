"""SUSTech1K, scored by condition, against a plain count."""

import numpy as np
import pytest

from gaitjax.evaluation import evaluate
from tests.evaluation.test_ranking import plain_distances

TYPES = ("00-nm", "01-nm", "01-bg", "02-cl-cr", "03-nt", "04-oc-ub")
VIEWS = ("000", "045", "090")
PROBES = {
    "Normal": ("01-nm",),
    "Bag": ("bg",),
    "Clothing": ("cl",),
    "Carrying": ("cr",),
    "Umbrella": ("ub",),
    "Occlusion": ("oc",),
    "Night": ("nt",),
    "Overall": ("01", "02", "03", "04"),
}


def walkers(identities=14, noise=0.7):
    rng = np.random.default_rng(5)
    key = [(f"{i:04d}", t, v) for i in range(identities) for t in TYPES for v in VIEWS]
    x = rng.standard_normal((identities, 6, 1))[[int(k[0]) for k in key]]
    x = x + noise * rng.standard_normal((len(key), 6, 1))
    return x.astype(np.float32), *map(np.array, zip(*key, strict=True))


def plain_accuracy(x, labels, types, views, wanted, rank, digits):
    """Specification 9.3, view pair by view pair; the diagonal of the views is left out."""
    gallery = np.array(["00-nm" in t for t in types])
    probe = np.array([any(w in t for w in wanted) for t in types])
    table = np.zeros((len(VIEWS), len(VIEWS)))
    for i, probe_view in enumerate(VIEWS):
        for j, gallery_view in enumerate(VIEWS):
            p = np.flatnonzero(probe & (views == probe_view))
            g = np.flatnonzero(gallery & (views == gallery_view))
            order = np.argsort(plain_distances(x[p], x[g], "euc"), axis=1, kind="stable")
            hits = (labels[g][order[:, :rank]] == labels[p][:, None]).any(axis=1)
            table[i, j] = np.round(100 * hits.mean(), digits)
    return ((table.sum(1) - np.diag(table)) / (len(VIEWS) - 1)).mean()


@pytest.mark.parametrize("compat", [False, True])
def test_sustech1k_by_condition_and_rank(compat):
    data = walkers()
    record = evaluate("sustech1k", *data, compat=compat, samples=0)
    assert set(record["conditions"]) == set(PROBES)  # no uniforms among these probes
    for name, wanted in PROBES.items():
        for rank in (1, 2, 3, 4, 5):
            expected = plain_accuracy(*data, wanted, rank, 2 if compat else 12)
            found = record["conditions"][name]["scores"][f"Rank-{rank}"]
            assert found == pytest.approx(expected), (name, rank)
    assert 100 / 14 < record["headline"]["Overall Rank-1"] < 100
