"""The networks in PyTorch, to be timed beside ours: written from specification section 5.

The only modules that need torch are this one, `torch_gpgait`, `torch_layers` and `torch_training`;
`against_torch` imports them.

Modules are named as in the released checkpoints, so what `converters.to_opengait` writes loads
with nothing missing and nothing left; layouts are the reference's, (N, C, T, V) and
(N, C, T, H, W). `build(config)` makes one. Inputs are ours: `from_ours` changes their layout.
"""

import numpy as np
import torch
import torch.nn.functional as F
from jax import Array
from ml_collections import ConfigDict
from torch import Tensor, nn

from gaitjax import models
from gaitjax.models.parts import FEATURES as PART_FEATURES
from gaitjax.models.resgcn import HOPS, Block, plan
from gaitjax.models.skeletongait import PARTS, STRIDES
from gaitjax.performance.torch_gpgait import GPGait
from gaitjax.performance.torch_layers import ConvMishNorm, PartMatrices, PartNecks, of_each_joint
from gaitjax.skeleton import JointFormat, adjacency, joint_format


def build(config: ConfigDict) -> nn.Module:
    """The network of `config.model`, with PyTorch's own initial values."""
    network = models.build(config)
    kinds = {
        "gaitgraph1": lambda: GaitGraph(network, streams=1),
        "gaitgraph2": lambda: GaitGraph(network, streams=3),
        "gaittr": lambda: GaitTR(network),
        "skeletongait": lambda: SkeletonGait(network),
        "skeletongaitpp": lambda: SkeletonGaitPP(network),
        "gpgait": lambda: GPGait(network),
        "gpgaitpp": lambda: GPGait(network),
    }
    return kinds[config.model.name]()


def from_ours(config: ConfigDict, clips: Array) -> Tensor:
    """Our network's input, poses or maps, as the modules here take it: with streams made."""
    name, network = config.model.name, models.build(config)
    if name == "gaitgraph2":
        clips = network.streams(clips, network.centres["input_centre"])
    if name in ("gaittr", "gpgait", "gpgaitpp"):
        clips = network.streams(clips)
    x = torch.from_numpy(np.array(clips))
    if name == "gaitgraph2":  # (N, T, V, M, C) to (N, M, C, T, V)
        return x.permute(0, 3, 4, 1, 2).contiguous()
    if name == "gaitgraph1":  # one stream
        return x.permute(0, 3, 1, 2)[:, None].contiguous()
    return x.movedim(-1, 1).contiguous()


# ---- GaitGraph1 and GaitGraph2: sections 5.1 to 5.4


class Ends(nn.Module):
    """What both halves of a block share: bottleneck, batch norm and residual."""

    def __init__(self, inputs: int, block: Block, conv: nn.Module, residual_stride: int | None):
        super().__init__()
        out, self.inner = block.channels, block.inner
        self.conv, self.bn = conv, nn.BatchNorm2d(block.inner or out)
        if not block.inner:
            return
        self.conv_down, self.bn_down = (
            nn.Conv2d(inputs, block.inner, 1),
            nn.BatchNorm2d(block.inner),
        )
        self.conv_up, self.bn_up = nn.Conv2d(block.inner, out, 1), nn.BatchNorm2d(out)
        self.residual = None
        if residual_stride:
            stride = (residual_stride, 1)
            self.residual = nn.Sequential(nn.Conv2d(inputs, out, 1, stride), nn.BatchNorm2d(out))

    def forward(self, x: Tensor, *graph: Tensor) -> Tensor:
        if not self.inner:
            return F.relu(self.bn(self.conv(x, *graph)))
        residual = x if self.residual is None else self.residual(x)
        x = F.relu(self.bn_down(self.conv_down(x)))
        x = F.relu(self.bn(self.conv(x, *graph)))
        return F.relu(self.bn_up(self.conv_up(x)) + residual)


class GraphConv(nn.Module):
    def __init__(self, inputs: int, features: int):
        super().__init__()
        self.gcn = nn.Conv2d(inputs, HOPS * features, 1)

    def forward(self, x: Tensor, graph: Tensor) -> Tensor:
        n, _, t, v = x.shape
        return torch.einsum("nkctv,kvw->nctw", self.gcn(x).view(n, HOPS, -1, t, v), graph)


class GraphBlock(nn.Module):
    def __init__(self, inputs: int, block: Block, fmt: JointFormat):
        super().__init__()
        a = torch.from_numpy(adjacency(fmt))
        self.edge = nn.Parameter(torch.ones_like(a))
        self.register_buffer("A", a[:HOPS], persistent=False)
        width = block.inner or block.channels
        conv = GraphConv(block.inner or inputs, width)
        self.scn = Ends(inputs, block, conv, 1 if block.project else None)
        conv = nn.Conv2d(
            width if block.inner else block.channels, width, (9, 1), (block.stride, 1), (4, 0)
        )
        self.tcn = Ends(block.channels, block, conv, block.stride if block.stride > 1 else None)

    def forward(self, x: Tensor) -> Tensor:
        return self.tcn(self.scn(x, self.A * self.edge[:HOPS]))


