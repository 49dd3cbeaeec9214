"""A network on probes, and what it attributes its right answers to."""

import jax
import numpy as np
import pytest

from gaitjax import models, sharding
from gaitjax.errors import ConfigError
from gaitjax.evaluation import attribution, probing
from gaitjax.evaluation.distances import distance_matrix
from gaitjax.evaluation.trial import open_trial
from tests.helpers import tiny


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    folder = tmp_path_factory.mktemp("walkers")
    # Of one size, or differences drown in the rounding of an untrained network.
    config = tiny.config(folder, "--config.data.normalise=centred", "--config.eval.metric=euc")
    return open_trial(config, models.build(config), sharding.make_mesh())


def test_integrated_gradients_of_a_polynomial_are_exact():
    weights = np.array([[1, -2], [3, 0.5]], np.float32)
    x, start = np.array([[[1, 2], [3, 4]], [[0, 1], [-1, 4]]], np.float32)
    slope = jax.value_and_grad(lambda x: (weights * x**3).sum())
    values, end, begin = attribution.integrated(slope, x, start, nodes=4)
    np.testing.assert_allclose(values, weights * (x**3 - start**3), rtol=1e-6, atol=1e-6)
    assert values.sum() == pytest.approx(end - begin, rel=1e-6)


def test_probes_and_attributions_of_a_network(trial):
    variables, said = trial.untrained(), []
    name = trial.config.eval.embedding
    embeddings = trial.embed(variables, [name])[name]
    record = trial.score(embeddings)
    compiled = trial.programs.embed._cache_size()
    found = probing.run(trial, variables, record, said.append)
    assert trial.programs.embed._cache_size() == compiled
    assert found["as it is"] == {key: record[key] for key in ("headline", "interval")}
    assert list(found) == [
        "as it is", "frozen", "shuffled", "reversed", "one height", "one set of limbs",
        "without head", "without trunk", "without arms", "without legs", "sides exchanged",
        "limb ratios alone", "mean pose alone",
    ]  # fmt: skip
    assert all(scores["interval"]["Rank-1"] for scores in found.values())
    differing = {scores["headline"]["mAP"] for scores in found.values()}
    assert len(differing) >= 9
    assert said[0] == "probe 1 of 10: frozen"
    head, row, *_ = probing.table(found)
    assert head == ["", "Rank-1", "Rank-1 across views"]
    low, high = record["interval"]["Rank-1"]
    assert row[1] == f"{record['headline']['Rank-1']:.2f} ({low:.2f} - {high:.2f})"

    results = attribution.of_trial(trial, variables, embeddings, limit=2)
    for a in results:
        assert a.probe.split("-")[0] == a.match.split("-")[0] and a.probe != a.match
        assert a.values.shape == (12, 17) == a.poses.shape[:2]
        # Completeness.
        assert a.values.sum() == pytest.approx(a.similarity - a.baseline, rel=0.02)
        assert a.error < 0.02


@pytest.mark.parametrize("metric", ["euc", "cos"])
def test_the_distance_with_a_gradient_is_the_protocols(metric):
    x = np.random.default_rng(0).normal(size=(2, 5, 3)).astype(np.float32)
    expected = distance_matrix(x[:1], x[1:], metric)[0, 0]
    assert float(attribution._distance(x[0], x[1], metric)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("data.modality", "map", "data.modality=pose"),
        ("data.modality", "pose+silhouette", "silhouettes"),
        ("eval.protocol", "grew_submission", "eval.protocol=grew_local"),
    ],
)
def test_what_cannot_be_probed_is_refused(trial, field, value, told):
    config = trial.config.copy_and_resolve_references()
    config.update_from_flattened_dict({field: value})
    with pytest.raises(ConfigError, match=told):
        probing.check(config)
