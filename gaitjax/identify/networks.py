"""Which network a gallery's embeddings are of: the one that comes along, or any other."""

import json
from pathlib import Path

import numpy as np

from gaitjax import api, digest
from gaitjax.identify.gallery_file import Network
from gaitjax.untrusted import safe_npz

DEFAULT = "default"
SHIPPED = Path(__file__).parent / "network"  # the default network and its strangers


def load(weights: str | Path | api.Model) -> api.Model:
    """A model, or the one of `DEFAULT` or of whatever `gaitjax.load` takes; raises as that."""
    if isinstance(weights, api.Model):
        return weights
    return api.load(SHIPPED / "weights.npz" if str(weights) == DEFAULT else weights)


def described(model: api.Model, weights: str | Path | api.Model) -> Network:
    """What a gallery remembers of a model that `load` made of `weights`."""
    config = model.config
    return Network(
        "a model" if isinstance(weights, api.Model) else str(weights),
        fingerprint(model),
        config.model.name,
        config.model.joints,
        config.data.normalise,
        config.eval.metric,
    )


def fingerprint(model: api.Model) -> str:
    """What tells weights, and all settings that change embeddings, from any others."""
    config = model.config
    facts = {
        "arrays": digest.of_tree(model.variables),
        "model": json.loads(config.model.to_json()),
        "data": [config.data[key] for key in ("normalise", "rescale", "impute", "impute_test")],
        "eval": [config.eval[key] for key in ("clip", "frames", "limit", "select", "window")],
        "embedding": [config.eval.embedding, config.eval.metric, config.compat],
    }
    return digest.of_json(facts)


def shipped_walkers(of: str) -> np.ndarray | None:
    """Embeddings (n, D, P) of synthetic walkers, one of each; None for any but the default network.

    They took no part in its training.
    """
    path = SHIPPED / "strangers.npz"
    if not path.is_file():
        return None
    stored = safe_npz.load(path)
    return stored["embeddings"].astype(np.float32) if str(stored["fingerprint"]) == of else None
