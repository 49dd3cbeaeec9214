"""What was exported, held against what `gaitjax.evaluate` computes."""

from collections.abc import Callable

import numpy as np
from ml_collections import ConfigDict

from gaitjax import models, sharding
from gaitjax.data.feed import Feed
from gaitjax.data.poses import for_network
from gaitjax.errors import WeightsError
from gaitjax.evaluation import embedding
from gaitjax.export.program import Program
from gaitjax.skeleton import joint_format

SHARES = (1, 0.9, 0.8)  # of T, that the walks are long
MISSED = 0.03  # of the joints
MOST = {"float32": 1e-3, "bfloat16": 5e-2}  # relative difference of a file that is not refused
OF_MAPS = 2e-2  # of networks whose maps are drawn: in ONNX some pixels are a level off


def walks(program: Program, seed: int = 0) -> list[np.ndarray]:
    """Made-up arguments of `program.run`: noise of the size of walks, with joints missed."""
    rng = np.random.default_rng(seed)
    lengths = np.array([max(1, int(share * program.about["frames"])) for share in SHARES], np.int32)
    _, *shape = program.inputs["poses"].shape
    poses = rng.normal((300, 250, 0.8), (20, 40, 0.1), (len(lengths), *shape)).astype(np.float32)
    poses[rng.random(poses.shape[:3]) < MISSED] = 0
    poses[np.arange(shape[0]) >= lengths[:, None]] = np.nan  # padding may be anything
    arguments = [poses, lengths]
    if (images := program.inputs.get("silhouettes")) is not None:
        arguments.append(rng.integers(0, 256, (len(lengths), *images.shape[1:]), np.uint8))
    return arguments


def difference(
    config: ConfigDict, variables: dict, program: Program, run: Callable[..., np.ndarray]
) -> float:
    """Largest difference of `run` from evaluation, relative to the largest value.

    Raises:
      WeightsError: it is so large that they are not the same network.
    """
    arguments = walks(program)
    wanted = evaluated(config, variables, arguments)
    found = np.asarray(run(*arguments))
    relative = float(np.abs(found - wanted).max() / np.abs(wanted).max())
    most = MOST[config.model.get("dtype", "float32")]
    if "maps" in models.build(config).inputs:
        most = max(most, OF_MAPS)
    if not relative <= most:
        raise WeightsError(
            f"what was exported differs by {relative:.1e} of the largest value from what "
            "gaitjax.evaluate gives; nothing is written. Another version of JAX or of the exporter "
            "may do better; please report it"
        )
    return relative


def evaluated(config: ConfigDict, variables: dict, arguments: list[np.ndarray]) -> np.ndarray:
    """The embeddings that `gaitjax.evaluate` gives of the same arguments."""
    network, mesh, data = models.build(config), sharding.make_mesh(), config.data
    have, want = joint_format(data.joints), joint_format(config.model.joints)
    poses, lengths, *images = arguments
    impute = data.impute_test or data.impute
    parts = {
        "poses": [
            for_network(walk[:length], f"sequence {i}", have, want, impute)
            for i, (walk, length) in enumerate(zip(poses, lengths, strict=True))
        ]
    }
    if images:
        parts["silhouettes"] = [s[:length] for s, length in zip(*images, lengths, strict=True)]
    name = config.eval.embedding
    feed = Feed.in_memory(parts)
    return embedding.embed_dataset(config, network, variables, feed, mesh, names=[name])[name]