class Branch(nn.Module):
    def __init__(self, inputs: int, blocks: list[Block], fmt: JointFormat):
        super().__init__()
        self.bn = nn.BatchNorm2d(inputs)
        self.layers = _graph_blocks(inputs, blocks, fmt)
        self.register_buffer("A", torch.from_numpy(adjacency(fmt)))

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(self.bn(x))


def _graph_blocks(inputs: int, blocks: list[Block], fmt: JointFormat) -> nn.Sequential:
    widths = [inputs, *(block.channels for block in blocks)]
    return nn.Sequential(*(GraphBlock(i, b, fmt) for i, b in zip(widths, blocks, strict=False)))


class GaitGraph(nn.Module):
    """x (N, M, C, T, V) of M streams to embeddings (N, D)."""

    def __init__(self, network, streams: int):
        super().__init__()
        fmt = joint_format(network.joints)
        branch, main = plan(network.branch, network.main, network.reduction, streams)
        head = nn.ModuleList(Branch(network.branch[0], branch, fmt) for _ in range(streams))
        self.ResGCN = nn.ModuleDict(
            dict(
                head=head,
                backbone=_graph_blocks(streams * network.main[0], main, fmt),
                fcn=nn.Linear(network.main[-1], network.embedding_dim),
            )
        )
        self.unit = streams == 1

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        parts = [branch(x[:, m]) for m, branch in enumerate(self.ResGCN["head"])]
        y = self.ResGCN["backbone"](torch.cat(parts, dim=1)).mean(dim=(2, 3))
        y = self.ResGCN["fcn"](y)
        return {"embed_1": (F.normalize(y, dim=1) if self.unit else y)[..., None]}


# ---- GaitTR: section 5.5


class JointAttention(nn.Module):
    def __init__(self, inputs: int, features: int):
        super().__init__()
        self.features, self.keys = features, int(0.25 * features)
        self.qkv_conv = nn.Conv2d(inputs, 2 * self.keys + features, 1)
        self.attn_out = nn.Conv2d(features, features, 1)

    def forward(self, x: Tensor) -> Tensor:
        n, _, t, v = x.shape
        # Frames join the batch, as in the reference: (N T, C, 1, V).
        x = x.permute(0, 2, 1, 3).reshape(n * t, -1, 1, v)
        parts = self.qkv_conv(x).split((self.keys, self.keys, self.features), dim=1)
        q, k, values = (part.reshape(n * t, 8, -1, v) for part in parts)
        q = q * (self.keys / 8) ** -0.5
        weights = torch.matmul(q.transpose(2, 3), k).softmax(dim=-1)
        y = torch.matmul(weights, values.transpose(2, 3))  # (N T, 8, V, C)
        y = self.attn_out(y.permute(0, 1, 3, 2).reshape(n * t, self.features, 1, v))
        return y.reshape(n, t, self.features, v).permute(0, 2, 1, 3)


class SpatialTransformer(nn.Module):
    def __init__(self, inputs: int, features: int, joints: int):
        super().__init__()
        self.data_bn = nn.BatchNorm1d(inputs * joints)
        self.attention_conv = JointAttention(inputs, features)
        self.bn = nn.BatchNorm2d(features)

    def forward(self, x: Tensor) -> Tensor:
        n, c, t, v = x.shape
        y = self.data_bn(x.permute(0, 1, 3, 2).reshape(n, c * v, t))
        y = y.reshape(n, c, v, t).permute(0, 1, 3, 2)
        return self.bn(F.mish(self.attention_conv(y)))


class GaitTRBlock(nn.Module):
    def __init__(self, inputs: int, features: int, joints: int, dropout: float):
        super().__init__()
        self.tcn = ConvMishNorm(nn.Conv2d(inputs, inputs, (9, 1), padding=(4, 0)), dropout)
        self.st = SpatialTransformer(inputs, features, joints)
        self.residual_s = self.down = nn.Identity()
        if inputs != features:
            self.residual_s = nn.Sequential(
                nn.Conv2d(inputs, features, 1), nn.BatchNorm2d(features)
            )
            self.down = ConvMishNorm(nn.Conv2d(inputs, features, 1), 0.0)

    def forward(self, x: Tensor) -> Tensor:
        y = self.tcn(x) + x
        return self.st(y) + self.residual_s(y) + self.down(x)


class GaitTR(nn.Module):
    """x (N, C, T, V) to embeddings (N, D, 1)."""

    def __init__(self, network):
        super().__init__()
        widths, joints = network.widths, joint_format(network.joints).num_joints
        self.data_bn = nn.BatchNorm1d(joints * widths[0])
        self.backbone = nn.ModuleList(
            GaitTRBlock(i, o, joints, network.dropout)
            for i, o in zip(widths, widths[1:], strict=False)
        )
        self.fcn = nn.Conv1d(widths[-1], network.embedding_dim, 1)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        x = of_each_joint(self.data_bn, x)
        for block in self.backbone:
            x = block(x)
        return {"embed_1": self.fcn(x.mean(dim=3).mean(dim=2, keepdim=True))}


