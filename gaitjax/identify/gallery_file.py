"""A gallery as one file: .npz of numbers and texts, with a digest of each, and no pickle."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from gaitjax import digest, files
from gaitjax.errors import DamagedError, DataError
from gaitjax.evaluation.distances import METRICS
from gaitjax.identify.matching import MATCH
from gaitjax.identify.threshold import NOBODY, Strangers, Threshold
from gaitjax.untrusted import safe_json, safe_npz

VERSION = 1
NOTICE = (
    "Biometric data of the people named here, kept because they consented. Show it to nobody whom "
    "they did not agree to; delete a person's with `python -m gaitjax.identify remove`, and the "
    "file when its purpose has ended."
)
_ARRAYS = ("names", "embeddings", "weights", "strangers", "strangers_weights")


class Network(NamedTuple):
    """Which weights made the embeddings.

    Attributes:
      source: what loads them: "default", a name of the zoo, or a path where they were used first.
      fingerprint: of the weights and of all that changes embeddings.
      name, joints, normalise, metric: of the config.
    """

    source: str
    fingerprint: str
    name: str
    joints: str
    normalise: str
    metric: str


class Contents(NamedTuple):
    """What a gallery holds, one row an enrolled walk.

    Attributes:
      names: (N,) str.
      embeddings: (N, D, P) float32.
      weights: (N,) float, see `quality.Quality`.
      walks: N dicts: "source", "person", "frames", "missing", "doubts".
      match: of `matching.MATCH`.
    """

    network: Network
    names: np.ndarray
    embeddings: np.ndarray
    weights: np.ndarray
    walks: tuple[dict, ...]
    match: str
    threshold: Threshold


@contextlib.contextmanager
def ours(path: Path) -> Iterator[None]:
    """Inside, no other process adds to or removes from the gallery `path`. DataError: one does."""
    with files.lock(path.absolute().parent, f".{path.name}.lock"):
        yield


def write(path: Path, contents: Contents) -> None:
    """Writes the file, whole or not at all. DataError: its name does not end in .npz."""
    if path.suffix != ".npz":
        raise DataError(f"{path}: a gallery is a file whose name ends in .npz")
    threshold = contents.threshold
    arrays = {
        "names": contents.names.astype(str),
        "embeddings": contents.embeddings.astype(np.float32),
        "weights": contents.weights.astype(np.float64),
        "strangers": threshold.strangers.distances.astype(np.float64),
        "strangers_weights": threshold.strangers.weights.astype(np.float64),
    }
    metadata = {
        "gallery": VERSION,
        "notice": NOTICE,
        "network": contents.network._asdict(),
        "match": contents.match,
        "walks": list(contents.walks),
        "threshold": {
            "value": threshold.value,
            "fpir": threshold.fpir,
            "promised": threshold.promised,
            "found": threshold.found,
            "people": threshold.strangers.people,
        },
    }
    text = json.dumps(digest.sealed(metadata, arrays))
    files.write_npz(path, {"metadata": np.array(text), **arrays})


def read(path: Path) -> Contents:
    """What the file holds.

    Raises:
      DataError: missing, or not a gallery.
      DamagedError: not what was written.
    """
    if not path.exists():
        raise DataError(
            f"{path}: no such gallery; make one with python -m gaitjax.identify enrol, or look "
            "whether it lies elsewhere"
        )
    arrays = safe_npz.load(path)
    text = str(arrays.pop("metadata", "null"))
    metadata = safe_json.parse(text.encode(), f"{path}: metadata")
    if not isinstance(metadata, dict) or "gallery" not in metadata:
        raise DataError(
            f"{path}: no gallery: found the arrays {', '.join(list(arrays)[:4]) or 'none'}; "
            "expected a file written by python -m gaitjax.identify enrol"
        )
    metadata, digests = digest.opened(metadata, str(path))
    if digests is None:
        raise DamagedError(f"{path}: damaged: its digests are missing; use a copy")
    digest.check(arrays, digests, str(path))
    if metadata["gallery"] != VERSION:
        raise DataError(
            f"{path}: a gallery of version {str(metadata['gallery'])[:20]}, and this gaitjax reads "
            f"{VERSION}; use the gaitjax that wrote it"
        )
    try:
        return _checked(metadata, arrays)
    except (KeyError, TypeError, ValueError, AssertionError) as error:
        raise DataError(f"{path}: no gallery that can be used ({error!r}); use a copy") from None


def _checked(metadata: dict[str, Any], arrays: dict[str, np.ndarray]) -> Contents:
    """The contents; anything that is not as `write` makes it raises."""
    names, embeddings, weights, distances, stranger_weights = (arrays[key] for key in _ARRAYS)
    network, found = Network(**metadata["network"]), metadata["threshold"]
    walks = tuple(metadata["walks"])
    count = len(names)
    assert names.ndim == 1 and names.dtype.kind == "U", "names"
    assert embeddings.dtype == np.float32 and embeddings.ndim == 3, "embeddings"
    assert np.isfinite(embeddings).all() and np.isfinite(weights).all(), "numbers"
    assert len(embeddings) == count and weights.shape == (count,) and len(walks) == count, "rows"
    assert distances.ndim == 1 and stranger_weights.shape == distances.shape, "strangers"
    assert all(isinstance(text, str) for text in network), "network"
    assert network.metric in METRICS and metadata["match"] in MATCH, "metric, match"
    assert all(isinstance(walk, dict) for walk in walks), "walks"
    people = int(found["people"])
    strangers = Strangers(distances, stranger_weights, people) if people else NOBODY
    threshold = Threshold(
        float(found["value"]),
        float(found["fpir"]),
        float(found["promised"]),
        str(found["found"]),
        strangers,
    )
    return Contents(network, names, embeddings, weights, walks, metadata["match"], threshold)
