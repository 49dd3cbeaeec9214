"""GPGait and GPGait++ in PyTorch: sections 16.3 to 16.7. Named as in the released checkpoints."""

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gaitjax.models import gpgait
from gaitjax.models.parts import FEATURES
from gaitjax.performance.torch_layers import ConvMishNorm, PartMatrices, PartNecks, of_each_joint
from gaitjax.skeleton import JointFormat, joint_format

STACKS = ("part_2", "part_2_2", "part_3_1")  # those of several parts, in their order


class PartGraphConv(nn.Module):
    """Attention among joints of one part, over the clip or `per_frame`, for each subset."""

    def __init__(self, inputs: int, features: int, graph: Tensor, same: Tensor, per_frame: bool):
        super().__init__()
        self.inner, self.per_frame = features // 4, per_frame
        for name, width in (("conv_a", self.inner), ("conv_b", self.inner), ("conv_d", features)):
            convs = (nn.Conv2d(inputs, width, 1) for _ in range(gpgait.HOPS))
            setattr(self, name, nn.ModuleList(convs))
        self.PA = nn.Parameter(torch.full_like(graph, 1e-6))
        self.bn = nn.BatchNorm2d(features)
        self.register_buffer("A", graph, persistent=False)
        self.register_buffer("same", same, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        graph = self.A + self.PA
        size = self.inner * (1 if self.per_frame else x.shape[2])
        of_pairs = "nctv,nctw->ntvw" if self.per_frame else "nctv,nctw->nvw"
        over = "nctv,ntvw->nctw" if self.per_frame else "nctv,nvw->nctw"
        convs = zip(self.conv_a, self.conv_b, self.conv_d, graph, strict=True)
        y = torch.zeros((), dtype=x.dtype, device=x.device)
        for query, key, out, fixed in convs:
            links = (torch.einsum(of_pairs, query(x), key(x)) / size).softmax(dim=-2) + fixed
            y = y + out(torch.einsum(over, x, links * self.same))
        return F.mish(self.bn(y))


def projected(inputs: int, features: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, features, 1), nn.BatchNorm2d(features))


class Block(nn.Module):
    def __init__(self, inputs: int, features: int, graph: Tensor, same: Tensor):
        super().__init__()
        self.asg = PartGraphConv(inputs, features, graph, same, per_frame=False)
        self.residual_s = nn.Identity() if inputs == features else projected(inputs, features)

    def forward(self, x: Tensor) -> Tensor:
        return self.asg(x) + self.residual_s(x)


class BlockPP(nn.Module):
    def __init__(self, inputs: int, features: int, graph: Tensor, same: Tensor, dropout: float):
        super().__init__()
        half, third = features // 2, features // 3
        self.asg = PartGraphConv(inputs, half, graph, same, per_frame=True)
        self.residual, self.residual_s = projected(inputs, half), projected(2 * half, third)
        conv = nn.Conv2d(2 * half, third + 1, (9, 1), padding=(4, 0))
        self.tcn = ConvMishNorm(conv, dropout)
        self.down = ConvMishNorm(nn.Conv2d(inputs, features - 2 * third - 1, 1), 0.0)

    def forward(self, x: Tensor) -> Tensor:
        y = torch.cat([self.asg(x), self.residual(x)], dim=1)
        return torch.cat([self.tcn(y), self.residual_s(y), self.down(x)], dim=1)


class Branch(nn.Module):
    """x (N, C, T, V) of one descriptor to its parts (N, D, P)."""

    def __init__(self, network, inputs: int, body: gpgait.Body, fmt: JointFormat):
        super().__init__()
        joints, shared = body.joints, network.shared
        graph = torch.from_numpy(gpgait.part_graph(body, fmt))

        def blocks(widths: Sequence[int], groups: gpgait.Groups | None) -> nn.Sequential:
            of_group = gpgait.members(groups if network.masked else None, joints)
            same = torch.from_numpy((of_group[:, :, None] & of_group[:, None]).any(axis=0))
            made = []
            for i, o in zip(widths, widths[1:], strict=False):
                if network.plus:
                    made.append(BlockPP(i, o, graph, same, network.dropout))
                else:
                    made.append(Block(i, o, graph, same))
            return nn.Sequential(*made)

        self.data_bn = nn.BatchNorm1d(inputs * len(joints))
        self.layer_share = blocks((inputs, *network.widths[:shared]), body.trunk)
        several = [stack.groups for stack in body.stacks if stack.groups is not None]
        named = [*zip(STACKS, several, strict=False), ("backbone", None)]
        self.groups = {
            name: [np.flatnonzero(row).tolist() for row in gpgait.members(groups, joints)]
            for name, groups in named
        }
        for name, groups in named:
            setattr(self, name, blocks(network.widths[shared - 1 :], groups))

    def forward(self, x: Tensor) -> Tensor:
        x = self.layer_share(of_each_joint(self.data_bn, x))
        parts = []
        for name, groups in self.groups.items():
            y = getattr(self, name)(x).amax(dim=2)
            parts += [y[:, :, g].mean(dim=-1) + y[:, :, g].amax(dim=-1) for g in groups]
        return torch.stack(parts, dim=-1)


class GPGait(nn.Module):
    """x (N, 5, T, V) to `gaitjax.models.parts.PartHead`'s outputs; GPGait++ too."""

    def __init__(self, network):
        super().__init__()
        fmt = joint_format(network.joints)
        self.inputs = []
        for ours, channels, body in gpgait.BRANCHES:
            name = {"position": "pose"}.get(ours, ours)
            setattr(self, name, Branch(network, channels.stop - channels.start, body, fmt))
            self.inputs.append((name, channels, [fmt.joints.index(j) for j in body.joints]))
        self.head = PartMatrices(gpgait.PARTS, network.widths[-1], FEATURES)
        self.BNNecks = PartNecks(gpgait.PARTS, network.classes)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        parts = [getattr(self, name)(x[:, c][..., joints]) for name, c, joints in self.inputs]
        return self.BNNecks(self.head(torch.cat(parts, dim=-1)))
