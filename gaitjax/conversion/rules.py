"""Rule tables: which torch key is which leaf, one function for each kind of network.

`opengait` names the checkpoints of OpenGait, `tteepe` those of the GaitGraph authors
(specification section 14).
"""

from ml_collections import ConfigDict

from gaitjax import models
from gaitjax.conversion.core import (
    CONV2D,
    LINEAR,
    SAME,
    TEMPORAL,
    TEMPORAL3D,
    Buffer,
    Layout,
    Path,
    Rule,
    batch_norm,
    features,
    kernel,
    pointwise,
)
from gaitjax.errors import DataError
from gaitjax.models import gpgait, resgcn
from gaitjax.skeleton import adjacency, joint_format

Rules = list[Rule | Buffer]
SOURCES = ("opengait", "tteepe")


def rules(config: ConfigDict, source: str = "opengait") -> Rules:
    """Rules of the network of `config.model` for checkpoints of `source`.

    Raises:
      DataError: `source` has no such network.
    """
    network = models.build(config)
    tables = {
        ("opengait", "gaitgraph1"): lambda: _opengait_resgcn(network, streams=1),
        ("opengait", "gaitgraph2"): lambda: _opengait_resgcn(network, streams=3),
        ("opengait", "gaittr"): lambda: _gaittr(network),
        ("opengait", "skeletongait"): lambda: _skeletongait(network),
        ("opengait", "skeletongaitpp"): lambda: _skeletongaitpp(network),
        ("opengait", "gpgait"): lambda: _gpgait(network),
        ("opengait", "gpgaitpp"): lambda: _gpgait(network),
        ("tteepe", "gaitgraph1"): lambda: _tteepe_resgcn(network, "", streams=1),
        ("tteepe", "gaitgraph2"): lambda: _tteepe_resgcn(network, "backbone.", streams=3),
    }
    chosen = source, config.model.name
    if chosen not in tables:
        known = ", ".join(f"{name} of {origin}" for origin, name in tables)
        raise DataError(f"no rules for {chosen[1]} of {chosen[0]}; there are: {known}")
    return tables[chosen]()


# ---- ResGCN: GaitGraph1 and GaitGraph2


def _opengait_resgcn(network, streams: int) -> Rules:
    return _resgcn(network, streams, "ResGCN.head", "ResGCN.backbone", "ResGCN.fcn")


def _tteepe_resgcn(network, prefix: str, streams: int) -> Rules:
    """The authors' names, and the adjacency once more at the top."""
    names = [f"{prefix}{name}" for name in ("input_branches", "main_stream", "fcn")]
    graph = adjacency(joint_format(network.joints))
    return [Buffer(f"{prefix}A", graph, compared=True), *_resgcn(network, streams, *names)]


def _resgcn(network, streams: int, branch: str, main: str, fc: str) -> Rules:
    branch_blocks, main_blocks = resgcn.plan(
        network.branch, network.main, network.reduction, streams
    )
    graph = adjacency(joint_format(network.joints))
    table: Rules = []
    for m in range(streams):
        table.append(Buffer(f"{branch}.{m}.A", graph, compared=True))
        table += batch_norm(f"{branch}.{m}.bn", ("resgcn", f"branch_{m}_bn"))
        for i, block in enumerate(branch_blocks):
            path = ("resgcn", f"branch_{m}_block_{i}")
            table += _block(block, f"{branch}.{m}.layers.{i}", path)
    for i, block in enumerate(main_blocks):
        table += _block(block, f"{main}.{i}", ("resgcn", f"main_{i}"))
    return table + kernel(fc, ("resgcn", "fc"), LINEAR)


