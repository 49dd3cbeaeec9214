"""Weights made from their names, as the golden values were recorded with."""

import gzip
import json
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

GOLDEN = Path(__file__).parents[1] / "golden"

Shapes = dict[str, tuple[int, ...]]


def reference_shapes(file: str = "state_dict_shapes") -> dict[str, Shapes]:
    """Keys and shapes of the reference's state dicts, by config; `tteepe_shapes`: by network."""
    with gzip.open(GOLDEN / f"{file}.json.gz", "rt") as stream:
        table = json.load(stream)
    return {
        name: {key: tuple(shape) for key, shape in shapes.items()} for name, shapes in table.items()
    }


def golden_array(key: str, shape: tuple[int, ...], seed: int = 101) -> np.ndarray:
    """The float32 array of torch key `key`; int64 7 for a counter of batches."""
    last = key.rsplit(".", 1)[-1]
    if last == "num_batches_tracked":
        return np.array(7)
    words = np.random.SeedSequence([seed, zlib.crc32(key.encode())])
    z = np.random.Generator(np.random.PCG64(words)).standard_normal(shape)
    if last in ("running_mean", "bias", "PA"):
        z = 0.1 * z
    elif last == "running_var":
        z = np.exp(0.2 * z)
    elif last == "edge" or (last == "weight" and len(shape) == 1):
        z = 1 + 0.1 * z
    elif last == "fc_bin":
        z = z * np.sqrt(1 / shape[1])
    elif last == "weight":
        z = z * np.sqrt(1 / np.prod(shape[1:]))
    else:
        raise ValueError(f"no rule for {key!r}")
    return z.astype(np.float32)


def golden_state_dict(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    """A torch state dict with these keys and shapes, without the adjacency buffers."""
    return {
        key: golden_array(key, shape)
        for key, shape in shapes.items()
        if key.rsplit(".", 1)[-1] != "A"
    }
