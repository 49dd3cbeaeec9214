"""Embeddings of every network against values recorded from the reference program.

The float64 values are the truth: single precision must come within 1e-5 of the largest
value, double precision within 1e-10.
"""

import contextlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gaitjax import config as configs
from gaitjax import models
from gaitjax.conversion import core
from gaitjax.conversion.rules import rules
from gaitjax.models.parts import PartHead
from gaitjax.models.skeletongait import strips
from gaitjax.training import step
from tests.helpers.golden_weights import GOLDEN, golden_state_dict, reference_shapes

CASES = sorted(path.stem for path in (GOLDEN / "forward").glob("*.npz"))
REPRESENTATIVE = (
    "gaitgraph1_casiab",
    "gaitgraph2_oumvlp",
    "gaittr_oumvlp",
    "skeletongait_ccpg",
    "skeletongaitpp_gait3d",
)
SHAPES = reference_shapes()
CLASSIFIER = "BNNecks.fc_bin"


def channels_last(case: str, x: np.ndarray) -> np.ndarray:
    """The reference's network input in our layout: poses, maps, and GaitGraph2's streams."""
    if case.startswith("gaitgraph1"):  # N C T V 1
        return x[..., 0].transpose(0, 2, 3, 1)
    if case.startswith("gaittr"):  # N T C V 1, positions first; the confidence is not used
        return x[..., 0][:, :, (0, 1, 1)].transpose(0, 1, 3, 2)
    if case.startswith("skeletongait"):  # N T C H W
        return x.transpose(0, 1, 3, 4, 2)
    return x


def network(case: str, classes: int | None = None):
    """Model, and the reference's weights under our names; fewer classes spare memory."""
    config = configs.load(case)
    shapes = dict(SHAPES[case])
    if classes and CLASSIFIER in shapes:
        config.model.classes = classes
        shapes[CLASSIFIER] = (*shapes[CLASSIFIER][:2], classes)
    model = models.build(config)
    golden = np.load(GOLDEN / "forward" / f"{case}.npz")
    inputs = {
        key.removesuffix("/input"): channels_last(case, golden[key])
        for key in golden.files
        if key.endswith("/input")
    }
    template = step.variable_shapes(config, model)
    state = golden_state_dict(shapes)
    calibrated = state | {
        key.removeprefix("calibrated/bn/"): golden[key] for key in golden.files if "/bn/" in key
    }
    table = rules(config)
    variables = {"": core.to_flax(state, table, template)}
    if calibrated.keys() == state.keys() and any("/bn/" in key for key in golden.files):
        variables["calibrated/"] = core.to_flax(calibrated, table, template)
    return model, variables, inputs, golden


def poses_of(streams):
    """The poses (N, T, V, 3) in GaitGraph2's streams."""
    return streams[..., 0, :3]


def embed_recorded(model, variables, streams):
    """`GaitGraph2.embed` with the first view's streams as recorded, rounded to float32."""
    views = jnp.concatenate([streams, *model.views(poses_of(streams))[1:]])
    embeddings = model.apply(variables, views, method="of_streams")["embed_1"]
    return jnp.concatenate(jnp.split(embeddings, 3), axis=1)


def error(ours, golden) -> float:
    return float(np.abs(np.asarray(ours) - golden).max() / np.abs(golden).max())


def effect_of_rounding(embed, variables, x, truth) -> float:
    """How far the result moves when weights and input move by half a unit of float32.

    The largest of three draws, in double precision: what single precision can promise at best
    of weights that no training made (1.3e-4 for one of GaitTR's recordings, 1e-7 for others).
    """
    rng = np.random.default_rng(0)

    def moved(a):
        return jnp.asarray(np.asarray(a, np.float64) * (1 + 2.0**-24 * rng.uniform(-1, 1, a.shape)))

    with jax.enable_x64(True):
        draws = [embed(jax.tree.map(moved, variables), moved(x)) for _ in range(3)]
    return max(error(draw, truth) for draw in draws)


def runs():
    """Every case in both precisions; beyond one of each network, the costly ones are slow."""
    for case in CASES:
        for precision in ("float32", "float64"):
            costly = precision == "float64" or case.startswith("skeletongait")
            slow = costly and case not in REPRESENTATIVE
            yield pytest.param(case, precision, marks=pytest.mark.slow if slow else ())


@pytest.mark.parametrize(("case", "precision"), runs())
def test_embeddings(case, precision):
    model, variables, inputs, golden = network(case, classes=8)
    which = "embed_2" if case == "skeletongait_ccpg" else "embed_1"
    with jax.enable_x64(True) if precision == "float64" else contextlib.nullcontext():

        @jax.jit
        def embed(v, x, mask=None):
            if not case.startswith("gaitgraph2"):
                return models.embed(model, v, x, mask)[which]
            if precision == "float32":
                return models.embed(model, v, poses_of(x))[which]
            return embed_recorded(model, v, x)

        def check(calibrated, name, embedding):
            truth = golden[f"{calibrated}{name}/embeddings_f64"]
            limit = 1e-5 if precision == "float32" else 1e-10
            plain = f"{calibrated}{name}/embeddings"
            if plain in golden.files and precision == "float32":
                # Uncalibrated GaitTR: as near as the reference's own single precision.
                limit = max(limit, 4 * error(golden[plain], truth))
            assert embedding.dtype == precision
            if not calibrated and limit < error(embedding, truth) < 1e-3:
                limit = 2 * effect_of_rounding(embed, variables[""], inputs[name], truth)
            assert error(embedding, truth) < limit

        for calibrated, v in variables.items():
            v = jax.tree.map(lambda a: jnp.asarray(a, precision), v)
            x = {name: jnp.asarray(value, precision) for name, value in inputs.items()}
            shortest = min(x, key=lambda name: x[name].shape[1])
            check(calibrated, shortest, embed(v, x[shortest]))
            if len(x) > 1 and precision == "float32":  # all three as one padded batch
                batch, mask = pad(list(x.values()))
                for name, row in zip(x, embed(v, batch, mask), strict=True):
                    check(calibrated, name, row[None])


def pad(sequences):
    """Sequences (1, T, ...) as one batch with junk in the padding, and its mask."""
    frames = max(s.shape[1] for s in sequences)
    batch = [
        jnp.pad(s, [(0, 0), (0, frames - s.shape[1])] + [(0, 0)] * (s.ndim - 2), constant_values=9)
        for s in sequences
    ]
    lengths = jnp.array([s.shape[1] for s in sequences])
    return jnp.concatenate(batch), jnp.arange(frames) < lengths[:, None]


def test_logits():
    # Recorded with the three sequences joined: convolved as one, pooled one by one.
    model, variables, inputs, golden = network("skeletongait_ccpg")
    x = np.concatenate(list(inputs.values()), axis=1)
    _, captured = jax.jit(
        lambda v, x: model.apply(
            v, x, capture_intermediates=lambda m, _: m.name == "layer4_0", mutable="intermediates"
        )
    )(variables[""], x)
    features = captured["intermediates"]["layer4_0"]["__call__"][0]
    head = {name: leaves["head"] for name, leaves in variables[""].items()}
    start = 0
    for i, value in enumerate(inputs.values()):
        stop = start + value.shape[1]
        pooled = strips(features[:, start:stop].max(axis=1))
        outputs = PartHead(model.classes).apply(head, pooled, False)
        logits = outputs["logits"][:, :50]
        assert error(logits, golden["packed/logits_first50"][i : i + 1]) < 1e-5
        start = stop
