"""Losses against recorded values and gradients, in both precisions.

The yardstick is the reference in double precision: its single precision underflows at
temperature 0.01, ours must not. Largest relative differences measured: float64 5e-15 in
values and 1e-14 in gradients; float32 1.1e-6 in values and 3e-6 in gradients.
"""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from ml_collections import ConfigDict

from gaitjax.errors import ConfigError
from gaitjax.training import losses

GOLDENS = Path(__file__).parents[1] / "golden"
GOLDEN = np.load(GOLDENS / "losses.npz")
CASES = sorted({key.split("/")[0] for key in GOLDEN.files})
# Recorded, but not to be equalled: each has a test of its own below.
DIFFERENT = ("supcon_lp_all_unique", "triplet_uneven", "triplet_single_class")
UNDERFLOW = ("supcon_lp_single_class", "supcon_lp_some_unique")


def loss_of(case: str):
    """Our loss of a case, as a function of its recorded input and labels."""
    temperature = 0.1 if "t0.1" in case else 0.01
    margin = 0.2 if "m0.2" in case else 0.3
    if case.startswith("supcon_re"):  # (N, views, D): all first views, then all second
        return lambda x, labels: losses.supcon_re(
            {"embed_1": jnp.moveaxis(x, 1, 0).reshape(-1, x.shape[-1], 1)}, labels, temperature
        )
    if case.startswith("supcon_lp"):
        return lambda x, labels: losses.supcon_lp({"embed_1": x[..., None]}, labels, temperature)
    if case.startswith("triplet"):
        return lambda x, labels: losses.triplet({"embed_1": x}, labels, margin)
    settings = {}
    if "no_smooth" in case:
        settings = dict(smoothing=0.0)
    if "eps0.2_scale1" in case:
        settings = dict(scale=1.0, smoothing=0.2)
    return lambda x, labels: losses.cross_entropy({"logits": x}, labels, **settings)


def value_and_grad(case: str, precision: str):
    key = next(k for k in GOLDEN.files if k.startswith(f"{case}/") and k.count("/") == 1
               and not k.endswith("labels"))  # fmt: skip
    with jax.enable_x64(precision == "float64"):
        x = jnp.asarray(GOLDEN[key].astype(precision))
        labels = jnp.asarray(GOLDEN[f"{case}/labels"].astype(np.int32))
        (loss, _), grad = jax.jit(jax.value_and_grad(loss_of(case), has_aux=True))(x, labels)
        return float(loss), np.asarray(grad)


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("case", [case for case in CASES if case not in DIFFERENT])
def test_value_and_gradient_equal_the_recorded(case, precision):
    loss, grad = value_and_grad(case, precision)
    recorded = GOLDEN[f"{case}/float64/grad"]
    tolerance = 2e-6 if precision == "float32" else 2e-14
    np.testing.assert_allclose(loss, GOLDEN[f"{case}/float64/loss"].mean(), rtol=tolerance)
    error = np.linalg.norm(grad - recorded)
    # Duplicate rows have a gradient of 4e-43, below what float32 holds.
    assert error <= 4 * tolerance * np.linalg.norm(recorded) + 1e-30


@pytest.mark.parametrize("case", UNDERFLOW)
def test_supcon_keeps_every_anchor_where_float32_underflows(case):
    loss, grad = value_and_grad(case, "float32")
    assert np.isfinite(loss) and np.isfinite(grad).all()
    x, labels = jnp.asarray(GOLDEN[f"{case}/features"]), jnp.asarray(GOLDEN[f"{case}/labels"])
    share = jax.jit(loss_of(case))(x, labels)[1]["anchors"]
    count = np.unique(labels, return_counts=True, return_inverse=True)
    assert float(share) == pytest.approx((count[2][count[1]] > 1).mean())


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_supcon_without_a_positive_is_zero(precision):
    """The reference takes the mean of nothing there: NaN."""
    assert np.isnan(GOLDEN["supcon_lp_all_unique/float64/loss"])
    loss, grad = value_and_grad("supcon_lp_all_unique", precision)
    assert loss == 0 and not grad.any()


def batch_all(x: np.ndarray, labels: np.ndarray, margin: float) -> float:
    """The batch-all triplet loss written out, the anchor one of its own positives."""
    parts = []
    for part in range(x.shape[2]):
        terms = []
        for a in range(len(x)):
            distance = np.linalg.norm(x[a, :, part] - x[:, :, part], axis=1)
            for p in np.flatnonzero(labels == labels[a]):
                for n in np.flatnonzero(labels != labels[a]):
                    terms.append(max(distance[p] - distance[n] + margin, 0.0))
        parts.append(sum(terms) / (np.count_nonzero(terms) + 1e-9))
    return float(np.mean(parts))


@pytest.mark.parametrize("case", ["triplet_uneven", "triplet_single_class", "triplet_m0.2"])
def test_triplet_takes_any_labels(case):
    """Against the plain definition, also where the reference cannot be followed.

    With classes of different size its reshape mixes distances of different anchors (5 %
    off here), and with a single class it raises.
    """
    x, labels = GOLDEN[f"{case}/embeddings"], GOLDEN[f"{case}/labels"]
    expected = batch_all(x.astype(np.float64), labels, 0.2 if "m0.2" in case else 0.3)
    loss, grad = value_and_grad(case, "float64")
    assert loss == pytest.approx(expected, rel=1e-12, abs=1e-15)
    assert np.isfinite(grad).all()
    if case == "triplet_uneven":
        assert abs(expected / GOLDEN[f"{case}/float64/loss"].mean() - 1) > 0.04


