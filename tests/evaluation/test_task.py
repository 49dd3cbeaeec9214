"""Each kind of bad input gets one clear error."""

import re

import numpy as np
import pytest

from gaitjax.errors import DataError
from gaitjax.evaluation import evaluate, rank1

X = np.random.default_rng(0).standard_normal((8, 4, 1)).astype(np.float32)
LABELS = [*"aabbccdd"]
TYPES = ["00", "01"] * 4
VIEWS = ["000", "015"] * 4


def run(protocol="oumvlp", x=X, labels=LABELS, types=TYPES, views=VIEWS, **settings):
    return evaluate(protocol, x, labels, types, views, **settings)


EIGHT = [f"{15 * i:03d}" for i in (*range(7), 12)]
EVERY_KEY = ["-".join(key) for key in zip(LABELS, TYPES, VIEWS, strict=True)]
WITH_NAN = np.where(np.arange(8)[:, None, None] == 3, np.nan, X)

REFUSED = {
    "unknown protocol 'casia'; known: oumvlp, casiab": dict(protocol="casia"),
    "unknown metric 'l1'; use one of: euc, cos": dict(metric="l1"),
    "labels: expected 8 strings, one per embedding, got shape (7,)": dict(labels=LABELS[1:]),
    "expected (N, D, P) or (N, D), got shape (8,)": dict(x=X[:, 0, 0]),
    "row 3 holds NaN or infinity": dict(x=WITH_NAN),
    "keys: a-00-000 appears 2 times (2 such keys)": dict(labels=["a"] * 4 + [*"ccdd"]),
    "unknown view '017'; the views are: 000, 015,": dict(views=["017", *VIEWS[1:]]),
    "empty gallery: no type is one of 01; the types are: 00": dict(types=["00"] * 8),
    "no probes: no type is one of 00; the types are: 01": dict(types=["01"] * 8),
    "only one view (000): use the gallery_probe": dict(views=["000"] * 8),
    "'oumvlp' does not take probe_set": dict(probe_set=["a-00-000"]),
    "name both gallery_types and probe_types": dict(gallery_types=["00"]),
    "Gait3D needs its probe set": dict(protocol="gait3d"),
    "the set has 'z-00-000', the data 'a-00-000'": dict(protocol="gait3d", probe_set=["z-00-000"]),
    "no probe identity appears in the gallery": dict(
        protocol="gait3d", probe_set=["a-00-000", "a-01-015"]
    ),
    "no probe identity appears in the gallery; check": dict(labels=[*"abababab"], views=EIGHT),
    "every sequence is in the probe set": dict(protocol="gait3d", probe_set=EVERY_KEY),
    "the gallery has only 4 sequences": dict(protocol="grew_local", types=["01", "02"] * 4),
    "20 sequences per probe, but the gallery has only 4": dict(
        protocol="grew_submission", types=["01", "03"] * 4
    ),
    "pass gallery_types and probe_types": dict(protocol="cross_view_gallery", types=["x", "y"] * 4),
    "no probes: no type is one of U0_D0, U0_D0_BG; the types are: 00, 01, U1_D1": dict(
        protocol="ccpg", types=["U1_D1", *TYPES[1:]]
    ),
    "too large for float32 euc distances": dict(x=2e19 * np.ones_like(X)),
    "norm 400, too large for float16 euc distances": dict(x=200 * np.ones_like(X), half=True),
}


@pytest.mark.parametrize("message", REFUSED)
def test_refused(message):
    with pytest.raises(DataError, match=re.escape(message)):
        run(**REFUSED[message])


def test_rank1_refuses_too():
    with pytest.raises(DataError, match="empty gallery"):
        rank1(X, LABELS, X[:0], [])
    with pytest.raises(DataError, match="7 labels for 8 embeddings"):
        rank1(X, LABELS[1:])
    with pytest.raises(DataError, match="gallery_embeddings: row 0 holds NaN"):
        rank1(X, LABELS, X * np.nan, LABELS)


def test_absent_probes_are_reported():
    record = run("gait3d", probe_set=["a-00-000", "b-00-000", "q-00-000"])
    assert record["notes"] == ["1 probes of the probe set are not in the data"]
