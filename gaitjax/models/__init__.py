"""The networks, and `build` to make one from a config."""

from flax import linen as nn
from ml_collections import ConfigDict

from gaitjax.models.gaitgraph2 import GaitGraph2

MODELS = {
    "gaitgraph2": GaitGraph2,
}


def build(config: ConfigDict) -> nn.Module:
    """The network of `config.model`: `name` picks it, the other fields are its attributes.

    Raises:
      ValueError: unknown name, or a field the network does not have.
    """
    fields = {k: tuple(v) if isinstance(v, list) else v for k, v in config.model.items()}
    name = fields.pop("name")
    if name not in MODELS:
        raise ValueError(f"config.model.name is {name!r}; expected one of {', '.join(MODELS)}")
    known = [f for f in MODELS[name].__dataclass_fields__ if f not in ("parent", "name")]
    if unknown := [f for f in fields if f not in known]:
        raise ValueError(
            f"config.model has {', '.join(unknown)}, which {name} lacks; it has {', '.join(known)}"
        )
    return MODELS[name](**fields)
