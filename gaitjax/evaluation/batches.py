"""How a test set is cut into batches: windows, whole sequences, and long sequences in pieces.

A batch is bounded by its frames, so that its memory is known whatever the lengths are, and by
its rows. Batches of one kind have one shape: each kind is compiled once.
"""

import math
from typing import NamedTuple

import numpy as np

from gaitjax.data import sampling


class Bounds(NamedTuple):
    """The largest batch: `frames` on each of `devices`, and `rows` over all of them."""

    frames: int
    rows: int
    devices: int = 1

    def fitting(self, frames: int, wanted: int) -> int:
        """Rows of a batch of clips of `frames` frames, of which there are `wanted`.

        At least one on each device, and as many on each. If all fit in one batch it is the power
        of two that holds them, otherwise batches are equal and nearly full.
        """
        most = min(max(1, self.frames // frames) * self.devices, self.rows)
        enough = 1 << max(0, wanted - 1).bit_length()
        if wanted > most:
            enough = math.ceil(wanted / math.ceil(wanted / most))
        return math.ceil(min(most, enough) / self.devices) * self.devices


class Batch(NamedTuple):
    """Sequences that are embedded together.

    Attributes:
      rows: (n,) int, the sequences.
      size: rows that the batch is filled up to, n or more, by repeating them.
      frames: T of every clip.
      own: frames of each sequence that are pooled: those of the clip from the first on, or, of
        a piece, those between what its first and last frames see.
      piece, pieces: which piece of the sequences this is, and of how many.
    """

    rows: np.ndarray
    size: int
    frames: int
    own: int
    piece: int = 0
    pieces: int = 1

    @property
    def last(self) -> bool:
        """Whether no further piece of these sequences follows."""
        return self.piece == self.pieces - 1

    @property
    def filled(self) -> np.ndarray:
        """(size,) the sequence of each clip."""
        return np.resize(self.rows, self.size)


def of_windows(count: int, frames: int, windows: int, bounds: Bounds) -> list[Batch]:
    """Batches of `windows` windows of `frames` frames of each of `count` sequences.

    All windows of a sequence are in one batch.
    """
    rows = max(1, bounds.rows // windows)
    size = bounds._replace(rows=rows).fitting(frames * windows, count)
    starts = range(0, count, size)
    return [Batch(np.arange(s, min(s + size, count)), size, frames, frames) for s in starts]


def of_sequences(
    lengths: np.ndarray, bounds: Bounds, sees: tuple[int, int] | None = None
) -> list[Batch]:
    """Batches of whole sequences, padded to few lengths; those beyond the bounds in pieces.

    Args:
      lengths: (S,) int.
      sees: frames that the network sees before and after each; None: it takes no pieces, and a
        sequence too long for the bounds is a batch by itself.
    """
    result, long = [], np.zeros(len(lengths), bool)
    if sees is not None:
        long = lengths > bounds.frames
    for rows, frames in sampling.buckets(lengths, np.flatnonzero(~long)):
        size = bounds.fitting(frames, len(rows))
        for start in range(0, len(rows), size):
            result.append(Batch(rows[start : start + size], size, frames, frames))
    if sees is not None and long.any():
        result += _in_pieces(lengths, np.flatnonzero(long), bounds, sees)
    return result


def _in_pieces(
    lengths: np.ndarray, rows: np.ndarray, bounds: Bounds, sees: tuple[int, int]
) -> list[Batch]:
    """Batches of pieces of the sequences `rows`, those of one sequence one after the other."""
    rows, result = rows[np.argsort(lengths[rows], kind="stable")], []
    most = max(sampling.SHORTEST, bounds.frames - sum(sees))  # a piece's own frames
    for start in range(0, len(rows), bounds.devices):
        together = rows[start : start + bounds.devices]
        longest = lengths[together].max()
        own = sampling.padded(math.ceil(longest / math.ceil(longest / most)), most)
        pieces = math.ceil(longest / own)
        for piece in range(pieces):
            result.append(Batch(together, bounds.devices, own + sum(sees), own, piece, pieces))
    return result


def clips_of_windows(
    batch: Batch, starts: np.ndarray, lengths: np.ndarray, first: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """The windows of a batch: (sequence of each (N,), frame indices (N, T)).

    Args:
      starts: (S, W) int, where the windows of each sequence begin.
      lengths: (S,) int; windows run over the end of short sequences into their beginning.
      first: frames of each window that are left out before.
    """
    rows = np.repeat(batch.filled, starts.shape[1])
    start = starts[batch.filled].reshape(-1, 1) + first
    return rows, (start + np.arange(batch.frames)) % lengths[rows, None]


def clips_of_sequences(
    batch: Batch, lengths: np.ndarray, sees: tuple[int, int] = (0, 0)
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The clips of a batch: sequence of each (N,), and by frame (N, T) index, mask and own.

    The mask marks the frames that are the sequence's, own those that are pooled from this
    clip. Indices outside the mask are 0.
    """
    rows = batch.filled
    before = sees[0] if batch.pieces > 1 else 0
    place = np.arange(batch.frames) + batch.piece * batch.own - before
    mask = (place >= 0) & (place < lengths[rows, None])
    inside = np.arange(batch.frames) - before
    own = mask & (inside >= 0) & (inside < batch.own)
    return rows, np.where(mask, place, 0), mask, own
