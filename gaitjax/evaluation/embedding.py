"""Embeddings of a whole data set: windows, or whole sequences of any length.

Batches are bounded by their frames, so that they fit the device (`gaitjax.evaluation.budget`);
a sequence too long for that comes in pieces, if the network takes any.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import jax
import numpy as np
from flax import linen as nn
from jax import Array
from jax.sharding import Mesh
from ml_collections import ConfigDict

from gaitjax import progress, sharding
from gaitjax.data import sampling
from gaitjax.data.feed import Feed
from gaitjax.data.prefetch import prefetch
from gaitjax.errors import ConfigError
from gaitjax.evaluation import batches, budget
from gaitjax.evaluation.batches import Batch, Bounds
from gaitjax.training import step


class Programs(NamedTuple):
    """What embeds batches, each compiled once for every shape it is called with.

    Attributes:
      embed: (variables, frames, batch) -> {"embed_1": (N, D, P), ...}.
      piece, join, finish: the same in steps, see `gaitjax.models`; None if the network takes no
        pieces.
      frames: of a batch, at most, on each device.
    """

    embed: Callable
    piece: Callable | None
    join: Callable | None
    finish: Callable | None
    frames: int


def programs(config: ConfigDict, model: nn.Module, mesh: Mesh) -> Programs:
    """The programs for `model` on `mesh`; nothing is compiled yet."""
    whole, split = sharding.replicated(mesh), sharding.batched(mesh)
    embed = sharding.jit(step.make_embed(config, model), mesh, out_shardings=whole)
    frames = budget.frames_in_batch(config, model, mesh)
    if not hasattr(model, "sees"):
        return Programs(embed, None, None, None, frames)
    piece = sharding.jit(step.make_piece(config, model), mesh, out_shardings=split)
    finish = sharding.jit(step.make_finish(model), mesh, out_shardings=whole)
    return Programs(embed, piece, jax.jit(model.join), finish, frames)


class Cut(NamedTuple):
    """How a data set is cut: the batches, and the clips of each as the network takes them."""

    batches: list[Batch]
    clips: Callable[[Batch], tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]]
    windows: int = 1  # of a sequence in its batch


def cut_up(config: ConfigDict, model: nn.Module, lengths: np.ndarray, bounds: Bounds) -> Cut:
    e = config.eval
    if e.clip == "ordered":
        starts = sampling.eval_starts(lengths, e.frames, e.window, config.seed)
        first, frames = (e.frames - e.select) // 2 if e.select else 0, e.select or e.frames
        windows = starts.shape[1]

        def windows_of(batch: Batch):
            return *batches.clips_of_windows(batch, starts, lengths, first), {}

        return Cut(batches.of_windows(len(lengths), frames, windows, bounds), windows_of, windows)

    lengths = sampling.clip_all(lengths, e.limit)
    sees = getattr(model, "sees", None)

    def sequences_of(batch: Batch):
        rows, index, mask, own = batches.clips_of_sequences(batch, lengths, sees or (0, 0))
        return rows, index, {"mask": mask} | ({"own": own} if batch.pieces > 1 else {})

    return Cut(batches.of_sequences(lengths, bounds, sees), sequences_of)


def embed_dataset(
    config: ConfigDict,
    model: nn.Module,
    variables: dict,
    feed: Feed,
    mesh: Mesh,
    compiled: Programs | None = None,
    names: Iterable[str] = (),
) -> dict[str, np.ndarray]:
    """Embeddings of every sequence in data-set order: name -> (S, D, P) float32.

    Several windows of one sequence (`eval.window=mean`) are averaged.

    Args:
      compiled: what `programs` gave, for a caller who embeds more than once.
      names: the embeddings to keep; default all that the network gives.
    Raises:
      ConfigError: the network gives none of such a name.
    """
    compiled = compiled or programs(config, model, mesh)
    bounds = Bounds(compiled.frames, config.eval.batch_size, mesh.size)
    cut = cut_up(config, model, feed.lengths, bounds)
    split = sharding.batched(mesh)
    variables = sharding.put_tree(variables, sharding.replicated(mesh))

    def batch_at(i: int) -> dict:
        rows, index, more = cut.clips(cut.batches[i])
        return sharding.put_tree(feed.clips(rows, index) | more, split)

    made = prefetch(batch_at, 0, len(cut.batches))
    result: dict[str, np.ndarray] = {}
    with progress.counted(len(feed.lengths), "embedding") as advance:
        for rows, embeddings in _one_behind(_embedded(compiled, variables, feed, cut, made)):
            for name in names or embeddings:
                if name not in embeddings:
                    raise ConfigError(
                        f"eval.embedding={name!r}: the network gives {', '.join(embeddings)}"
                    )
                value = np.asarray(embeddings[name], np.float32)
                value = value.reshape(-1, cut.windows, *value.shape[1:]).mean(axis=1)
                if name not in result:
                    result[name] = np.empty((len(feed.lengths), *value.shape[1:]), np.float32)
                result[name][rows] = value[: len(rows)]
            advance(len(rows))
    return result


def _embedded(
    compiled: Programs, variables: dict, feed: Feed, cut: Cut, made: Iterable[dict]
) -> Iterator[tuple[np.ndarray, dict[str, Array]]]:
    """(sequences, their embeddings on the devices) of every batch, of pieces after the last."""
    pools = []
    for batch, arrays in zip(cut.batches, made, strict=True):
        if batch.pieces == 1:
            yield batch.rows, compiled.embed(variables, feed.frames, arrays)
            continue
        assert compiled.piece and compiled.join and compiled.finish, "only these are cut in pieces"
        pools.append(compiled.piece(variables, feed.frames, arrays))
        if batch.piece > 0:
            pools = [compiled.join(*pools)]
        if batch.last:
            yield batch.rows, compiled.finish(variables, pools.pop())


def _one_behind(items: Iterator) -> Iterator:
    """The same items, each once the next has been asked for: the devices never wait for us."""
    previous = next(items, None)
    for item in items:
        yield previous
        previous = item
    if previous is not None:
        yield previous
