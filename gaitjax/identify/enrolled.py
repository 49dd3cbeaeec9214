"""What follows from who is enrolled: the threshold, found anew whenever somebody comes or goes."""

from pathlib import Path

import numpy as np

from gaitjax.errors import DataError
from gaitjax.identify import matching, threshold
from gaitjax.identify.gallery_file import Contents
from gaitjax.identify.threshold import NOBODY
from gaitjax.untrusted import safe_npz

SHIPPED = Path(__file__).parent / "network"  # the default network and its strangers


def recalibrated(contents: Contents, fpir: float | None = None) -> Contents:
    """The contents with the threshold that their own people give, and the shipped walkers."""
    fpir = contents.threshold.fpir if fpir is None else fpir
    c = contents
    names, metric = sorted(set(c.names.tolist())), c.network.metric
    if not names:
        return c._replace(threshold=threshold.choose(fpir, NOBODY, NOBODY))
    enrolled = NOBODY
    if len(names) > 1:
        found = matching.of_strangers(c.embeddings, c.names, c.weights, metric, c.match)
        enrolled = threshold.of_enrolled(found.tolist(), c.names.tolist())
    shipped = NOBODY
    walkers = shipped_walkers(c.network.fingerprint)
    if walkers is not None:
        found = matching.to_names(walkers, c.embeddings, c.names, c.weights, metric, c.match)[1]
        shipped = threshold.of_people(found.min(axis=1).tolist(), list(map(str, range(len(found)))))
    return c._replace(threshold=threshold.choose(fpir, enrolled, shipped))


def shipped_walkers(of: str) -> np.ndarray | None:
    """Embeddings (n, D, P) of synthetic walkers, one of each; None for any but the default network.

    They took no part in its training.
    """
    path = SHIPPED / "strangers.npz"
    if not path.is_file():
        return None
    stored = safe_npz.load(path)
    return stored["embeddings"].astype(np.float32) if str(stored["fingerprint"]) == of else None


def without(contents: Contents, name: str) -> tuple[Contents, int]:
    """The contents without a person, and how many walks went. DataError: nobody is called so."""
    gone = contents.names == name
    if not gone.any():
        known = ", ".join(sorted(set(contents.names.tolist()))[:20]) or "nobody"
        raise DataError(f"nobody called {name!r} is enrolled; enrolled: {known}")
    left = contents._replace(
        names=contents.names[~gone],
        embeddings=contents.embeddings[~gone],
        weights=contents.weights[~gone],
        walks=tuple(w for w, out in zip(contents.walks, gone, strict=True) if not out),
    )
    return recalibrated(left), int(gone.sum())
