"""Networks: sizes, initial values, batch statistics, padding, test-time views, bfloat16."""

import functools
import math
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax.traverse_util import flatten_dict
from ml_collections import ConfigDict

from gaitjax import config as configs
from gaitjax import models
from gaitjax.errors import DataError
from gaitjax.models.initializers import PART_XAVIER
from gaitjax.models.streams import gaitgraph_streams
from gaitjax.skeleton import joint_format

# Trainable values of the reference's networks, classification heads included.
PARAMETERS = {
    "gaitgraph1_casiab": 319_530,
    "gaitgraph1_gait3d": 319_530,
    "gaitgraph1_grew": 352_426,
    "gaitgraph1_oumvlp": 353_406,
    "gaitgraph1_oumvlp17": 352_426,
    "gaitgraph2_casiab": 350_822,
    "gaitgraph2_ccpg": 438_862,
    "gaitgraph2_gait3d": 350_822,
    "gaitgraph2_grew": 763_178,
    "gaitgraph2_oumvlp": 765_278,
    "gaitgraph2_oumvlp17": 763_178,
    "gaitgraph2_sustech1k": 350_822,
    "gaittr_ccpg": 512_562,
    "gaittr_gait3d": 512_010,
    "gaittr_grew": 544_906,
    "gaittr_oumvlp": 545_458,
    "gaittr_oumvlp17": 544_906,
    "gaittr_sustech1k": 512_010,
    "skeletongait_ccpg": 8_446_464,
    "skeletongait_gait3d": 25_492_736,
    "skeletongait_grew": 95_124_736,
    "skeletongait_oumvlp17": 29_143_552,
    "skeletongait_sustech1k": 9_060_864,
    "skeletongaitpp_ccpg": 8_522_336,
    "skeletongaitpp_gait3d": 25_568_608,
    "skeletongaitpp_grew": 95_200_608,
    "skeletongaitpp_sustech1k": 9_136_736,
    "gpgait_casiab": 3_654_810,
    "gpgait_oumvlp17": 32_479_008,
    "gpgait_grew": 105_222_370,
    "gpgait_gait3d": 18_640_274,
    "gpgait_sustech1k": 4_510_874,
    "gpgait_ccpg": 3_781_274,
    "gpgaitpp_casiab": 5_227_539,
    "gpgaitpp_oumvlp17": 36_561_227,
    "gpgaitpp_grew": 108_777_035,
    "gpgaitpp_gait3d": 20_532_043,
    "gpgaitpp_sustech1k": 6_083_603,
    "gpgaitpp_ccpg": 5_354_003,
}
# Of the configs that the reference does not have, counted here.
OURS = {
    "gaitgraph1_cmu_walks": 253_454,
    "gaittr_cmu_walks": 43_690,
    "gaittr_cmu_walks_best": 43_690,
    "gaittr_identify": 45_770,
    "skeletongait_cmu_walks": 445_440,
    "gaitgraph1_casiab_plus": 319_530,
    "gaitgraph1_casiab_tteepe": 319_530,
    "gaitgraph1_gait3d_plus": 319_530,
    "gaitgraph1_grew_plus": 352_426,
    "gaitgraph1_oumvlp_plus": 353_406,
    "gaitgraph2_casiab_plus": 350_822,
    "gaitgraph2_casiab_tteepe": 350_822,
    "gaitgraph2_cmu_walks": 350_822,
    "gaitgraph2_cu_denver": 350_822,
    "gaitgraph2_cu_denver20": 354_374,
    "gaitgraph2_gait3d_plus": 350_822,
    "gaitgraph2_grew_plus": 763_178,
    "gaitgraph2_oumvlp_plus": 765_278,
    "gaitgraph2_oumvlp_tteepe": 765_278,
    "gaitgraph2_van_criekinge": 350_822,
    "gaitgraph2_walkers": 350_822,
    "gaittr_casiab_plus": 512_010,
    "gaittr_gait3d_plus": 512_010,
    "gaittr_grew_plus": 1_319_818,
    "gaittr_oumvlp_plus": 1_127_410,
}

