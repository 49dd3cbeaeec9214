"""Layers that several of the networks in PyTorch share; x is (N, C, T, V)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gaitjax.models.parts import FEATURES


class ConvMishNorm(nn.Module):
    def __init__(self, conv: nn.Conv2d, dropout: float):
        super().__init__()
        self.dropout, self.conv = nn.Dropout(dropout), conv
        self.bn = nn.BatchNorm2d(conv.out_channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.bn(F.mish(self.conv(self.dropout(x))))


def of_each_joint(norm: nn.BatchNorm1d, x: Tensor) -> Tensor:
    """The batch norm of every channel of every joint, feature v C + c."""
    n, c, t, v = x.shape
    x = norm(x.permute(0, 3, 1, 2).reshape(n, v * c, t))
    return x.reshape(n, v, c, t).permute(0, 2, 3, 1)


class PartMatrices(nn.Module):
    """A matrix for each part: (N, C, P) to (N, D, P)."""

    def __init__(self, parts: int, inputs: int, features: int):
        super().__init__()
        self.fc_bin = nn.Parameter(torch.empty(parts, inputs, features))
        nn.init.xavier_uniform_(self.fc_bin)

    def forward(self, x: Tensor) -> Tensor:
        return torch.matmul(x.permute(2, 0, 1), self.fc_bin).permute(1, 2, 0)


class PartNecks(PartMatrices):
    """Batch norm and cosine classifier for each part, of embed_1 (N, D, P)."""

    def __init__(self, parts: int, classes: int):
        super().__init__(parts, FEATURES, classes)
        self.bn1d = nn.BatchNorm1d(FEATURES * parts)

    def forward(self, embed_1: Tensor) -> dict[str, Tensor]:
        flat = self.bn1d(embed_1.reshape(len(embed_1), -1)).reshape(embed_1.shape)
        embed_2 = F.normalize(flat, dim=1)
        classifier = F.normalize(self.fc_bin, dim=1)
        logits = torch.matmul(embed_2.permute(2, 0, 1), classifier).permute(1, 2, 0)
        return {"embed_1": embed_1, "embed_2": embed_2, "logits": logits}
