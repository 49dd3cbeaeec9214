"""Checkpoint files for the tests, as training programs write them."""

from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch
from ml_collections import ConfigDict

from gaitjax import config as configs
from gaitjax.skeleton import adjacency, joint_format
from tests.helpers.golden_weights import GOLDEN, golden_state_dict, reference_shapes

SHAPES = reference_shapes()
TTEEPE = {
    "gaitgraph1_casiab_tteepe": "gaitgraph_n39_r8_coco",
    "gaitgraph2_casiab_tteepe": "gaitgraph2_n21_r8_coco",
    "gaitgraph2_oumvlp_tteepe": "gaitgraph2_n51_r4_oumvlp",
}


def small(name: str) -> ConfigDict:
    """Config `name`, its classifier cut to 8 classes."""
    config = configs.load(name)
    if "classes" in config.model:
        config.model.classes = 8
    return config


def opengait_state(name: str, config: ConfigDict | None = None) -> dict[str, np.ndarray]:
    """A state dict with the reference's keys, for `config` or as released."""
    shapes = dict(SHAPES[name])
    if config is not None and "classes" in config.model:
        shapes["BNNecks.fc_bin"] = (16, 256, config.model.classes)
    joints = (config or configs.load(name)).model.joints
    graph = adjacency(joint_format(joints))
    return golden_state_dict(shapes) | {key: graph for key in shapes if key.endswith(".A")}


def tteepe_state(name: str) -> dict[str, np.ndarray]:
    """The golden state dict of one of the authors' networks, under their keys."""
    network = TTEEPE[name]
    shapes = reference_shapes("tteepe_shapes")[network]
    with np.load(GOLDEN / "tteepe.npz") as golden:
        graph = golden[f"{network}/A"]
    state = golden_state_dict(shapes)
    state |= {key: graph for key in shapes if key not in state}
    prefix = "backbone." if network.startswith("gaitgraph2") else ""
    return {prefix + key: value for key, value in state.items()}


def tensors(state: dict[str, np.ndarray]) -> OrderedDict:
    return OrderedDict((key, torch.tensor(value)) for key, value in state.items())


def save(path: Path, state: dict[str, np.ndarray], **entries) -> Path:
    """An OpenGait checkpoint: `model` beside other entries."""
    torch.save({"model": tensors(state), **entries}, path)
    return path