# ---- SkeletonGait and SkeletonGait++: sections 5.6 and 5.7


def conv3x3(inputs: int, features: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, features, 3, stride, padding=1, bias=False)


class Frames(nn.Module):
    """`forward_block` on every frame of x (N, C, T, H, W)."""

    def __init__(self, *layers: nn.Module):
        super().__init__()
        self.forward_block = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        n, c, t, h, w = x.shape
        y = self.forward_block(x.transpose(1, 2).reshape(n * t, c, h, w))
        return y.reshape(n, t, *y.shape[1:]).transpose(1, 2)


class BasicBlock(nn.Module):
    def __init__(self, features: int):
        super().__init__()
        self.conv1, self.bn1 = conv3x3(features, features), nn.BatchNorm2d(features)
        self.conv2, self.bn2 = conv3x3(features, features), nn.BatchNorm2d(features)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))) + x)


class P3DBlock(nn.Module):
    def __init__(self, inputs: int, features: int, stride: int, first: bool):
        super().__init__()
        norm = nn.BatchNorm2d(features)
        self.conv1 = Frames(conv3x3(inputs, features, stride), norm, nn.ReLU())
        self.shortcut3d = nn.Conv3d(features, features, (3, 1, 1), padding=(1, 0, 0), bias=False)
        self.sbn = nn.BatchNorm3d(features)
        self.conv2 = Frames(conv3x3(features, features), nn.BatchNorm2d(features))
        self.downsample = nn.Identity()
        if first:
            self.downsample = nn.Sequential(
                nn.Conv3d(inputs, features, 1, (1, stride, stride), bias=False),
                nn.BatchNorm3d(features),
            )

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv1(x)
        y = F.relu(y + self.sbn(self.shortcut3d(y)))
        return F.relu(self.conv2(y) + self.downsample(x))


class PartHead(nn.Module):
    """Layers 2 to 4 and the head; the first layers are the caller's."""

    def __init__(self, network):
        super().__init__()
        channels = network.channels
        for number, blocks, inputs, features, stride in zip(
            (2, 3, 4), network.layers[1:], channels, channels[1:], STRIDES, strict=False
        ):
            layer = nn.Sequential(
                *(
                    P3DBlock(features if i else inputs, features, 1 if i else stride, not i)
                    for i in range(blocks)
                )
            )
            self.add_module(f"layer{number}", layer)
        self.FCs = PartMatrices(PARTS, channels[-1], PART_FEATURES)
        self.BNNecks = PartNecks(PARTS, network.classes)

    def head(self, x: Tensor) -> dict[str, Tensor]:
        x = self.layer4(self.layer3(self.layer2(x))).amax(dim=2)
        n, c, _, _ = x.shape
        strips = x.reshape(n, c, PARTS, -1)
        x = strips.mean(dim=-1) + strips.amax(dim=-1)
        return self.BNNecks(self.FCs(x))


def _stem(inputs: int, features: int) -> Frames:
    return Frames(conv3x3(inputs, features), nn.BatchNorm2d(features), nn.ReLU())


def _layer1(network) -> Frames:
    return Frames(*(BasicBlock(network.channels[0]) for _ in range(network.layers[0])))


class SkeletonGait(PartHead):
    """x (N, 2, T, H, W) to `gaitjax.models.parts.PartHead`'s outputs."""

    def __init__(self, network):
        super().__init__(network)
        self.layer0, self.layer1 = _stem(2, network.channels[0]), _layer1(network)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        return self.head(self.layer1(self.layer0(x)))


class Fusion(nn.Module):
    def __init__(self, features: int):
        super().__init__()
        inner = 2 * features // 32
        self.conv = Frames(
            nn.Conv2d(2 * features, inner, 1, bias=False),
            nn.BatchNorm2d(inner),
            nn.ReLU(),
            conv3x3(inner, inner),
            nn.BatchNorm2d(inner),
            nn.ReLU(),
            nn.Conv2d(inner, 2 * features, 1, bias=False),
        )

    def forward(self, silhouette: Tensor, maps: Tensor) -> Tensor:
        scores = self.conv(torch.cat([silhouette, maps], dim=1))
        first, second = scores.unflatten(1, (2, -1)).softmax(dim=1).unbind(dim=1)
        return first * silhouette + second * maps


class SkeletonGaitPP(PartHead):
    """x (N, 3, T, H, W), silhouette last."""

    def __init__(self, network):
        super().__init__(network)
        width = network.channels[0]
        self.sil_layer0, self.map_layer0 = _stem(1, width), _stem(2, width)
        self.sil_layer1, self.map_layer1 = _layer1(network), _layer1(network)
        self.fusion = Fusion(width)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        silhouette = self.sil_layer1(self.sil_layer0(x[:, 2:]))
        return self.head(self.fusion(silhouette, self.map_layer1(self.map_layer0(x[:, :2]))))
