"""Evaluation while training: checked before the first step, made of states that are on disk."""

import json
import math
from pathlib import Path

import jax
from flax import linen as nn
from jax.sharding import Mesh
from ml_collections import ConfigDict

from gaitjax import weights
from gaitjax.errors import ConfigError, DataError
from gaitjax.evaluation.trial import Trial, headline_metrics, open_trial
from gaitjax.training import setup
from gaitjax.training.metrics import MetricWriter


def prepare(
    config: ConfigDict, model: nn.Module, mesh: Mesh, say=print, known: dict | None = None
) -> Trial | None:
    """What the network will be evaluated on; None (and a note) where the data has no test set.

    Whatever an evaluation would refuse is refused now, not when hours have been trained.

    Args:
      known: what poses it is trained on, see `gaitjax.data.familiar`.
    Raises:
      ConfigError, DataError: the protocol, its gallery and probe types, its probe set or the
        embedding do not fit the test set; `train.keep_best` names no metric of it.
    """
    best = config.train.keep_best
    try:
        trial = open_trial(config, model, mesh, known)
    except DataError as error:
        say(f"no evaluation while training: {error}")
        if best:
            raise ConfigError(
                f"train.keep_best={best!r} needs a test set; see above why there is none"
            ) from error
        return None
    metrics = trial.rehearse()
    if best and best not in metrics:
        raise ConfigError(f"train.keep_best={best!r} is no metric; known: {', '.join(metrics)}")
    return trial


def evaluate(trial: Trial, state: dict) -> dict:
    """The protocol's record of a state."""
    return trial.record(setup.variables(state))


def keep(trial: Trial, state: dict, record: dict, writer: MetricWriter, workdir: Path) -> None:
    """Write what was found to best.npz, the metrics and the screen, in this order.

    A run killed in between evaluates the state again, see `metrics.evaluated`.
    """
    values, step = headline_metrics(record), int(state["step"])
    if jax.process_index() == 0:
        _keep_best(trial, setup.variables(state), values, workdir, step)
        print(f"step {step}  " + "  ".join(f"{k} {v:.2f}" for k, v in values.items()), flush=True)
    writer.write(step, values)


def _keep_best(trial: Trial, variables: dict, values: dict, workdir: Path, step: int) -> None:
    config, metric = trial.config, trial.config.train.keep_best
    if not metric:
        return
    path = workdir / "best.npz"
    best = weights.load(path)[1]["value"] if path.exists() else -math.inf
    if values[metric] > best:
        metadata = {"metric": metric, "value": values[metric], "step": step, "knows": trial.known}
        weights.save(path, variables, metadata | {"config": json.loads(config.to_json())})