# Networks as built from configs, but small; and an input.
SMALL = {
    "gaitgraph1": dict(branch=(3, 16, 8), main=(8, 16, 32), embedding_dim=6),
    "gaitgraph2": dict(branch=(5, 16, 8), main=(8, 16, 32), embedding_dim=6),
    "gaittr": dict(widths=(10, 32, 32, 64), embedding_dim=6),
    "skeletongait": dict(layers=(1, 1, 2, 1), channels=(32, 32, 64, 64), classes=5),
    "skeletongaitpp": dict(layers=(1, 1, 2, 1), channels=(32, 32, 64, 64), classes=5),
}
SHAPES = {
    "gaitgraph1": (12, 17, 3),
    "gaitgraph2": (12, 17, 3),
    "gaittr": (12, 17, 3),
    "gpgait": (12, 17, 3),
    "gpgaitpp": (12, 17, 3),
    "skeletongait": (4, 64, 44, 2),
    "skeletongaitpp": (4, 64, 44, 3),
}
ANY_LENGTH = ("gaittr", "skeletongait", "skeletongaitpp")


@functools.cache
def small(name, batch=2, **fields):
    """Model, variables all unlike their initial values, and an input."""
    model = models.build(ConfigDict(dict(model=dict(name=name) | SMALL[name] | fields)))
    rng = np.random.default_rng(0)
    x = jnp.asarray(rng.uniform(size=(batch, *SHAPES[name])), jnp.float32)

    def lively(path, leaf):
        noise = rng.normal(size=leaf.shape)
        if path[-1].key in ("bias", "mean"):
            value = 0.1 * noise
        elif path[-1].key in ("scale", "edge", "var"):
            value = np.exp(0.1 * noise)
        else:
            value = noise / math.prod(leaf.shape[:-1]) ** 0.5
        return jnp.asarray(value, leaf.dtype)

    shapes = jax.eval_shape(model.init, jax.random.key(0), x)
    return model, jax.tree_util.tree_map_with_path(lively, shapes), x


def train(model, variables, x, mask=None):
    """Outputs and new batch statistics of a training pass."""
    return jax.jit(
        lambda v, x, mask: model.apply(
            v, x, mask, train=True, mutable="batch_stats", rngs={"dropout": jax.random.key(0)}
        )
    )(variables, x, mask)


def assert_close(ours, wanted, tolerance=1e-5):
    scale = max(float(jnp.abs(wanted).max()), 1e-12)
    assert float(jnp.abs(ours - wanted).max()) < tolerance * scale


# ---- Size and initial values


def test_every_config_has_a_parameter_count():
    assert sorted(PARAMETERS | OURS) == configs.names()


@pytest.mark.parametrize("name", sorted(PARAMETERS | OURS))
def test_parameter_count(name):
    config = configs.load(name)
    model = models.build(config)
    shape = SHAPES[config.model.name]
    if config.model.joints != "coco":
        shape = (shape[0], joint_format(config.model.joints).num_joints, *shape[2:])
    params = jax.eval_shape(lambda: model.init(jax.random.key(0), jnp.zeros((1, *shape))))["params"]
    assert (
        sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(params)) == (PARAMETERS | OURS)[name]
    )


@pytest.mark.parametrize("name", sorted(SMALL))
def test_initial_values(name):
    model, _, x = small(name)
    variables = flatten_dict(models.init(model, jax.random.key(1), x))
    wanted = flatten_dict(jax.eval_shape(model.init, jax.random.key(1), x))
    assert {p: (a.shape, a.dtype) for p, a in variables.items()} == {
        p: (a.shape, a.dtype) for p, a in wanted.items()
    }
    uniform = []  # matrices over their bounds
    for path, value in variables.items():
        if path[-1] == "kernel":
            taps = math.prod(value.shape[:-2])
            uniform.append(value * (taps * sum(value.shape[-2:]) / 6) ** 0.5)
        elif path[-1] in ("fc", "classifier"):
            parts, inputs, outputs = value.shape
            uniform.append(value * (outputs * (inputs + parts) / 6) ** 0.5)
        elif path[-1] != "scale":
            assert bool((value == (path[-1] in ("edge", "var"))).all()), path
    uniform = jnp.concatenate([a.reshape(-1) for a in uniform])
    assert 0.99 < float(jnp.abs(uniform).max()) < 1.00001
    assert float(uniform.std()) == pytest.approx(3**-0.5, rel=0.02)
    scales = jnp.concatenate([a for p, a in variables.items() if p[-1] == "scale"])
    assert float(scales.mean()) == pytest.approx(1, abs=0.004)
    assert float(scales.std()) == pytest.approx(0.02, rel=0.2)


def test_part_weights_use_the_reference_bound():
    fc = PART_XAVIER(jax.random.key(0), (16, 512, 256))
    assert float(jnp.abs(fc).max()) == pytest.approx(0.00666, abs=1e-5)


# ---- Padding