def batch_hard(x: np.ndarray, labels: np.ndarray, margin: float) -> float:
    """Hermans et al. (2017): farthest positive against nearest negative, mean of what is left."""
    parts = []
    for part in range(x.shape[2]):
        distance = np.linalg.norm(x[:, None, :, part] - x[None, :, :, part], axis=-1)
        same = labels[:, None] == labels[None]
        terms = [
            max(distance[a][same[a]].max() - distance[a][~same[a]].min() + margin, 0.0)
            for a in range(len(x))
        ]
        left = [term for term in terms if term > 0]
        parts.append(sum(left) / (len(left) + 1e-9))
    return float(np.mean(parts))


@pytest.mark.parametrize("case", ["triplet_m0.2", "triplet_uneven", "triplet_separated"])
def test_hard_triplet_is_the_definition(case):
    x, labels = GOLDEN[f"{case}/embeddings"], GOLDEN[f"{case}/labels"]
    with jax.enable_x64(True):
        outputs = {"embed_1": jnp.asarray(x.astype(np.float64))}
        loss, _ = jax.jit(lambda o, l: losses.triplet(o, l, 0.2, hard=True))(outputs, labels)
    expected = batch_hard(x.astype(np.float64), labels, 0.2)
    assert float(loss) == pytest.approx(expected, rel=1e-12, abs=1e-15)


HARD = np.load(GOLDENS / "gpgait" / "losses.npz")


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize(
    "case", ["m0.3", "m0.2", "separated", "some_active", "all_unique", "identical_rows"]
)
def test_hard_triplet_golden(case, precision):
    key = f"triplet_hard_{case}"
    labels, margin = HARD[f"{key}/labels"], 0.2 if case == "m0.2" else 0.3
    with jax.enable_x64(precision == "float64"):
        x = jnp.asarray(HARD[f"{key}/embeddings"], precision)
        loss, grad = jax.jit(
            jax.value_and_grad(
                lambda x: losses.triplet({"embed_1": x}, labels, margin, hard=True)[0]
            )
        )(x)
    limit = 1e-12 if precision == "float64" else 1e-6
    assert float(loss) == pytest.approx(HARD[f"{key}/float64/loss"].mean(), abs=limit)
    np.testing.assert_allclose(grad, HARD[f"{key}/float64/grad"], atol=limit)


def test_hard_triplet_of_one_class_is_zero():
    outputs = {"embed_1": jnp.ones((4, 3, 1)) * jnp.arange(4.0)[:, None, None]}

    def one_class(outputs):
        return losses.triplet(outputs, jnp.zeros(4, jnp.int32), 0.3, hard=True)[0]

    loss, grad = jax.jit(jax.value_and_grad(one_class))(outputs)
    assert float(loss) == 0 and np.isfinite(grad["embed_1"]).all()


def test_distance_of_equal_rows_has_no_gradient():
    rows = jnp.array([[1.0, 2.0], [1.0, 2.0], [3.0, -1.0]])
    grad = jax.jit(jax.jacobian(losses.pairwise_distance))(rows)
    assert np.isfinite(grad).all()
    assert not np.asarray(grad)[0, 1].any()


def test_distances_far_from_the_origin_keep_their_digits():
    rows = np.random.default_rng(0).normal(size=(6, 5)) + 1e3
    exact = np.linalg.norm(rows[:, None] - rows[None], axis=-1)
    found = losses.pairwise_distance(jnp.asarray(rows.astype(np.float32)))
    np.testing.assert_allclose(found, exact, rtol=2e-4, atol=1e-4)


def test_a_network_without_classes_is_refused_by_name():
    outputs = {"embed_1": jnp.zeros((4, 3, 1)), "embed_2": jnp.zeros((4, 3, 1))}
    config = ConfigDict(dict(cross_entropy=dict(scale=16.0)))
    with pytest.raises(ConfigError, match="`logits` .* it gives embed_1, embed_2: leave the loss"):
        losses.total_loss(outputs, jnp.zeros(4, jnp.int32), config)


def test_total_is_the_weighted_sum():
    rng = np.random.default_rng(1)
    outputs = {
        "embed_1": jnp.asarray(rng.normal(size=(4, 6, 2)), jnp.float32),
        "logits": jnp.asarray(rng.normal(size=(4, 3, 2)), jnp.float32),
    }
    labels = jnp.array([0, 0, 1, 1])
    config = ConfigDict(
        dict(triplet=dict(margin=0.2, weight=0.5), cross_entropy=dict(scale=16.0, smoothing=0.1))
    )
    total, parts = losses.total_loss(outputs, labels, config)
    assert float(total) == pytest.approx(0.5 * parts["triplet"] + parts["cross_entropy"])
    assert set(parts) >= {"triplet", "cross_entropy", "cross_entropy_accuracy"}
