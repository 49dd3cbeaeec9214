"""Metric-learning losses over the global batch (specification section 7).

Each loss is a pure function of (network outputs, labels (N,) int, its parameters) that
returns (scalar, info dict); `LOSSES` names them as configs do. Losses run in float32,
or in float64 when the outputs are float64.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import Array

from gaitjax.errors import ConfigError
from gaitjax.models.layers import l2_normalise


def _safe_sqrt(square: Array) -> Array:
    """sqrt with gradient 0 at 0 and below."""
    positive = square > 0
    return jnp.where(positive, jnp.sqrt(jnp.where(positive, square, 1.0)), 0.0)


def pairwise_distance(x: Array) -> Array:
    """Euclidean distances between the rows of x (N, D), (N, N); gradient 0 at distance 0.

    Rows are centred first, which changes no distance and keeps the digits of small ones.
    """
    x = x - jax.lax.stop_gradient(x.mean(axis=0))
    norm = jnp.sum(x * x, axis=1)
    product = jnp.dot(x, x.T, precision=jax.lax.Precision.HIGHEST)
    square = norm[:, None] + norm[None, :] - 2 * product
    return _safe_sqrt(jnp.where(jnp.eye(len(x), dtype=bool), 0.0, square))


def _mean_where(value: Array, mask: Array) -> Array:
    """Mean of `value` where `mask`; 0 if there is none."""
    return jnp.sum(jnp.where(mask, value, 0.0)) / jnp.maximum(jnp.sum(mask), 1)


def _supcon_rows(logits: Array, positive: Array, other: Array) -> Array:
    """Per-anchor loss mean_p -log(exp(l_p) / sum_other exp(l)), (N,); 0 without positives.

    Split into positives and negatives so that a small loss keeps its digits and nothing
    underflows: (lse_p - mean_p l) + softplus(lse_n - lse_p).
    """
    count = jnp.maximum(positive.sum(axis=1), 1)
    low = jnp.finfo(logits.dtype).min / 4  # finite: differences stay finite too
    lse_positive = jax.nn.logsumexp(jnp.where(positive, logits, low), axis=1)
    lse_negative = jax.nn.logsumexp(jnp.where(other & ~positive, logits, low), axis=1)
    mean_positive = jnp.sum(jnp.where(positive, logits, 0.0), axis=1) / count
    loss = lse_positive - mean_positive + jax.nn.softplus(lse_negative - lse_positive)
    return jnp.where(positive.any(axis=1), loss, 0.0)


def _pairs(labels: Array) -> tuple[Array, Array]:
    """(positive, other) masks, (N, N) bool; the self pair belongs to neither."""
    other = ~jnp.eye(labels.shape[0], dtype=bool)
    return (labels[:, None] == labels[None, :]) & other, other


def supcon_lp(outputs: dict, labels: Array, temperature: float) -> tuple[Array, dict]:
    """GaitGraph2's supervised contrastive loss on embed_1 (N, D, 1) (section 7).

    Similarities are minus the Euclidean distances of L2-normalised rows. Anchors whose
    loss is 0 to the precision of the similarities (no positive in the batch, or already
    far closer to it than to anything else) leave the mean, as in the reference; unlike
    there an underflow drops none. Without any anchor the loss is 0 (reference: NaN).
    """
    embeddings = l2_normalise(outputs["embed_1"][..., 0], axis=1)
    positive, other = _pairs(labels)
    logits = -pairwise_distance(embeddings) / temperature
    rows = _supcon_rows(logits, positive, other)
    nearest = jnp.max(jnp.where(positive, logits, -jnp.inf), axis=1)
    active = positive.any(axis=1) & (rows > jnp.finfo(rows.dtype).eps * jnp.abs(nearest))
    return _mean_where(rows, active), {"anchors": active.mean()}


def supcon_re(
    outputs: dict, labels: Array, temperature: float, base_temperature: float = 0.07
) -> tuple[Array, dict]:
    """GaitGraph1's supervised contrastive loss on embed_1 (2N, D, 1), two views stacked.

    Similarities are dot products; the mean runs over all anchors and is scaled by
    temperature / base_temperature.
    """
    embeddings = outputs["embed_1"][..., 0]
    labels = jnp.tile(labels, embeddings.shape[0] // labels.shape[0])
    positive, other = _pairs(labels)
    logits = jnp.dot(embeddings, embeddings.T, precision=jax.lax.Precision.HIGHEST) / temperature
    rows = _supcon_rows(logits, positive, other)
    return rows.mean() * (temperature / base_temperature), {}


def _farthest(distance: Array, same: Array) -> Array:
    """Distance (N,) of each row's farthest positive; of several, the gradient is the first's."""
    index = jnp.argmax(jnp.where(same, distance, -1.0), axis=1)
    return jnp.take_along_axis(distance, index[:, None], axis=1)[:, 0]


def _nearest(distance: Array, same: Array) -> Array:
    """Distance (N,) of each row's nearest negative, as `_farthest`; infinite without one."""
    index = jnp.argmin(jnp.where(same, jnp.inf, distance), axis=1)
    nearest = jnp.take_along_axis(distance, index[:, None], axis=1)[:, 0]
    return jnp.where(same.all(axis=1), jnp.inf, nearest)