def junk_padding(x, lengths):
    """x with junk after each sequence's length, and the mask."""
    mask = jnp.arange(x.shape[1]) < jnp.array(lengths)[:, None]
    wide = mask.reshape(mask.shape + (1,) * (x.ndim - 2))
    return jnp.where(wide, x, 1e3), mask


@pytest.mark.parametrize("name", ANY_LENGTH)
def test_padding_does_not_change_embeddings(name):
    model, variables, x = small(name, batch=3)
    lengths = [x.shape[1], 1, 3]
    padded, mask = junk_padding(x, lengths)
    embed = jax.jit(lambda x, mask=None: models.embed(model, variables, x, mask))
    together = embed(padded, mask)
    assert together["embed_1"].dtype == jnp.float32
    for i, length in enumerate(lengths):
        alone = embed(x[i : i + 1, :length])
        for output in together:
            assert_close(together[output][i : i + 1], alone[output])


@pytest.mark.parametrize("name", ANY_LENGTH)
def test_padding_does_not_enter_batch_statistics(name):
    # Whole frames of every sequence cut off by the mask, against a shorter batch.
    fields = {"dropout": 0.0} if name == "gaittr" else {}
    model, variables, x = small(name, batch=3, **fields)
    with jax.enable_x64(True):  # a batch of three magnifies rounding
        variables, x = jax.tree.map(lambda a: jnp.asarray(a, "float64"), (variables, x))
        frames = x.shape[1] - 2
        padded, mask = junk_padding(x, [frames] * 3)
        ours, wanted = train(model, variables, padded, mask), train(model, variables, x[:, :frames])
        jax.tree.map(lambda a, b: assert_close(a, b, 1e-9), ours, wanted)


def test_full_mask_changes_nothing():
    model, variables, x = small("gaittr")
    apply = jax.jit(model.apply)
    masked = apply(variables, x, jnp.ones(x.shape[:2], bool))
    assert_close(masked["embed_1"], apply(variables, x)["embed_1"])


@pytest.mark.parametrize("name", ["gaitgraph1", "gaitgraph2"])
def test_window_networks_refuse_a_mask(name):
    model, variables, x = small(name)
    for embed in (functools.partial(models.embed, model), model.apply):
        with pytest.raises(DataError, match="windows of one length: pass no mask"):
            embed(variables, x, jnp.ones(x.shape[:2], bool))


# ---- Outputs


@pytest.mark.parametrize("name", sorted(SMALL))
def test_outputs(name):
    model, variables, x = small(name)
    outputs = jax.jit(model.apply)(variables, x)
    if name.startswith("skeleton"):
        assert {k: v.shape for k, v in outputs.items()} == {
            "embed_1": (2, 256, 16),
            "embed_2": (2, 256, 16),
            "logits": (2, 5, 16),
        }
        np.testing.assert_allclose(jnp.linalg.norm(outputs["embed_2"], axis=1), 1, rtol=1e-5)
        assert float(jnp.abs(outputs["logits"]).max()) <= 1
    else:
        assert {k: v.shape for k, v in outputs.items()} == {"embed_1": (2, 6, 1)}
    assert {v.dtype for v in outputs.values()} == {jnp.dtype("float32")}


@pytest.mark.parametrize("name", sorted(SMALL))
def test_bfloat16_keeps_parameters_and_outputs_in_float32(name):
    model, variables, x = small(name)
    half = small(name, dtype="bfloat16")[0]
    fresh = jax.eval_shape(half.init, jax.random.key(1), x)
    assert {a.dtype for a in jax.tree.leaves(fresh)} == {jnp.dtype("float32")}
    ours, wanted = jax.jit(half.apply)(variables, x), jax.jit(model.apply)(variables, x)
    for output in wanted:
        assert ours[output].dtype == jnp.float32
        assert_close(ours[output], wanted[output], 0.1)
        assert float(jnp.abs(ours[output] - wanted[output]).max()) > 0


@pytest.mark.parametrize("name", sorted(SMALL))
def test_gradients_reach_every_parameter(name):
    model, variables, x = small(name)

    def loss(params):
        outputs, _ = train(model, {**variables, "params": params}, x)
        return sum((output**3).sum() for output in outputs.values())

    for path, gradient in flatten_dict(jax.jit(jax.grad(loss))(variables["params"])).items():
        assert bool(jnp.isfinite(gradient).all()), path
        if path[-1] == "edge":  # the last hop is stored but takes no part
            assert not gradient[3].any()
            gradient = gradient[:3]
        # Batch norm takes the bias before it away; in one with its layer not even noise is left.
        taken_away = path[-2:] in {(name, "bias") for name in ("down", "up", "residual")}
        assert gradient.any() or taken_away, path


