"""The head of networks whose embeddings have parts (sections 5.6 and 16.7)."""

import jax.numpy as jnp
from flax import linen as nn
from jax import Array

from gaitjax.models.initializers import NEAR_ONE, PART_XAVIER, Initial
from gaitjax.models.layers import BatchNorm, l2_normalise

FEATURES = 256


class PartHead(nn.Module):
    """An embedding for each part and cosine logits, in float32.

    (N, P, C) to {"embed_1": (N, 256, P), "embed_2": (N, 256, P), "logits": (N, classes, P)};
    embed_2 is batch-normalised and of length 1 for each part.
    """

    classes: int
    scale_init: Initial = NEAR_ONE  # of the batch norm

    @nn.compact
    def __call__(self, x: Array, train: bool) -> dict[str, Array]:
        n, parts, c = x.shape
        fc = self.param("fc", PART_XAVIER, (parts, c, FEATURES))
        embed_1 = jnp.einsum("npc,pcd->ndp", x, fc)
        flat = embed_1.reshape(n, FEATURES * parts)  # feature d parts + p
        flat = BatchNorm(None, self.scale_init, name="bn")(flat, train=train)
        embed_2 = l2_normalise(flat.reshape(n, FEATURES, parts), axis=1)
        classifier = self.param("classifier", PART_XAVIER, (parts, FEATURES, self.classes))
        logits = jnp.einsum("ndp,pdk->nkp", embed_2, l2_normalise(classifier, axis=1))
        return {"embed_1": embed_1, "embed_2": embed_2, "logits": logits}
