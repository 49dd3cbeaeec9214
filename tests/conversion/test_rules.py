"""Weight rules: complete against the reference's key lists, exact both ways, strict."""

from functools import partial

import jax
import numpy as np
import pytest
from flax import traverse_util
from ml_collections import ConfigDict

from gaitjax import config as configs
from gaitjax import models
from gaitjax.conversion import core
from gaitjax.conversion.rules import rules
from gaitjax.errors import DataError
from gaitjax.skeleton import adjacency, joint_format
from tests.helpers.golden_weights import GOLDEN, golden_state_dict, reference_shapes

SHAPES = reference_shapes()
INPUTS = {
    "gaitgraph1": lambda m: (1, 16, joint_format(m.joints).num_joints, 3),
    "gaitgraph2": lambda m: (1, 16, joint_format(m.joints).num_joints, 3),
    "gaittr": lambda m: (1, 16, joint_format(m.joints).num_joints, 3),
    "skeletongait": lambda m: (1, 2, 64, 44, 2),
    "skeletongaitpp": lambda m: (1, 2, 64, 44, 3),
}


def abstract(config):
    """Shapes of the network's variables."""
    shape = INPUTS[config.model.name](config.model)
    model = models.build(config)
    return jax.eval_shape(
        lambda: model.init(jax.random.key(0), jax.numpy.zeros(shape, jax.numpy.float32))
    )


def reference_state(name, config):
    """The reference's state dict, with adjacency buffers."""
    graph = adjacency(joint_format(config.model.joints))
    buffers = {key: graph for key in SHAPES[name] if key.endswith(".A")}
    return golden_state_dict(SHAPES[name]) | buffers


def gaitgraph2():
    config = configs.load("gaitgraph2_casiab")
    return config, reference_state("gaitgraph2_casiab", config), rules(config), abstract(config)


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_every_key_and_leaf_has_one_rule(name):
    config = configs.load(name)
    leaves = traverse_util.flatten_dict(abstract(config))
    table = rules(config)
    shapes = {}
    paths = []
    for rule in table:
        if isinstance(rule, core.Buffer):
            shapes[rule.torch_key] = np.shape(rule.value)
        else:
            paths.append(rule.path)
            leaf = np.broadcast_to(np.float32(0), leaves[rule.path].shape)
            shapes[rule.torch_key] = rule.layout.to_torch(leaf).shape
    assert shapes == SHAPES[name]
    assert len(shapes) == len(table)
    assert sorted(paths) == sorted(leaves)


@pytest.mark.parametrize(
    "name", ["gaitgraph1_oumvlp", "gaitgraph2_ccpg", "gaittr_oumvlp", "skeletongaitpp_ccpg"]
)
def test_round_trip_is_bit_identical(name):
    config = configs.load(name)
    state, table = reference_state(name, config), rules(config)
    variables = core.to_flax(state, table, abstract(config))
    back = core.to_torch(variables, table)
    assert back.keys() == state.keys()
    for key in state:
        if not key.endswith("num_batches_tracked"):
            assert back[key].dtype == np.float32
            assert back[key].tobytes() == np.ascontiguousarray(state[key]).tobytes(), key
    again = core.to_flax(back, table, abstract(config))
    jax.tree.map(np.testing.assert_array_equal, variables, again)


def test_one_error_lists_everything():
    config, state, table, template = gaitgraph2()
    del state["ResGCN.fcn.bias"]
    state["extra.weight"] = np.zeros(3, np.float32)
    state["ResGCN.fcn.weight"] = np.zeros((64, 256), np.float32)
    state["ResGCN.head.1.A"] = state["ResGCN.head.1.A"] + np.float32(1e-5)
    leaf = template["params"]["resgcn"]["fc"]["bias"]
    template["params"]["resgcn"]["new"] = leaf
    with pytest.raises(DataError) as caught:
        core.to_flax(state, table, template)
    message = str(caught.value)
    assert "5 problems" in message
    assert "missing torch key ResGCN.fcn.bias (for params/resgcn/fc/bias)" in message
    assert "unused torch key extra.weight" in message
    assert "unfilled leaf params/resgcn/new" in message
    assert "ResGCN.fcn.weight has shape (64, 256)" in message
    assert "needs (128, 256)" in message
    assert "ResGCN.head.1.A differs from our adjacency by 1e-05" in message


