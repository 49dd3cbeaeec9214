"""Gait recognition from skeletons in JAX/Flax.

    model = gaitjax.load("gaitgraph2_grew")       # released weights, or a path to trained ones
    embeddings = model.embed(sequences)           # poses (T, V, 3) -> (N, D, P)
    gaitjax.evaluation.rank1(embeddings, labels, metric=model.metric)

Parts are imported when they are first used, so that `import gaitjax` itself costs nothing.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gaitjax import evaluation
    from gaitjax.api import Model, load
    from gaitjax.identify.gallery import Gallery

__version__ = "0.1.0"
__all__ = ["Gallery", "Model", "evaluation", "load"]


def __getattr__(name: str):
    if name == "evaluation":
        return importlib.import_module("gaitjax.evaluation")
    if name in ("Model", "load"):
        return getattr(importlib.import_module("gaitjax.api"), name)
    if name == "Gallery":
        return importlib.import_module("gaitjax.identify.gallery").Gallery
    raise AttributeError(f"module 'gaitjax' has no attribute {name!r}")
