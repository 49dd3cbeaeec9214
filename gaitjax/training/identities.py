"""Whether the identities of a training set are what network, loss and test set need."""

import numpy as np
from ml_collections import ConfigDict

from gaitjax.errors import ConfigError
from gaitjax.training.losses import PAIRWISE


def check_identities(config: ConfigDict, labels: np.ndarray) -> None:
    """Refuses a training set that the network or the loss cannot be trained on.

    Args:
      labels: (S,) the identity of each training sequence.

    Raises:
      ConfigError: more identities than `model.classes`; one identity, with a loss that compares
        people.
    """
    count = len(np.unique(labels))
    classes = config.model.get("classes", count)
    if count > classes:
        raise ConfigError(
            f"model.classes={classes}, but the training set of {config.data.name} has {count} "
            f"identities: set --config.model.classes={count}"
        )
    compared = [name for name in config.loss if name in PAIRWISE]
    if count == 1 and compared:
        raise ConfigError(
            f"the training set of {config.data.name} has one identity ({labels[0]}), and loss."
            f"{compared[0]} learns by comparing people: give the sequences of two or more, see "
            "data.root and data.partition"
        )


def note_shared(train: np.ndarray, test: np.ndarray) -> str:
    """What to say where training and test share identities; "" where they do not."""
    tested = np.unique(test)
    shared = np.intersect1d(train, tested)
    if not len(shared):
        return ""
    return (
        f"note: {len(shared)} of the {len(tested)} test identities are trained on "
        f"({', '.join(shared[:3])}{', ...' if len(shared) > 3 else ''}): the scores do not tell "
        "how strangers would be recognised"
    )
