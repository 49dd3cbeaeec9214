"""A checkpoint evaluated from beginning to end: what is printed, what is written.

In the work directory: evaluation.json (the record), evaluation/ (figures, report.html) and,
where asked for, embeddings.npz.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np
from ml_collections import ConfigDict

from gaitjax import files, models, sharding, weights
from gaitjax.data import doubts, familiar
from gaitjax.evaluation import attribution, probing, published
from gaitjax.evaluation.figures import skeleton_figure
from gaitjax.evaluation.record import format_record
from gaitjax.evaluation.report import write_report
from gaitjax.evaluation.trial import Trial, open_trial
from gaitjax.skeleton import joint_format
from gaitjax.training import checkpoint, step


class Wishes(NamedTuple):
    """What is found out and written beside the protocol's record.

    Attributes:
      both_embeddings: also score the other embedding of the same pass.
      random_windows: also score this many random test windows, as the reference draws one.
      untrained: also score fresh weights.
      published: a published value of the first headline number, to compare with.
      ground_truth: answers of a GREW submission, see its protocol.
      save_embeddings: write embeddings.npz.
      figures: draw figures and the HTML report.
      probes: also score the test set with something taken out, and plain features, and draw what
        the network attributes its right answers to (`gaitjax.evaluation.probing`).
    """

    both_embeddings: bool = False
    random_windows: int = 0
    untrained: bool = False
    published: float | None = None
    ground_truth: str | None = None
    save_embeddings: bool = False
    figures: bool = True
    probes: bool = False


NO_WISHES = Wishes()
DOUBTED = 10_000  # sequences looked at for what is doubtful: seconds


def evaluate_checkpoint(
    config: ConfigDict,
    path: str | Path,
    workdir: str | Path | None = None,
    wishes: Wishes = NO_WISHES,
    source: str = "",
) -> dict:
    """Evaluate a checkpoint on the test set of `config`, and write what came out.

    Args:
      path: work directory of a training run, or a weights .npz.
      workdir: where results go; default: beside the checkpoint.
      source: what the record calls the checkpoint; default: its path.

    Returns:
      The record (see `gaitjax.evaluation.record`), with "checkpoint", "embedding" and
      "window", and where wished for "embeddings", "random_windows", "published" (see
      `gaitjax.evaluation.published`), "untrained" and "probes" (see `gaitjax.evaluation.probing`).
    Raises:
      ConfigError, DataError, WeightsError: each says what to change.
    """
    path = files.expanded(path)
    workdir = files.expanded(workdir) if workdir else path if path.is_dir() else path.parent
    main_process = jax.process_index() == 0
    if wishes.probes:
        probing.check(config)
    say = print if main_process else (lambda *_: None)

    model = models.build(config)
    variables, metadata = checkpoint.load_variables(path)
    variables, _ = weights.fit(variables, step.variable_shapes(config, model), str(path))
    known = metadata.get("knows")
    if known or config.data.rescale:
        known = familiar.checked(known, str(path))
    trial = open_trial(config, model, sharding.make_mesh(), known)
    say(_about(trial, path, metadata))
    if main_process and (doubtful := _doubtful(trial)):
        say(doubtful)
    notes = []
    if trial.feed.has_poses and not known:
        notes = [familiar.UNKNOWN]
    elif known and trial.feed.knows:
        matters = familiar.seen_by(model.inputs, config.data.normalise)
        notes = familiar.differences(trial.feed.knows, known, matters)
    for note in notes:
        say(f"note: {note}")

    name = config.eval.embedding
    embeddings = trial.embed(variables, trial.names if wishes.both_embeddings else [name])
    chosen = embeddings[name]
    record = trial.score(chosen, workdir / "evaluation", wishes.ground_truth)
    record |= {
        "checkpoint": {**_origin(metadata), "path": source or str(path)},
        "embedding": config.eval.embedding,
        "window": config.eval.window if config.eval.clip == "ordered" else "all",
    }
    say(format_record(record))
    record["notes"] = [*record["notes"], *notes]  # these were said before
    if wishes.both_embeddings:
        record["embeddings"] = {
            name: trial.score(value)["headline"] for name, value in embeddings.items()
        }
        for name, headline in record["embeddings"].items():
            say(f"{name}: {_line(headline)}")
    if wishes.random_windows:
        record["random_windows"] = trial.random_windows(variables, wishes.random_windows)
        say(published.format_spread(record["random_windows"]))
    if wishes.published is not None and record["headline"]:
        record["published"] = published.compare(record, wishes.published)
        say(published.format_comparison(record["published"]))
    untrained = None
    if wishes.untrained:
        untrained = trial.record(trial.untrained())
        record["untrained"] = untrained["headline"]
        say(f"untrained: {_line(untrained['headline'])}")

    if wishes.probes:
        record["probes"] = probing.run(trial, variables, record, say)
        say(probing.lines(record["probes"]))

    if main_process:
        files.write_json(workdir / "evaluation.json", record)
        if wishes.save_embeddings:
            feed = trial.feed
            names = dict(labels=feed.labels, types=feed.types, views=feed.views)
            files.write_npz(workdir / "embeddings.npz", {"embeddings": chosen, **names})
        if wishes.figures:
            attributed: Sequence[attribution.Attribution] = ()
            if wishes.probes and model.inputs == ("poses",):
                attributed = attribution.of_trial(trial, variables, chosen)
                worst = max((a.error for a in attributed), default=0.0)
                say(f"attributions add up to the differences of distances within {worst:.1%}")
            page = _report(trial, record, untrained, attributed, workdir / "evaluation")
            say(f"report: {page}")
    return record


def _about(trial: Trial, path: Path, metadata: dict) -> str:
    e, m, data = trial.config.eval, trial.config.model, trial.config.data
    lines = [
        f"checkpoint: {path}" + (f" (step {metadata['step']})" if "step" in metadata else ""),
        f"data: {data.name} test set, {len(trial.feed.labels)} sequences",
        f"protocol: {e.protocol}, {e.metric}, embedding {e.embedding}, "
        + (f"{e.window} window of {e.frames} frames" if e.clip == "ordered" else "whole sequences"),
    ]
    if centres := getattr(trial.model, "centres", {}):
        joints = joint_format(m.joints).joints
        told = (f"{key}={i} ({joints[i]})" for key, i in centres.items())
        lines.append(f"centre joints: {', '.join(told)}")
    return "\n".join(lines)


def _doubtful(trial: Trial) -> str:
    """What is doubtful about the poses of the test set, of DOUBTED of them at most."""
    feed = trial.feed
    if not feed.has_poses:
        return ""
    total = len(feed.labels)
    rows = np.linspace(0, total - 1, min(total, DOUBTED)).astype(int)
    fmt = joint_format(trial.config.model.joints)
    said = doubts.told(doubts.of(feed.poses(row), fmt) for row in rows)
    return f"{said}, of {total}" if said and len(rows) < total else said


def _line(headline: dict) -> str:
    return ", ".join(f"{name} {value:.2f}" for name, value in headline.items())


def _origin(metadata: dict) -> dict:
    left_out = ("config", "source", "torch_buffers", "knows")
    return {key: value for key, value in metadata.items() if key not in left_out}


def _report(
    trial: Trial,
    record: dict,
    untrained: dict | None,
    attributed: Sequence[attribution.Attribution],
    folder: Path,
) -> Path:
    """Write the HTML report, its figures and a few drawn walkers; returns the page."""
    feed, config = trial.feed, trial.config
    page = write_report(
        record,
        folder,
        details={
            "data": f"{config.data.name}, test set of {len(feed.labels)} sequences",
            "checkpoint": record["checkpoint"]["path"],
            "embedding": record["embedding"],
            "window": record["window"],
        },
        poses=feed.poses if feed.has_poses else None,
        joints=config.model.joints,
        untrained=untrained,
        attributions=attributed,
    )
    if feed.has_poses:
        # One walk of the first identity from up to six views.
        rows = np.flatnonzero((feed.labels == feed.labels[0]) & (feed.types == feed.types[0]))[:6]
        strips = {
            f"{feed.labels[i]}, {feed.types[i]}, view {feed.views[i]}": feed.poses(i) for i in rows
        }
        skeleton_figure(strips, config.model.joints).savefig(folder / "walkers.png")
    return page
