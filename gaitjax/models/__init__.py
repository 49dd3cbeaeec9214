"""The networks: `build` makes one from a config, `init` its initial variables."""

from flax import linen as nn
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


def build(config: ConfigDict) -> nn.Module:
    """The network of `config.model`: `name` picks it, the other fields are its attributes.

    Raises:
      DataError: unknown name, or a field the network does not have.
    """
    fields = {k: tuple(v) if isinstance(v, list) else v for k, v in config.model.items()}
    name = fields.pop("name")
    if name not in MODELS:
        raise DataError(f"config.model.name is {name!r}; expected one of {', '.join(MODELS)}")
    known = [f for f in MODELS[name].__dataclass_fields__ if f not in ("parent", "name")]
    if unknown := [f for f in fields if f not in known]:
        raise DataError(
            f"config.model has {', '.join(unknown)}, which {name} lacks; it has {', '.join(known)}"
        )
    return MODELS[name](**fields)
