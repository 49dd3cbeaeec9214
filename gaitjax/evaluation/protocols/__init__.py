"""Every evaluation protocol by name, and the one function that runs them."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from gaitjax.errors import DataError
from gaitjax.evaluation.protocols.ccpg import ccpg
from gaitjax.evaluation.protocols.gallery_and_probes import SINGLE_VIEW
from gaitjax.evaluation.protocols.grew_submission import grew_submission
from gaitjax.evaluation.protocols.retrieval import (
    cross_view_gallery,
    gait3d,
    gallery_probe,
    grew_local,
)
from gaitjax.evaluation.protocols.single_view import single_view_gallery
from gaitjax.evaluation.task import check_inputs

PROTOCOLS: dict[str, Callable[..., dict]] = {
    **{name: partial(single_view_gallery, data_set=name) for name in SINGLE_VIEW},
    "cross_view_gallery": cross_view_gallery,
    "grew_local": grew_local,
    "grew_submission": grew_submission,
    "gait3d": gait3d,
    "ccpg": ccpg,
    "gallery_probe": gallery_probe,
}


def evaluate(
    protocol: str,
    embeddings: np.ndarray,
    labels: Sequence[str],
    types: Sequence[str],
    views: Sequence[str],
    *,
    metric: str = "euc",
    gallery_types: Sequence[str] = (),
    probe_types: Sequence[str] = (),
    probe_set: Sequence[str] | None = None,
    ground_truth: str | Path | Mapping[str, str] | None = None,
    keep_zeros: bool = False,
    out_dir: str | Path | None = None,
    compat: bool = False,
    half: bool = False,
    samples: int = 1000,
) -> dict:
    """Runs a protocol on embedded sequences.

    Args:
      protocol: a key of `PROTOCOLS`.
      embeddings: (N, D, P) float32, or (N, D).
      labels, types, views: N strings each; a row's key is the three together.
      metric: "euc" or "cos".
      gallery_types, probe_types: roles, for the protocols that take them.
      probe_set: Gait3D's probes, "label-type-view" each.
      ground_truth, keep_zeros, out_dir: see `grew_submission`.
      compat: the reference's number and rounding to the last digit.
      half: distances in float16, as the reference computes them under mixed precision.
      samples: bootstrap samples behind each interval; 0 for no intervals.

    Returns:
      The record, a dict of JSON types (see `gaitjax.evaluation.record.build`).

    Raises:
      DataError: an unknown protocol or view, options the protocol does not take, an empty
        or too small gallery, a missing probe set, duplicate keys, non-finite embeddings.

    >>> record = evaluate("gallery_probe", np.eye(4)[[0, 1, 0, 1]], [*"abab"], ["00", "00",
    ...     "01", "01"], ["000"] * 4, gallery_types=["00"], probe_types=["01"])
    >>> record["headline"]["Rank-1"], record["chance"]["Rank-1"]
    (100.0, 50.0)
    """
    if protocol not in PROTOCOLS:
        raise DataError(f"unknown protocol {protocol!r}; known: {', '.join(PROTOCOLS)}")
    run = PROTOCOLS[protocol]
    given = dict(
        gallery_types=tuple(gallery_types),
        probe_types=tuple(probe_types),
        probe_set=None if probe_set is None else list(probe_set),
        ground_truth=ground_truth,
        keep_zeros=keep_zeros,
        out_dir=out_dir,
    )
    options = {name: value for name, value in given.items() if value}
    extra = sorted(set(options) - set(inspect.signature(run).parameters))
    if extra:
        raise DataError(f"protocol {protocol!r} does not take {', '.join(extra)}")
    task = check_inputs(
        embeddings, labels, types, views, metric, compat=compat, half=half, samples=samples
    )
    return run(task, **options)
