"""Who is enrolled: walks come and go, and the threshold is found anew each time."""

from collections.abc import Sequence

import numpy as np

from gaitjax.errors import DataError
from gaitjax.identify import matching, networks, threshold
from gaitjax.identify.gallery_file import Contents
from gaitjax.identify.threshold import NOBODY

_TWICE = 1e-4  # of the largest number of an embedding: walks that differ by less are the same one


def with_walks(
    contents: Contents,
    name: str,
    embeddings: np.ndarray,
    weights: Sequence[float],
    rows: Sequence[dict],
) -> Contents:
    """The contents with more walks of a person.

    Args:
      embeddings: (n, D, P).
      weights: n qualities.
      rows: n entries of `Contents.walks`.

    Raises:
      DataError: a walk that is enrolled already, or is given twice.
    """
    known = contents.names.tolist()
    every = np.concatenate([contents.embeddings if known else embeddings[:0], embeddings])
    known += [name] * len(rows)
    for i, row in enumerate(rows, start=len(contents.names)):
        again = same(every[i], every[:i])
        if again.any():
            who = known[int(again.argmax())]
            whose = "already" if who == name else f"already, as {who}: one walk, two names"
            raise DataError(f"{row['source']}: this walk is enrolled {whose}; enrol another walk")
    return recalibrated(
        contents._replace(
            names=np.array(known, str),
            embeddings=every,
            weights=np.concatenate([contents.weights, weights]),
            walks=(*contents.walks, *rows),
        )
    )


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
    walkers = networks.shipped_walkers(c.network.fingerprint)
    if walkers is not None:
        found = matching.to_names(walkers, c.embeddings, c.names, c.weights, metric, c.match)[1]
        shipped = threshold.of_people(found.min(axis=1).tolist(), list(map(str, range(len(found)))))
    return c._replace(threshold=threshold.choose(fpir, enrolled, shipped))


def check_name(contents: Contents, name: str) -> None:
    """DataError: no name, or one that differs from an enrolled one by its case alone."""
    if not name or name != name.strip() or not name.isprintable():
        raise DataError(f"{name!r} is no name: expected a text without spaces at its ends")
    for other in sorted(set(contents.names.tolist())):
        if other != name and other.casefold() == name.casefold():
            raise DataError(
                f"{name!r} is enrolled already, spelt {other!r}; use that, or another name for "
                "another person"
            )


def same(walk: np.ndarray, walks: np.ndarray) -> np.ndarray:
    """(N,) bool: which of `walks` (N, D, P) are the very walk (D, P)."""
    return np.abs(walks - walk).max(axis=(1, 2)) <= _TWICE * np.abs(walk).max()


def far_from_own(contents: Contents, newest: int) -> list[str]:
    """A line for each of the newest walks that the threshold would not give its own name."""
    c, limit = contents, contents.threshold.value
    own = matching.of_own(c.embeddings, c.names, c.weights, c.network.metric, c.match)
    return [
        f"{c.walks[i]['source']}: {own[i]:.4g} from the other walks of {c.names[i]}, threshold "
        f"{limit:.4g}: two people under one name, or seen from very different sides"
        for i in range(len(own) - newest, len(own))
        if own[i] >= limit > 0
    ]
