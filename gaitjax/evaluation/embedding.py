"""Embeddings of a whole data set: windows or whole sequences, in batches of any size."""

import math
from collections.abc import Callable, Iterator

import jax
import numpy as np
from flax import linen as nn
from jax.sharding import Mesh
from ml_collections import ConfigDict

from gaitjax import progress, sharding
from gaitjax.data import sampling
from gaitjax.data.feed import Feed
from gaitjax.data.prefetch import prefetch
from gaitjax.training import step


def _windows(config: ConfigDict, lengths: np.ndarray) -> np.ndarray:
    """Frame indices of the test windows, (S, W, T)."""
    index = sampling.eval_windows(lengths, config.eval.frames, config.eval.window, config.seed)
    index = index.reshape(len(lengths), -1, config.eval.frames)
    if config.eval.select:
        start = (config.eval.frames - config.eval.select) // 2
        index = index[..., start : start + config.eval.select]
    return index


def _batches(config: ConfigDict, lengths: np.ndarray, batch_size: int) -> Iterator[tuple]:
    """(rows (n,), frame indices (n, T), mask (n, T) or None), n <= batch_size."""
    if config.eval.clip == "ordered":
        windows = _windows(config, lengths)
        rows = np.repeat(np.arange(len(lengths)), windows.shape[1])
        windows = windows.reshape(len(rows), -1)
        for start in range(0, len(rows), batch_size):
            part = slice(start, start + batch_size)
            yield rows[part], windows[part], None
        return
    lengths = sampling.clip_all(lengths, config.eval.limit)
    for rows, padded in sampling.buckets(lengths, batch_size):
        mask = np.arange(padded) < lengths[rows][:, None]
        yield rows, np.where(mask, np.arange(padded), 0), mask


def compiled(config: ConfigDict, model: nn.Module, mesh: Mesh) -> Callable:
    """`step.make_embed`, compiled once for every shape of batch it is called with."""
    return jax.jit(step.make_embed(config, model), out_shardings=sharding.replicated(mesh))


def embed_dataset(
    config: ConfigDict,
    model: nn.Module,
    variables: dict,
    feed: Feed,
    mesh: Mesh,
    embed: Callable | None = None,
) -> dict[str, np.ndarray]:
    """Embeddings of every sequence in data-set order: name -> (S, D, P) float32.

    Several windows of one sequence (`eval.window=mean`) are averaged. `embed` is what
    `compiled` gave, for a caller who embeds more than once.
    """
    batch_size = math.ceil(config.eval.batch_size / mesh.size) * mesh.size
    split = sharding.batched(mesh)
    variables = sharding.put_tree(variables, sharding.replicated(mesh))
    embed = embed or compiled(config, model, mesh)
    plan = list(_batches(config, feed.lengths, batch_size))

    def batch_at(i: int) -> dict:
        rows, windows, mask = plan[i]
        batch = feed.clips(rows, windows) | ({} if mask is None else {"mask": mask})
        # Every batch has the same size: the last one repeats its rows.
        full = {k: np.resize(v, (batch_size, *v.shape[1:])) for k, v in batch.items()}
        return sharding.put_tree(full, split)

    sums: dict[str, np.ndarray] = {}
    counts = np.zeros(len(feed.lengths), np.int32)
    with progress.counted(len(counts), "embedding") as advance:
        for (rows, _, _), batch in zip(plan, prefetch(batch_at, 0, len(plan)), strict=True):
            for name, value in embed(variables, feed.frames, batch).items():
                value = np.asarray(value, np.float32)[: len(rows)]
                if name not in sums:
                    sums[name] = np.zeros((len(counts), *value.shape[1:]), np.float32)
                np.add.at(sums[name], rows, value)
            advance(len(np.unique(rows[counts[rows] == 0])))
            np.add.at(counts, rows, 1)
    return {name: total / counts[:, None, None].astype(np.float32) for name, total in sums.items()}
