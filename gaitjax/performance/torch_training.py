"""Losses and optimisers in PyTorch, for the networks of `torch_networks`: sections 7 and 8.1."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from ml_collections import ConfigDict
from torch import Tensor, nn


def total_loss(outputs: dict[str, Tensor], labels: Tensor, losses) -> Tensor:
    """Sum of the losses of a config, as `gaitjax.training.losses.total_loss`."""
    parts = []
    for name, given in losses.items():
        given = dict(given)
        weight = given.pop("weight", 1.0)
        parts.append(weight * LOSSES[name](outputs, labels, **given))
    return torch.stack(parts).sum()


def _supcon(logits: Tensor, positive: Tensor) -> Tensor:
    own = torch.eye(len(logits), dtype=torch.bool, device=logits.device)
    log_prob = logits - logits.masked_fill(own, -torch.inf).logsumexp(1, keepdim=True)
    positive = positive & ~own
    return -log_prob.masked_fill(~positive, 0).sum(1) / positive.sum(1).clamp(min=1)


def _supcon_lp(outputs, labels, temperature):
    x = F.normalize(outputs["embed_1"][..., 0], dim=1)
    rows = _supcon(-torch.cdist(x, x) / temperature, labels[:, None] == labels)
    return rows[rows > 0].mean()


def _supcon_re(outputs, labels, temperature, base_temperature=0.07):
    x = outputs["embed_1"][..., 0]
    labels = labels.repeat(len(x) // len(labels))
    rows = _supcon(x @ x.T / temperature, labels[:, None] == labels)
    return rows.mean() * (temperature / base_temperature)


def _triplet(outputs, labels, margin, hard=False):
    x = outputs["embed_1"].permute(2, 0, 1)  # (P, N, D)
    square = (x * x).sum(-1)
    product = x @ x.transpose(1, 2)
    distance = F.relu(square[:, :, None] + square[:, None] - 2 * product)
    distance = torch.where(distance > 0, distance.clamp(min=1e-20).sqrt(), 0)
    same = labels[:, None] == labels
    if hard:
        farthest = distance.masked_fill(~same, -torch.inf).amax(dim=2)
        terms = F.relu(farthest - distance.masked_fill(same, torch.inf).amin(dim=2) + margin)
    else:
        terms = F.relu(distance[:, :, :, None] - distance[:, :, None] + margin)
        terms = (terms * (same[:, :, None] & ~same[:, None])).flatten(1)
    return (terms.sum(1) / ((terms > 0).sum(1) + 1e-9)).mean()


def _cross_entropy(outputs, labels, scale, smoothing):
    logits = outputs["logits"] * scale
    targets = labels[:, None].expand(-1, logits.shape[-1])
    return F.cross_entropy(logits, targets, label_smoothing=smoothing)


LOSSES: dict[str, Callable[..., Tensor]] = {
    "supcon_lp": _supcon_lp,
    "supcon_re": _supcon_re,
    "triplet": _triplet,
    "cross_entropy": _cross_entropy,
}


def optimizer(config: ConfigDict, network: nn.Module) -> torch.optim.Optimizer:
    """The optimiser of a config at its first learning rate."""
    given = config.optimizer
    options = {"lr": config.schedule.lr / 25, "weight_decay": given.weight_decay}
    if given.name == "sgd":
        return torch.optim.SGD(network.parameters(), momentum=given.momentum, **options)
    kind = torch.optim.AdamW if given.name == "adamw" else torch.optim.Adam
    return kind(network.parameters(), **options)