def test_dropout_draws_in_training_only():
    model, variables, x = small("gaittr", dropout=0.5)

    @jax.jit
    def embedding(key):
        rngs = {"dropout": key}
        outputs, _ = model.apply(variables, x, train=True, mutable="batch_stats", rngs=rngs)
        return outputs["embed_1"]

    first, again, other = (embedding(jax.random.key(seed)) for seed in (0, 0, 1))
    assert bool((first == again).all())
    assert not bool((first == other).all())
    jax.eval_shape(model.apply, variables, x)  # needs no key


def test_gaitgraph1_views():
    model, variables, x = small("gaitgraph1")
    apply = jax.jit(model.apply, static_argnames="method")
    forward = apply(variables, x)["embed_1"]
    backward = apply(variables, x[:, ::-1])["embed_1"]
    np.testing.assert_allclose(jnp.linalg.norm(forward, axis=1), 1, rtol=1e-5)
    both = apply(variables, x, method="embed")["embed_1"]
    assert_close(both, (forward + backward) / 2)
    assert float(jnp.linalg.norm(both, axis=1).max()) < 1
    single = jax.jit(small("gaitgraph1", tta=False)[0].apply, static_argnames="method")
    assert_close(single(variables, x, method="embed")["embed_1"], forward)


@pytest.mark.parametrize(("fields", "centre"), [({}, 1), ({"tta_centre": 0}, 0)])
def test_gaitgraph2_views(fields, centre):
    fmt = joint_format("alphapose")
    rng = np.random.default_rng(0)
    poses = jnp.asarray(rng.uniform(0, 100, size=(2, 12, 18, 3)), jnp.float32)
    fields = dict(name="gaitgraph2", joints="alphapose", **SMALL["gaitgraph2"], **fields)
    model = models.build(ConfigDict(dict(model=fields)))
    variables = models.init(model, jax.random.key(0), poses)
    views = [
        gaitgraph_streams(poses, fmt, 0),
        gaitgraph_streams(poses[:, ::-1], fmt, centre),
        gaitgraph_streams(poses[:, :, np.array(fmt.swap)], fmt, centre),
    ]
    of_streams = jax.jit(lambda v, x: model.apply(v, x, method="of_streams")["embed_1"])
    wanted = jnp.concatenate([of_streams(variables, view) for view in views], axis=1)
    ours = jax.jit(lambda v, x: models.embed(model, v, x))(variables, poses)["embed_1"]
    assert ours.shape == (2, 18, 1)
    assert_close(ours, wanted)


# ---- Errors


def test_wrong_input_shapes_are_named():
    for name in SMALL:
        model, variables, x = small(name)
        with pytest.raises(DataError, match=r"input of shape .*; expected \(N, T, "):
            model.apply(variables, x[..., :-1])


def test_unknown_names_and_fields_are_refused():
    with pytest.raises(DataError, match="'gaitset'; expected one of gaitgraph1, gaitgraph2, ga"):
        models.build(ConfigDict(dict(model=dict(name="gaitset"))))
    with pytest.raises(DataError, match="config.model has widths, which gaitgraph1 lacks; it has"):
        models.build(ConfigDict(dict(model=dict(name="gaitgraph1", widths=(1, 2)))))
    with pytest.raises(DataError, match="model.dtype is 'float16'; expected 'float32' or"):
        small("gaittr", dtype="float16")


def test_a_config_names_no_code_that_runs():
    """`module:Class` is looked up among the imported modules, and must be a network."""
    for name, error in (
        ("os:system", "os has no Flax module system"),
        ("flax.linen:Dense", "does not say what it takes"),
        ("antigravity:fly", "antigravity:fly is not imported"),
    ):
        with pytest.raises(DataError, match=error):
            models.build(ConfigDict(dict(model=dict(name=name))))
    assert "antigravity" not in sys.modules


@pytest.mark.parametrize("name", ["gaitgraph2", "gaittr"])
def test_centres_follow_the_joint_format(name):
    def centres(joints, **fields):
        return models.build(
            ConfigDict(dict(model=dict(name=name, joints=joints, **fields)))
        ).centres

    neck = joint_format("mpii").joints.index("neck")
    assert set(centres("mpii").values()) == {neck}
    assert centres("coco")["input_centre"] == centres("alphapose")["input_centre"] == 0
    assert centres("alphapose", input_centre=1)["input_centre"] == 1
