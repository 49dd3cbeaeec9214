"""GPGait and GPGait++ against values recorded from the reference, and what they do not see."""

import contextlib
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import traverse_util

from gaitjax import config as configs
from gaitjax import models
from gaitjax.conversion import core
from gaitjax.conversion.rules import rules
from gaitjax.models import gpgait
from gaitjax.skeleton import COCO
from tests.helpers.golden_weights import golden_array
from tests.models.test_forward_goldens import pad
from tests.programs.gpgait_parity import CASES, FOLDER, SHAPES, recorded

QUICK = ("GPGait_CASIA-B", "GPGaitPP_CASIA-B")


@pytest.mark.parametrize(
    ("case", "precision"),
    [(case, "float32") for case in CASES] + [(case, "float64") for case in QUICK],
)
def test_embeddings(case, precision):
    _, network, variables, inputs, golden = recorded(case)
    truth = [golden[f"calibrated/single{i}/embeddings_f64"] for i in range(len(inputs))]
    limit = 1e-5 if precision == "float32" else 1e-10
    with jax.enable_x64(True) if precision == "float64" else contextlib.nullcontext():
        variables = jax.tree.map(lambda a: jnp.asarray(a, precision), variables)
        inputs = [jnp.asarray(x, precision) for x in inputs]

        @jax.jit
        def embed(x, mask=None):
            outputs = network.apply(variables, x, mask, method="of_streams")
            return outputs["embed_2"]

        def check(found, expected):
            assert found.dtype == precision
            np.testing.assert_allclose(found, expected, atol=limit * np.abs(expected).max())

        if case in QUICK:
            check(embed(inputs[0]), truth[0])
        batch, mask = pad(inputs)  # as one batch, with junk in the padding
        for found, expected in zip(embed(batch, mask), truth, strict=True):
            check(found, expected[0])


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_every_checkpoint_key_has_its_place(name):
    config = configs.load(name)
    network = models.build(config)
    x = jnp.zeros((1, 8, 17, 3))
    leaves = traverse_util.flatten_dict(jax.eval_shape(lambda: network.init(jax.random.key(0), x)))
    found = {}
    for rule in rules(config):
        if isinstance(rule, core.Buffer):
            found[rule.torch_key] = rule.value.shape
        else:
            part = np.empty(leaves[rule.path].shape[len(rule.part) :], bool)
            found[rule.torch_key] = rule.layout.to_torch(part).shape
    assert found == SHAPES[name]


def test_round_trip():
    config, _, variables, _, _ = recorded("GPGaitPP_CASIA-B")
    table = rules(config)
    back = core.to_flax(core.to_torch(variables, table), table, variables)
    jax.tree.map(np.testing.assert_array_equal, back, variables)


def small(plus: bool):
    cls = gpgait.GPGaitPP if plus else gpgait.GPGait
    poses = jnp.asarray(np.random.default_rng(0).normal(size=(2, 10, 17, 3)), jnp.float32)
    return cls(widths=(8, 12), shared=1, classes=3), poses


@pytest.mark.parametrize("plus", [False, True])
def test_order_of_frames(plus, quick):
    """GPGait does not see it; GPGait++ does."""
    network, poses = small(plus)
    rng = np.random.default_rng(1)
    variables = jax.tree_util.tree_map_with_path(
        lambda path, leaf: (
            np.ones(leaf.shape, leaf.dtype)
            if path[-1].key in ("scale", "var")
            else rng.normal(size=leaf.shape).astype(leaf.dtype) / max(leaf.size, 1) ** 0.5
        ),
        jax.eval_shape(network.init, jax.random.key(0), poses),
    )
    embed = jax.jit(lambda x: models.embed(network, variables, x)["embed_2"])
    gap = jnp.abs(embed(poses) - embed(poses[:, rng.permutation(10)])).max()
    assert gap > 1e-3 if plus else gap < 1e-5


def test_initial_values(quick):
    network, poses = small(True)
    variables = models.init(network, jax.random.key(0), poses)
    leaves = traverse_util.flatten_dict(variables["params"])
    for path, leaf in leaves.items():
        name = path[-1]
        if name == "scale":
            assert (leaf == 1).all()
        elif name == "learned":
            assert (leaf == np.float32(1e-6)).all()
        elif "bias" in name:
            assert not leaf.any()
        elif name == "attention_kernel":
            assert 0.9 < np.abs(leaf).max() / np.sqrt(6 / sum(leaf.shape[-2:])) <= 1


def test_parts_of_the_specification():
    assert gpgait.PARTS == 19
    for _, _, body in gpgait.BRANCHES:
        for groups in (body.trunk, *(s.groups for s in body.stacks if s.groups)):
            assert (gpgait.members(groups, body.joints).sum(axis=0) == 1).all()
        assert np.allclose(gpgait.part_graph(body, COCO).sum(axis=(0, 1)), 1)