def _block(block: resgcn.Block, key: str, path: Path) -> Rules:
    spatial, temporal = (*path, "spatial"), (*path, "temporal")
    table: Rules = [Rule(f"{key}.edge", ("params", *path, "edge"))]
    table += kernel(f"{key}.scn.conv.gcn", (*spatial, "conv"), pointwise(2))
    table += batch_norm(f"{key}.scn.bn", (*spatial, "bn"))
    table += kernel(f"{key}.tcn.conv", (*temporal, "conv"), TEMPORAL)
    table += batch_norm(f"{key}.tcn.bn", (*temporal, "bn"))
    projected = {"scn": block.project, "tcn": block.stride > 1}
    for torch, part in (("scn", spatial), ("tcn", temporal)):
        if projected[torch]:
            table += kernel(f"{key}.{torch}.residual.0", (*part, "residual"), pointwise(2))
            table += batch_norm(f"{key}.{torch}.residual.1", (*part, "residual_bn"))
        if block.inner:
            for end in ("down", "up"):
                table += kernel(f"{key}.{torch}.conv_{end}", (*part, end), pointwise(2))
                table += batch_norm(f"{key}.{torch}.bn_{end}", (*part, f"{end}_bn"))
    return table


# ---- GaitTR


def _gaittr(network) -> Rules:
    joints = joint_format(network.joints).num_joints
    table: Rules = list(batch_norm("data_bn", ("input_bn",)))
    for i, (inp, out) in enumerate(zip(network.widths, network.widths[1:], strict=False)):
        key, path = f"backbone.{i}", (f"block_{i}",)
        attention = (*path, "attention")
        table += kernel(f"{key}.tcn.conv", (*path, "conv"), TEMPORAL)
        table += batch_norm(f"{key}.tcn.bn", (*path, "conv_bn"))
        table += batch_norm(f"{key}.st.data_bn", (*attention, "input_bn"), features(inp, joints))
        table += kernel(f"{key}.st.attention_conv.qkv_conv", (*attention, "qkv"), pointwise(2))
        table += kernel(f"{key}.st.attention_conv.attn_out", (*attention, "out"), pointwise(2))
        table += batch_norm(f"{key}.st.bn", (*attention, "bn"))
        if inp != out:
            table += kernel(f"{key}.residual_s.0", (*path, "residual"), pointwise(2))
            table += batch_norm(f"{key}.residual_s.1", (*path, "residual_bn"))
            table += kernel(f"{key}.down.conv", (*path, "shortcut"), pointwise(2))
            table += batch_norm(f"{key}.down.bn", (*path, "shortcut_bn"))
    return table + kernel("fcn", ("fc",), pointwise(1))


# ---- GPGait and GPGait++

_BRANCHES = {"position": "pose", "bone": "bone", "angle": "angle"}
_STACKS = {
    "trunk": "layer_share",
    "arms_with_face": "part_2",
    "two_parts": "part_2",
    "legs_with_face": "part_2_2",
    "three_parts": "part_3_1",
    "whole": "backbone",
}


def _gpgait(network) -> Rules:
    table: Rules = []
    for branch, channels, body in gpgait.BRANCHES:
        key = _BRANCHES[branch]
        table += batch_norm(f"{key}.data_bn", (branch, "input_bn"))
        trunk, rest = network.widths[: network.shared], network.widths[network.shared :]
        inputs = (channels.stop - channels.start, *network.widths)
        table += _gpgait_blocks(network.plus, key, branch, "trunk", inputs, trunk)
        for stack in body.stacks:
            after = inputs[network.shared :]
            table += _gpgait_blocks(network.plus, key, branch, stack.name, after, rest)
    table.append(Rule("head.fc_bin", ("params", "head", "fc")))
    return table + _neck()


def _gpgait_blocks(plus: bool, key: str, branch: str, stack: str, inputs, widths) -> Rules:
    table: Rules = []
    for i, (inp, out) in enumerate(zip(inputs, widths, strict=False)):
        block, path = f"{key}.{_STACKS[stack]}.{i}", (branch, f"{stack}_{i}")
        graph = (*path, "graph")
        table.append(Rule(f"{block}.asg.PA", ("params", *graph, "learned")))
        for k in range(gpgait.HOPS):
            for j, side in enumerate("ab"):
                for torch, name, layout in (
                    ("weight", "kernel", pointwise(2)),
                    ("bias", "bias", SAME),
                ):
                    leaf = ("params", *graph, f"attention_{name}")
                    table.append(Rule(f"{block}.asg.conv_{side}.{k}.{torch}", leaf, layout, (k, j)))
            leaf = ("params", *graph, "kernel")
            table.append(Rule(f"{block}.asg.conv_d.{k}.weight", leaf, pointwise(2), (k,)))
            leaf = ("params", *graph, "bias")
            table.append(Rule(f"{block}.asg.conv_d.{k}.bias", leaf, SAME, (k,)))
        table += batch_norm(f"{block}.asg.bn", (*graph, "bn"))
        if plus:
            for torch, name in (("residual", "projection"), ("residual_s", "residual")):
                table += kernel(f"{block}.{torch}.0", (*path, name), pointwise(2))
                table += batch_norm(f"{block}.{torch}.1", (*path, f"{name}_bn"))
            table += kernel(f"{block}.tcn.conv", (*path, "conv"), TEMPORAL)
            table += batch_norm(f"{block}.tcn.bn", (*path, "conv_bn"))
            table += kernel(f"{block}.down.conv", (*path, "shortcut"), pointwise(2))
            table += batch_norm(f"{block}.down.bn", (*path, "shortcut_bn"))
        elif inp != out:
            table += kernel(f"{block}.residual_s.0", (*path, "residual"), pointwise(2))
            table += batch_norm(f"{block}.residual_s.1", (*path, "residual_bn"))
    return table


