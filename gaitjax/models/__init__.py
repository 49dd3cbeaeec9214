"""The networks: `build` makes one from a config, `init` its initial variables.

A network is a Flax module, called as (x, mask=None, train=False), that gives a dict with
`embed_1` (N, D, P). What it needs from a batch its class declares:

  inputs: ("poses",): x is (N, T, V, 3), x and y in pixels and confidence; ("maps",): maps
    (N, T, H, W, 2) in [0, 1]; ("maps", "silhouettes"): the silhouette as third channel.
  any_length: it takes whole sequences, padded, with mask (N, T) of the real frames;
    otherwise windows of one length, and no mask.

A network that has an `embed` (x, mask=None) of its own embeds test-time views with it.
"""

from flax import linen as nn
from jax import Array
from ml_collections import ConfigDict

from gaitjax.errors import DataError
from gaitjax.models.gaitgraph1 import GaitGraph1
from gaitjax.models.gaitgraph2 import GaitGraph2
from gaitjax.models.gaittr import GaitTR
from gaitjax.models.initializers import init as init
from gaitjax.models.skeletongait import SkeletonGait
from gaitjax.models.skeletongaitpp import SkeletonGaitPP

MODELS = {
    "gaitgraph1": GaitGraph1,
    "gaitgraph2": GaitGraph2,
    "gaittr": GaitTR,
    "skeletongait": SkeletonGait,
    "skeletongaitpp": SkeletonGaitPP,
}


INPUTS = (("poses",), ("maps",), ("maps", "silhouettes"))


def build(config: ConfigDict) -> nn.Module:
    """The network of `config.model`: `name` picks it, the other fields are its attributes.

    `joints`, the format of the poses that it is fed or that its maps are drawn from, is only
    passed to networks that have such a field.

    Raises:
      DataError: unknown name, or a field the network does not have.
    """
    fields = {k: tuple(v) if isinstance(v, list) else v for k, v in config.model.items()}
    name = fields.pop("name")
    if name not in MODELS:
        raise DataError(f"config.model.name is {name!r}; expected one of {', '.join(MODELS)}")
    network = MODELS[name]
    known = [f for f in network.__dataclass_fields__ if f not in ("parent", "name")]
    if "joints" not in known:
        fields.pop("joints", None)
    if unknown := [f for f in fields if f not in known]:
        raise DataError(
            f"config.model has {', '.join(unknown)}, which {name} lacks; it has {', '.join(known)}"
        )
    return network(**fields)


def embed(
    network: nn.Module, variables: dict, x: Array, mask: Array | None = None
) -> dict[str, Array]:
    """{"embed_1": (N, D, P), ...} for evaluation: of `network.embed`, or else of its call."""
    method = "embed" if hasattr(network, "embed") else None
    outputs = network.apply(variables, x, mask, method=method)
    return {name: value for name, value in outputs.items() if name.startswith("embed_")}