def test_published_files_say_their_settings():
    """The recordings' own settings are those of our configs."""
    for case, name in CASES.items():
        settings = json.loads((FOLDER / "forward" / f"{case}.json").read_text())["settings"]
        config = configs.load(name)
        assert list(config.model.widths) == settings["model_cfg"]["in_channels"][1:]
        triplet, softmax = settings["loss_cfg"]
        assert config.loss.triplet.hard == triplet.get("is_hard_loss", False)
        assert config.loss.cross_entropy.weight == softmax["loss_term_weight"]
        smooth = 0.1 if softmax.get("label_smooth", True) else 0.0
        assert config.loss.cross_entropy.smoothing == smooth
        assert config.train.steps == settings["scheduler_cfg"]["total_steps"]


UNITS = json.loads((FOLDER / "units.json").read_text())
BODIES = {"coco": gpgait.WHOLE, "coco-no-head": gpgait.HEADLESS}


def groups_of(fmt: str, part: int | None):
    """The groups that the reference numbers: first the trunk's, then those of the stacks."""
    body = BODIES[fmt]
    return None if part is None else (body.trunk, *(s.groups for s in body.stacks))[part - 1]


@pytest.mark.parametrize(
    "case",
    (
        "PAGCN_part1",
        "PAGCN_no_head_part2",
        "PAGCN_Plus_part3",
        "Part_AGCN_Residual_widening",
    ),
)
def test_layers_and_their_gradients(case):
    """Single layers in double precision: outputs, and gradients of their input."""
    unit, golden = UNITS[case], np.load(FOLDER / "units.npz")
    x, truth = (golden[f"{case}/{name}"] for name in ("input", "output_f64"))
    plus, layer = "_Plus" in case or "TCN" in case, case.startswith("PAGCN")
    body, groups = BODIES[unit["joint_format"]], groups_of(unit["joint_format"], unit["part"])
    same = None
    if groups is not None:
        of_group = gpgait.members(groups, body.joints)
        same = (of_group[:, :, None] & of_group[:, None]).any(axis=0)
    graph, features = gpgait.part_graph(body, COCO), truth.shape[1]
    if layer:
        module = gpgait.PartGraphConv(features, graph, same, plus)
    elif plus:
        module = gpgait.BlockPP(features, graph, same, 0.0)
    else:
        module = gpgait.Block(features, graph, same)
    with jax.enable_x64(True):
        x = jnp.asarray(x.transpose(0, 2, 3, 1), jnp.float64)
        path = ("position", "trunk_0", *(("graph",) if layer else ()))
        shapes = jax.eval_shape(lambda: module.init(jax.random.key(0), x, None, False))
        template = {name: nested(path, tree) for name, tree in shapes.items()}
        table = layer_rules(plus, x.shape[-1], features)
        prefix = table[0].torch_key.removesuffix("asg.PA") + ("asg." if layer else "")
        state = {
            prefix + key: golden_array(f"unit.{case}.{key}", tuple(shape))
            for key, shape in unit["parameters"].items()
            if not key.endswith("num_batches_tracked")
        }
        table = [rule for rule in table if rule.torch_key in state]
        variables = core.to_flax(state, table, template)
        for name in path:
            variables = {kind: tree[name] for kind, tree in variables.items()}
        variables = jax.tree.map(lambda a: jnp.asarray(a, jnp.float64), variables)
        weights = np.cos(np.arange(truth.size)).reshape(truth.shape).transpose(0, 2, 3, 1)
        with jax.disable_jit():  # nothing is compiled but single operations
            found, back = jax.vjp(lambda x: module.apply(variables, x, None, False), x)
            (gradient,) = back(jnp.asarray(weights))
    for array, name in ((found, "output_f64"), (gradient, "input_grad_f64")):
        expected = golden[f"{case}/{name}"].transpose(0, 2, 3, 1)
        np.testing.assert_allclose(array, expected, atol=1e-12 * np.abs(expected).max())


def nested(path, tree):
    for name in reversed(path):
        tree = {name: tree}
    return tree


def layer_rules(plus: bool, channels: int, features: int):
    """Rules of the first block of a branch of that many channels."""
    name = "gpgaitpp_casiab" if plus else "gpgait_casiab"
    config = configs.load(name)
    config.model.update(widths=(channels, features), shared=2)
    found = []
    for rule in rules(config):
        path = getattr(rule, "path", ())
        if path[1:3] == ("position", "trunk_1"):
            found.append(rule._replace(path=(path[0], "position", "trunk_0", *path[3:])))
    return found


@pytest.mark.parametrize("fmt", BODIES)
def test_pooling(fmt):
    golden = np.load(FOLDER / "units.npz")
    x = golden[f"pooling/{fmt}/input"].transpose(0, 2, 1)
    for part in (None, *range(1, len(BODIES[fmt].stacks) + 1)):
        found = gpgait.pool_parts(x, groups_of(fmt, part), BODIES[fmt].joints)
        expected = golden[f"pooling/{fmt}/{part}"].transpose(0, 2, 1)
        np.testing.assert_allclose(found, expected, rtol=1e-6)
