"""A network trained further on a few people of one's own, from any weights.

The run is an ordinary one of `gaitjax.train`: it resumes, saves before it stops, and ends with
weights that `gaitjax.load` takes.
"""

from pathlib import Path

import jax
import numpy as np
from ml_collections import ConfigDict

from gaitjax import api, files, models
from gaitjax.config import check_training
from gaitjax.data import partitions
from gaitjax.errors import ConfigError, DataError, TrainingError
from gaitjax.identify import networks
from gaitjax.identify.networks import DEFAULT
from gaitjax.train import train
from gaitjax.training import optim, step

STEPS = 200
SLOWER = 0.1  # of the learning rate that the weights were trained with
BATCH = 32  # clips, at most


def tune(
    data: str | Path,
    workdir: str | Path,
    weights: str = DEFAULT,
    steps: int = STEPS,
    frozen: bool = False,
    partition: str = "",
) -> Path:
    """Trains the network of `weights` on the people of `data`; returns the work directory.

    Layers whose shape hangs on the number of people, as a classifier's, begin anew.

    Args:
      data: OpenGait's layout, with partition.json; who is in its TEST_SET is held out.
      weights: as of `gaitjax.Gallery`.
      frozen: all but the last layer stay as they are.

    Raises:
      ConfigError, DataError, WeightsError, TrainingError: as `gaitjax.train`; TrainingError also
        where a signal stopped it before its last step. What was done by then is saved.
    """
    model = networks.load(weights)
    config = config_of(model, files.expanded(data), partition, steps)
    config.init_from, config.init_strict = model.metadata["source"], False
    if frozen:
        config.train.freeze = all_but_last(config)
    check_training(config)
    state, _ = train(config, workdir)
    if (reached := int(state["step"])) < steps:
        raise TrainingError(
            f"{workdir}: stopped at step {reached} of {steps}, which is saved; run it again to go "
            "on"
        )
    return files.expanded(workdir)


def config_of(model: api.Model, data: Path, partition: str, steps: int) -> ConfigDict:
    """The config that `model` was trained with, for a few people and steps."""
    config = model.config.copy_and_resolve_references()
    if not config.loss:
        raise ConfigError(
            "the weights do not say by which loss they were trained; use gaitjax.train"
        )
    config.data.update(name="own", root=str(data), partition=partition)
    split = partitions.open_split(config.data, "train")
    people = len(split.ids)
    if people < 2:
        raise DataError(f"{data}: {people} person to train on; to tell people apart takes two")
    per_person = config.train.per_identity or 4
    batch = min(BATCH, people * per_person) // per_person * per_person
    config.train.update(steps=steps, batch_size=batch, per_identity=per_person, save_every=50)
    config.train.update(log_every=10, eval_every=0, keep_best="")
    config.schedule.lr = SLOWER * config.schedule.lr
    if "classes" in config.model:
        config.model.classes = people
    config.eval.update(protocol="gallery_probe", gallery_types=(), probe_types=())
    return config


def all_but_last(config: ConfigDict) -> tuple[str, ...]:
    """The names of all parameters but those of the layer declared last, for `train.freeze`."""
    shapes = step.variable_shapes(config, models.build(config))["params"]
    named = [
        (optim.path_name(path).split("/")[0], int(np.prod(leaf.shape)))
        for path, leaf in jax.tree_util.tree_flatten_with_path(shapes)[0]
    ]
    tops = list(dict.fromkeys(name for name, _ in named))
    last = [name for name in tops if name.startswith(("fc", "head", "classifier", "bnneck"))]
    if not last:
        raise ConfigError(
            f"{config.model.name}: cannot tell its last layer among {', '.join(tops)}; freeze with "
            "python -m gaitjax.train --config.train.freeze=..."
        )
    return tuple(f"{name}/" for name in tops if name not in last)