def triplet(outputs: dict, labels: Array, margin: float, hard: bool = False) -> tuple[Array, dict]:
    """Triplet loss on embed_1 (N, D, P), per part, then mean over parts.

    Batch-all: all (anchor, positive, negative) triples count, the anchor being one of its
    own positives. `hard`: one triple for each anchor, of its farthest positive and its nearest
    negative (Hermans et al., 2017). The mean runs over the non-zero terms. Any label multiset is
    accepted.
    """
    same = labels[:, None] == labels[None, :]
    triple = same[:, :, None] & ~same[:, None, :]

    def part(x: Array) -> tuple[Array, Array]:
        distance = pairwise_distance(x)
        if hard:
            term = jax.nn.relu(_farthest(distance, same) - _nearest(distance, same) + margin)
        else:
            term = jax.nn.relu(distance[:, :, None] - distance[:, None, :] + margin)
            term = jnp.where(triple, term, 0.0)
        active = jnp.sum(term > 0)
        return jnp.sum(term) / (active + 1e-9), active

    loss, active = jax.vmap(part, in_axes=2)(outputs["embed_1"])
    share = active.mean() / (len(labels) if hard else jnp.maximum(triple.sum(), 1))
    return loss.mean(), {"active_triplets": share}


def cross_entropy(
    outputs: dict, labels: Array, scale: float = 16.0, smoothing: float = 0.1
) -> tuple[Array, dict]:
    """Cross entropy of scale * logits (N, classes, P) with smoothing over all classes."""
    if "logits" not in outputs:
        raise ConfigError(
            "loss.cross_entropy needs the network's output `logits` (N, classes, P), and it gives "
            f"{', '.join(outputs)}: leave the loss out, or give the network a classifier"
        )
    logits = outputs["logits"]
    log_probability = jax.nn.log_softmax(scale * logits, axis=1)
    true = jnp.take_along_axis(log_probability, labels[:, None, None], axis=1)[:, 0]
    smooth = log_probability.mean(axis=1)
    loss = -((1 - smoothing) * true + smoothing * smooth).mean()
    accuracy = (logits.argmax(axis=1) == labels[:, None]).mean()
    return loss, {"accuracy": accuracy}


LOSSES: dict[str, Callable[..., tuple[Array, dict]]] = {
    "supcon_lp": supcon_lp,
    "supcon_re": supcon_re,
    "triplet": triplet,
    "cross_entropy": cross_entropy,
}
PAIRWISE = ("supcon_lp", "supcon_re", "triplet")  # compare sequences of several identities
OF_TWO_VIEWS = ("supcon_re",)  # those that know a batch of two views of every clip


def total_loss(outputs: dict, labels: Array, config) -> tuple[Array, dict]:
    """Weighted sum of the losses in `config` (name -> parameters, optional weight).

    Returns the scalar and a dict of every part, named `<loss>` and `<loss>_<info>`.
    """
    total, parts = jnp.float32(0), {}
    for name, parameters in config.items():
        parameters = dict(parameters)
        weight = parameters.pop("weight", 1.0)
        loss, info = LOSSES[name](outputs, labels, **parameters)
        total = total + weight * loss
        parts[name] = loss
        parts.update({f"{name}_{key}": value for key, value in info.items()})
    return total, parts
