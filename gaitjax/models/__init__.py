"""The networks: `build` makes one from a config, `init` its initial variables.

A network is a Flax module, called as (x, mask=None, train=False), that gives a dict with
`embed_1` (N, D, P). What it needs from a batch its class declares:

  inputs: ("poses",): x is (N, T, V, 3), x and y in pixels and confidence; ("maps",): maps
    (N, T, H, W, 2) in [0, 1]; ("maps", "silhouettes"): the silhouette as third channel.
  any_length: it takes whole sequences, padded, with mask (N, T) of the real frames;
    otherwise windows of one length, and no mask.
  branches: how many it has side by side, which hold their memory together; where it has several.

A network that has an `embed` (x, mask=None) of its own embeds test-time views with it.

One of any length that pools its frames may also take a long sequence in pieces. Then it has
  sees: (before, after): how many frames before and after each its features depend on,
  piece(x, mask, own): the frames of a piece pooled, those that `own` (N, T) marks and no others,
  join(pool, pool): the pools of two pieces as one, and
  finish(pool): the outputs.
"""

import sys
from typing import Any

import jax
from flax import linen as nn
from jax import Array
from ml_collections import ConfigDict

from gaitjax.errors import DataError
from gaitjax.models.gaitgraph1 import GaitGraph1
from gaitjax.models.gaitgraph2 import GaitGraph2
from gaitjax.models.gaittr import GaitTR
from gaitjax.models.gpgait import GPGait, GPGaitPP
from gaitjax.models.initializers import init as init
from gaitjax.models.initializers import shapes as shapes
from gaitjax.models.skeletongait import SkeletonGait
from gaitjax.models.skeletongaitpp import SkeletonGaitPP

MODELS = {
    "gaitgraph1": GaitGraph1,
    "gaitgraph2": GaitGraph2,
    "gaittr": GaitTR,
    "gpgait": GPGait,
    "gpgaitpp": GPGaitPP,
    "skeletongait": SkeletonGait,
    "skeletongaitpp": SkeletonGaitPP,
}


INPUTS = (("poses",), ("maps",), ("maps", "silhouettes"))

# Of products and convolutions in evaluation: embeddings decide ranks, and the TF32 of a GPU and the
# bfloat16 of a TPU are off by up to 6e-3 (measured on an H100).
PRECISION = "highest"


def build(config: ConfigDict) -> nn.Module:
    """The network of `config.model`: `name` picks its class, the other fields are its attributes.

    `joints`, the format of the poses that it is fed or that its maps are drawn from, and `dtype`
    are passed to networks that have such a field.

    Raises:
      DataError: unknown name, a field the network does not have, or a class that does not say
        what it takes.
    """
    fields = {k: tuple(v) if isinstance(v, list) else v for k, v in config.model.items()}
    name = str(fields.pop("name"))
    network = class_of(name)
    if getattr(network, "inputs", None) not in INPUTS:
        raise DataError(
            f"{name} does not say what it takes: give the class an attribute\n"
            f"  inputs: ClassVar = one of {', '.join(map(str, INPUTS))}"
        )
    known = [f for f in network.__dataclass_fields__ if f not in ("parent", "name")]
    for field, usual in (("joints", fields.get("joints")), ("dtype", "float32")):
        if field not in known and fields.get(field) == usual:
            fields.pop(field, None)
    if unknown := [f for f in fields if f not in known]:
        raise DataError(
            f"config.model has {', '.join(unknown)}, which {name} lacks; it has {', '.join(known)}"
        )
    return network(**fields)


def class_of(name: str) -> type[nn.Module]:
    """The class of a packaged name, or of `module:Class` in a module that is imported already."""
    if name in MODELS:
        return MODELS[name]
    module, colon, attribute = name.partition(":")
    if not colon:
        raise DataError(
            f"config.model.name is {name!r}; expected one of {', '.join(MODELS)}, or module:Class "
            "for a network of your own"
        )
    if module not in sys.modules:
        raise DataError(
            f"the network {name} is not imported, and a stored config never imports code by "
            f"itself: import {module} first, or give gaitjax.load its class (network=) or the "
            "config file (config=)"
        )
    network = getattr(sys.modules[module], attribute, None)
    if not (isinstance(network, type) and issubclass(network, nn.Module)):
        raise DataError(f"config.model.name is {name}: {module} has no Flax module {attribute}")
    return network


def embed(
    network: nn.Module, variables: dict, x: Array, mask: Array | None = None
) -> dict[str, Array]:
    """{"embed_1": (N, D, P), ...} for evaluation: of `network.embed`, or else of its call."""
    method = "embed" if hasattr(network, "embed") else None
    return _embeddings(_exactly(network, variables, x, mask, method=method))


def piece(network: nn.Module, variables: dict, x: Array, mask: Array, own: Array) -> Any:
    """The pool of a piece of sequences, see above."""
    return _exactly(network, variables, x, mask, own, method="piece")


def finish(network: nn.Module, variables: dict, pool) -> dict[str, Array]:
    """{"embed_1": (N, D, P), ...} from what `network.piece` gave of all pieces of sequences."""
    return _embeddings(_exactly(network, variables, pool, method="finish"))


def _exactly(network: nn.Module, variables: dict, *inputs, method: str | None) -> Any:
    with jax.default_matmul_precision(PRECISION):
        return network.apply(variables, *inputs, method=method)


def _embeddings(outputs: Any) -> dict[str, Array]:
    return {name: value for name, value in outputs.items() if name.startswith("embed_")}