def test_adjacency_within_rounding_is_accepted():
    _, state, table, template = gaitgraph2()
    state["ResGCN.head.1.A"] = state["ResGCN.head.1.A"] * np.float32(1 + 1e-7)
    core.to_flax(state, table, template)


def test_other_joint_format_is_refused():
    _, state, _, _ = gaitgraph2()
    config = configs.load("gaitgraph2_casiab")
    config.model.joints = "alphapose"
    with pytest.raises(DataError, match=r"head\.0\.A has shape \(4, 17, 17\); ours is \(4, 18, 18"):
        core.to_flax(state, rules(config), abstract(config))


def test_data_parallel_prefix_is_dropped():
    _, state, table, template = gaitgraph2()
    prefixed = {f"module.{key}": value for key, value in state.items()}
    plain = core.to_flax(state, table, template)
    jax.tree.map(np.testing.assert_array_equal, core.to_flax(prefixed, table, template), plain)


def test_half_precision_is_widened_with_a_note():
    _, state, table, template = gaitgraph2()
    state["ResGCN.fcn.weight"] = state["ResGCN.fcn.weight"].astype(np.float16)
    with pytest.warns(UserWarning, match="1 arrays of type float16 converted to float32"):
        variables = core.to_flax(state, table, template)
    kernel = variables["params"]["resgcn"]["fc"]["kernel"]
    assert kernel.dtype == np.float32
    np.testing.assert_array_equal(kernel.T, state["ResGCN.fcn.weight"].astype(np.float32))


def test_export_refuses_other_variables():
    _, state, table, template = gaitgraph2()
    variables = core.to_flax(state, table, template)
    fc = variables["params"]["resgcn"]["fc"]
    fc["other"] = fc.pop("bias")
    with pytest.raises(DataError, match="(?s)no rule for leaf .*fc/other.*missing leaf .*fc/bias"):
        core.to_torch(variables, table)


def test_unknown_source_is_refused():
    with pytest.raises(DataError, match="no rules for gaittr of tteepe; there are: gaitgraph1 of"):
        rules(configs.load("gaittr_oumvlp"), "tteepe")


def test_joint_features_are_permuted():
    # torch counts channel-major (c V + v), we joint-major (v C + c).
    layout = core.features(outer=3, inner=2)
    torch = np.array([[c * 10 + v for v in range(2)] for c in range(3)]).reshape(-1)
    assert layout.to_flax(torch).tolist() == [0, 10, 20, 1, 11, 21]
    assert layout.to_torch(layout.to_flax(torch)).tolist() == torch.tolist()


TTEEPE = {
    "gaitgraph_n39_r8_coco": dict(name="gaitgraph1", joints="coco_tteepe", tta=False),
    "gaitgraph2_n21_r8_coco": dict(
        name="gaitgraph2",
        joints="coco_tteepe",
        branch=(5, 64, 32),
        main=(32, 128, 256),
        reduction=8,
    ),
    "gaitgraph2_n51_r4_oumvlp": dict(name="gaitgraph2", joints="alphapose", input_centre=1),
}


@pytest.mark.parametrize("network", sorted(TTEEPE))
def test_authors_networks(network):
    golden = np.load(GOLDEN / "tteepe.npz")
    config = ConfigDict(dict(model=TTEEPE[network]))
    shapes = reference_shapes("tteepe_shapes")[network]
    state = golden_state_dict(shapes)
    state |= {key: golden[f"{network}/A"] for key in shapes if key not in state}
    x = golden[f"{network}/input"]
    if network.startswith("gaitgraph_"):
        x = x[:, 0].transpose(0, 2, 3, 1)  # N I C T V
    else:
        state = {f"backbone.{key}": value for key, value in state.items()}
    table = rules(config, "tteepe")
    variables = core.to_flax(state, table, abstract(config))
    assert core.to_torch(variables, table).keys() == state.keys()

    truth = golden[f"{network}/output_f64"]
    method = "of_streams" if config.model.name == "gaitgraph2" else "__call__"
    apply = jax.jit(partial(models.build(config).apply, method=method))
    for precision, limit in (("float32", 1e-5), ("float64", 1e-10)):
        with jax.enable_x64(precision == "float64"):
            v = jax.tree.map(lambda a, p=precision: jax.numpy.asarray(a, p), variables)
            embedding = apply(v, jax.numpy.asarray(x, precision))["embed_1"]
            assert embedding.dtype == precision
            assert np.abs(embedding[..., 0] - truth).max() < limit * np.abs(truth).max()
