"""Which sequences and which of their frames make up a batch.

Every draw is a pure function of (seed, step): any step can be made anew, on any host, with
nothing to save. The generator is Philox with the key (seed, stream) and the step in the
highest word of the counter, so that no two streams or steps ever share numbers. Streams 0
to 2 are those below; code that needs more randomness on the host takes its own from 3 on.
Source: specification sections 3.1 and 3.2.
"""

import numpy as np

from gaitjax.errors import DataError

ROWS, WINDOWS, EVAL_WINDOWS = range(3)  # streams
MEAN_WINDOWS = 4  # windows of a sequence whose embeddings are averaged
SHORTEST = 16  # frames that whole sequences are padded to at least


def generator(seed: int, stream: int, step: int) -> np.random.Generator:
    """Random numbers of one stream at one step; seed >= 0."""
    key = np.array([seed, stream], np.uint64)
    counter = np.array([0, 0, 0, step], np.uint64)
    return np.random.Generator(np.random.Philox(key=key, counter=counter))


def rows(
    class_ids: np.ndarray, batch_size: int, per_identity: int, shuffle: bool, seed: int, step: int
) -> np.ndarray:
    """The sequences of the batch of one step.

    With `per_identity` = K > 0: P = batch_size / K identities, and K sequences of each, which
    stay together unless `shuffle` is set. Identities are drawn without replacement, and so
    are the sequences of one; if there are fewer than asked for, with replacement.
    With K = 0: a uniform subset of all sequences without replacement (`shuffle` is ignored).

    Args:
      class_ids: (S,) int, the identity of each sequence.

    Returns:
      (batch_size,) int64 indices into the S sequences.

    Raises:
      DataError: K does not divide batch_size; K = 0 and batch_size > S.
    """
    rng = generator(seed, ROWS, step)
    if per_identity == 0:
        if batch_size > len(class_ids):
            raise DataError(
                f"train.batch_size is {batch_size}, but there are only {len(class_ids)} sequences "
                "to draw from without replacement; lower it or set train.per_identity"
            )
        return rng.choice(len(class_ids), batch_size, replace=False)
    if batch_size % per_identity:
        raise DataError(
            f"train.batch_size = {batch_size} is no multiple of train.per_identity = {per_identity}"
        )
    by_class = np.argsort(class_ids, kind="stable")
    _, starts, counts = np.unique(class_ids[by_class], return_index=True, return_counts=True)
    identities = _draw(rng, np.array([len(starts)]), batch_size // per_identity)[0]
    picks = _draw(rng, counts[identities], per_identity)
    drawn = by_class[starts[identities, None] + picks].reshape(-1)
    return rng.permutation(drawn) if shuffle else drawn


def windows(
    lengths: np.ndarray, rows: np.ndarray, frames: int, skip: int, kind: str, seed: int, step: int
) -> np.ndarray:
    """The frames taken from each sequence of a batch.

    "ordered": a random window of `frames + skip` consecutive frames, of which `frames` are
    kept, in order. A sequence shorter than the window is first repeated whole until it is not.
    "unordered": any `frames` different frames in random order; with replacement only if the
    sequence has fewer.

    Args:
      lengths: (S,) int, frames of every sequence.
      rows: (N,) int, the sequences of the batch.

    Returns:
      (N, frames) int64 frame indices within each sequence.
    """
    rng = generator(seed, WINDOWS, step)
    lengths = lengths[rows].astype(np.int64)
    if kind == "unordered":
        return _draw(rng, lengths, frames)
    if kind != "ordered":
        raise DataError(f"train.clip is {kind!r}; known: ordered, unordered")
    need = frames + skip
    start = rng.integers(0, _last_start(lengths, need), endpoint=True)
    kept = np.arange(frames)
    if skip:
        kept = np.sort(_draw(rng, np.full(len(rows), need), frames), axis=1)
    return (start[:, None] + kept) % lengths[:, None]


def eval_starts(lengths: np.ndarray, frames: int, window: str, seed: int) -> np.ndarray:
    """Where the windows begin on which each sequence is evaluated, (S, W) int64.

    "center": the middle window; "random": one random window, as the reference evaluates;
    "mean": MEAN_WINDOWS windows from the first to the last possible one, evenly spaced,
    whose embeddings are meant to be averaged. Short sequences are repeated whole first, so a
    window may run over their end.

    Args:
      lengths: (S,) int.
    """
    last = _last_start(lengths.astype(np.int64), frames)
    if window == "center":
        return (last // 2)[:, None]
    if window == "random":
        return generator(seed, EVAL_WINDOWS, 0).integers(0, last, endpoint=True)[:, None]
    if window == "mean":
        return np.rint(last[:, None] * np.linspace(0, 1, MEAN_WINDOWS)).astype(np.int64)
    raise DataError(f"eval.window is {window!r}; known: center, random, mean")


def clip_all(lengths: np.ndarray, limit: int) -> np.ndarray:
    """Frames used of each sequence if all are: the first `limit`, 0 meaning no limit."""
    return np.minimum(lengths, limit) if limit else lengths


def buckets(lengths: np.ndarray, rows: np.ndarray) -> list[tuple[np.ndarray, int]]:
    """The sequences `rows` by the length that each is `padded` to: [(their rows, length)].

    Args:
      lengths: (S,) int.
      rows: (n,) int.
    """
    if not len(rows):
        return []
    longest = int(lengths[rows].max())
    known, place = np.unique(lengths[rows], return_inverse=True)
    size = np.array([padded(length, longest) for length in known])[place]
    return [(rows[size == each], int(each)) for each in np.unique(size)]


def padded(length: int, longest: int) -> int:
    """The length that a sequence is padded to: multiples of 8, each half as long again.

    They grow from `SHORTEST` to what holds `longest`: there are few of them, hence few programs
    to compile, and little padding.
    """
    size, last = SHORTEST, _multiple_of_8(longest)
    while size < min(length, last):
        size = _multiple_of_8(1.5 * size)
    return min(size, max(last, SHORTEST))


def _multiple_of_8(length: float) -> int:
    return int(np.ceil(length / 8)) * 8


def _draw(rng: np.random.Generator, counts: np.ndarray, k: int) -> np.ndarray:
    """(N, k) draws from range(counts[n]), without replacement unless counts[n] < k."""
    result = np.empty((len(counts), k), np.int64)
    short = counts < k
    result[short] = rng.integers(0, counts[short, None], (short.sum(), k))
    enough = counts[~short]
    if len(enough):
        # Ranking random keys gives a random permutation; those past the end rank last.
        keys = rng.random((len(enough), enough.max()))
        keys[np.arange(enough.max()) >= enough[:, None]] = 2.0
        first = np.argpartition(keys, k - 1, axis=1)[:, :k]
        order = np.argsort(np.take_along_axis(keys, first, axis=1), axis=1)
        result[~short] = np.take_along_axis(first, order, axis=1)
    return result


def _last_start(lengths: np.ndarray, need: int) -> np.ndarray:
    """Last start of a window of `need` frames in sequences repeated until they hold one."""
    return lengths * np.maximum(1, -(-need // lengths)) - need