# ---- SkeletonGait and SkeletonGait++


def _skeletongait(network) -> Rules:
    return [
        *_conv_bn("layer0.forward_block", 0, 1, ("layer0",), "conv", "bn"),
        *_layer1("layer1", "layer1", network.layers[0]),
        *_p3d_layers(network),
        *_head(),
    ]


def _skeletongaitpp(network) -> Rules:
    table: Rules = []
    for torch, name in (("sil", "silhouette"), ("map", "map")):
        stem = (f"{name}_layer0",)
        table += _conv_bn(f"{torch}_layer0.forward_block", 0, 1, stem, "conv", "bn")
        table += _layer1(f"{torch}_layer1", f"{name}_layer1", network.layers[0])
    fusion, path = "fusion.conv.forward_block", ("fusion",)
    table += _conv_bn(fusion, 0, 1, path, "reduce", "reduce_bn", pointwise(2))
    table += _conv_bn(fusion, 3, 4, path, "conv", "conv_bn")
    table += kernel(f"{fusion}.6", (*path, "expand"), pointwise(2), bias=False)
    return table + _p3d_layers(network) + _head()


def _conv_bn(
    key: str, conv: int, bn: int, path: Path, name: str, bn_name: str, layout: Layout = CONV2D
) -> Rules:
    """Convolution without bias and batch norm, numbered `conv` and `bn` in torch."""
    return [
        *kernel(f"{key}.{conv}", (*path, name), layout, bias=False),
        *batch_norm(f"{key}.{bn}", (*path, bn_name)),
    ]


def _layer1(key: str, name: str, blocks: int) -> Rules:
    table: Rules = []
    for i in range(blocks):
        for j in (1, 2):
            block = f"{key}.forward_block.{i}"
            table += kernel(f"{block}.conv{j}", (f"{name}_{i}", f"conv{j}"), CONV2D, bias=False)
            table += batch_norm(f"{block}.bn{j}", (f"{name}_{i}", f"bn{j}"))
    return table


def _p3d_layers(network) -> Rules:
    table: Rules = []
    for layer, blocks in zip((2, 3, 4), network.layers[1:], strict=True):
        for i in range(blocks):
            key, path = f"layer{layer}.{i}", (f"layer{layer}_{i}",)
            table += _conv_bn(f"{key}.conv1.forward_block", 0, 1, path, "conv1", "bn1")
            table += _conv_bn(f"{key}.conv2.forward_block", 0, 1, path, "conv2", "bn2")
            table += kernel(f"{key}.shortcut3d", (*path, "temporal"), TEMPORAL3D, bias=False)
            table += batch_norm(f"{key}.sbn", (*path, "temporal_bn"))
            if i == 0:
                table += _conv_bn(
                    f"{key}.downsample", 0, 1, path, "shortcut", "shortcut_bn", pointwise(3)
                )
    return table


def _head() -> Rules:
    return [
        Rule("FCs.fc_bin", ("params", "head", "fc")),
        *_neck(),
    ]


def _neck() -> Rules:
    return [
        Rule("BNNecks.fc_bin", ("params", "head", "classifier")),
        *batch_norm("BNNecks.bn1d", ("head", "bn")),
    ]
