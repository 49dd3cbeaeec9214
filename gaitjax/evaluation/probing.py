"""A network tried on probes: the protocol's scores with something taken out of the test set.

Every sequence is changed, probes and gallery alike, and passes through `data.impute` like one read
from disk. The compiled programs are the same for all. Beside them stand features that need no
network.
"""

import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from ml_collections import ConfigDict

from gaitjax.command import tables
from gaitjax.data.poses import IMPUTE
from gaitjax.errors import ConfigError
from gaitjax.evaluation import probes
from gaitjax.evaluation.record import number
from gaitjax.evaluation.trial import Trial
from gaitjax.skeleton import joint_format

AS_IS = "as it is"


def check(config: ConfigDict) -> None:
    """ConfigError unless the test set of `config` has poses to change and scores to compare."""
    modality, protocol = config.data.modality, config.eval.protocol
    if "pose" not in modality.split("+"):
        raise ConfigError(
            f"--probes changes poses, and data.modality={modality} reads maps that are drawn "
            "already; set data.modality=pose, from which the same maps are drawn"
        )
    if "silhouette" in modality:
        raise ConfigError(
            f"--probes changes poses, and the silhouettes of data.modality={modality} would still "
            "show what was taken out; probe a network on poses, or on maps drawn from them"
        )
    if protocol == "grew_submission":
        raise ConfigError(
            "--probes compares scores, which eval.protocol=grew_submission leaves to a server; "
            "set eval.protocol=grew_local"
        )


def run(trial: Trial, variables: dict, record: dict, say: Callable = print) -> dict:
    """Every probe and plain feature scored like the network itself.

    Args:
      record: the protocol's record of the network on the unchanged test set.

    Returns:
      name -> {"headline", "interval"} as in a record, beginning with `AS_IS`.
    """
    feed, config = trial.feed, trial.config
    fmt = joint_format(config.model.joints)
    fill = IMPUTE[config.data.impute_test or config.data.impute]
    of_row = _probes_of_rows(trial)
    found = {AS_IS: _scores(record)}
    names = list(of_row[0])
    for i, name in enumerate(names, start=1):
        say(f"probe {i} of {len(names)}: {name}")

        def changed(row: int, name: str = name) -> np.ndarray:
            return fill(of_row[row][name](feed.poses(row)[None])[0])

        found[name] = _scores(replace(trial, feed=feed.with_poses(changed)).record(variables))
    plain = config.copy_and_resolve_references()
    plain.eval.metric, plain.eval.half = "euc", False
    for name, feature in probes.FEATURES.items():
        rows = [feature(feed.poses(row), fmt) for row in range(len(feed.labels))]
        embeddings = np.stack(rows).astype(np.float32)[..., None]
        found[name] = _scores(replace(trial, config=plain).score(embeddings))
    return found


def table(found: dict) -> list[list[str]]:
    """What `run` gave as rows of text, a heading first: Rank-1 with its interval."""
    shown = [name for name in found[AS_IS]["headline"] if re.search(r"Rank-1(?!\d)", name)]
    rows = [["", *shown]]
    for name, scores in found.items():
        cells = [name]
        for score in shown:
            bounds = scores["interval"][score]
            between = f" ({number(bounds[0])} - {number(bounds[1])})" if bounds else ""
            cells.append(number(scores["headline"][score]) + between)
        rows.append(cells)
    return rows


def lines(found: dict) -> str:
    """The table for a terminal."""
    return "\n".join(["what it looks at (95 % interval):", *tables.aligned(table(found))])


def _scores(record: dict) -> dict:
    return {key: record[key] for key in ("headline", "interval")}


def _probes_of_rows(trial: Trial) -> list[dict[str, probes.Probe]]:
    """The probes of each sequence: what is usual is told of those of the same camera.

    Of all sequences, where views are no cameras.
    """
    feed, fmt, camera = trial.feed, joint_format(trial.config.model.joints), trial.camera
    of_camera = []
    for c in range(camera.max() + 1):
        sequences = (feed.poses(row) for row in np.flatnonzero(camera == c).tolist())
        of_camera.append(probes.probes(fmt, probes.usual(sequences, fmt)))
    return [of_camera[c] for c in camera]
