"""Damaged and hostile input of every format: a result or one of our errors, soon, and no more.

python -m tests.programs.fuzz --count 2000

Each format starts from a valid file. Its bytes are flipped, cut, doubled and replaced by awkward
words; its structure is damaged too: a node of a tree, a line of a text, a member or header of an
archive, an opcode of a pickle is lost, doubled, moved or replaced by what a hostile writer would
put there. Every reader must end within seconds, take memory of the order of the file, run
nothing, and say what is wrong in one of our errors. All of it follows from the seed.
"""

import argparse
import contextlib
import os
import signal
import sys
import tempfile
import traceback
import tracemalloc
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from gaitjax.errors import GaitjaxError
from tests.programs.damage import damaged
from tests.programs.fuzz_formats import CANARY, FORMATS

SECONDS = 5.0  # a mutant may take; they take about a millisecond
MEMORY, SHARE = 2**26, 100  # bytes a mutant may take, and more for each byte of its file
HOSTILE = ("hostile pickle", "hostile index")
EDGES = [
    b"", b"\x00" * 100, b"\xef\xbb\xbf", b"\xff" * 100, b"[" * 100_000, b"{}", b"[]", b"null",
    b"1e999", b'"x"', b"9" * 100_000, b"\x80\x04.", b'{"a":' * 100_000,
]  # fmt: skip


def mutants(name: str, count: int, seed: int) -> Iterator[bytes]:
    """`count` damaged files of a format by bytes, as many by structure, and some fixed ones."""
    rng = np.random.default_rng((seed, zlib.crc32(name.encode())))
    _, data, _, structure = FORMATS[name]
    yield from (damaged(data, rng) for _ in range(count))
    if structure is not None:
        yield from (structure(data, rng) for _ in range(count))
    yield from [*EDGES, data + data, data[::-1]]


class TooLong(BaseException):  # so that no reader can catch it
    pass


@contextlib.contextmanager
def limited(size: int) -> Iterator[None]:
    """TooLong for what takes longer than SECONDS; MemoryError for what takes too much."""

    def stop(*_):
        raise TooLong

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    tracemalloc.start()
    try:
        yield
        used = tracemalloc.get_traced_memory()[1]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        tracemalloc.stop()
    if used > MEMORY + SHARE * size:
        raise MemoryError(f"{used} bytes for a file of {size}")


class Unsafe(Exception):
    """A reader failed a mutant."""


def run(name: str, count: int, folder: Path, seed: int = 0) -> tuple[int, int]:
    """Reads the mutants of a format: (how many, how many of them were refused).

    Raises:
      Unsafe: another error than ours, too long, too much memory, or code that ran.
    """
    file, data, read, _ = FORMATS[name]
    total = refused = 0
    os.chdir(folder)
    for mutant in [data, *mutants(name, count, seed)]:
        place = folder / str(total)
        path = place / file
        path.parent.mkdir(parents=True)
        path.write_bytes(mutant)
        try:
            with limited(len(mutant)):
                refusal = bool(read(place))
        except GaitjaxError as error:
            refusal = True
            if not 20 < len(str(error)) < 20_000:
                raise Unsafe(
                    f"{name}: mutant {total} of seed {seed}: {str(error)[:200]!r}"
                ) from None
        except BaseException as error:
            trace = "".join(traceback.format_exception(error)[-3:])
            raise Unsafe(
                f"{name}: mutant {total} of seed {seed}, {mutant[:200]!r}: {error!r}\n{trace}"
            ) from None
        if total == 0 and refusal != (name in HOSTILE):
            raise Unsafe(f"{name}: the file as it is")
        if (folder / CANARY).exists():
            raise Unsafe(f"{name}: mutant {total} of seed {seed} ran code")
        total, refused = total + 1, refused + refusal
    return total, refused


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=250, help="mutants of each kind (250)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--format", choices=FORMATS, nargs="+", default=list(FORMATS))
    args, failed = parser.parse_args(), 0
    for name in args.format:
        with tempfile.TemporaryDirectory() as folder:
            try:
                total, refused = run(name, args.count, Path(folder), args.seed)
                print(f"{name:20} {total} files, {refused} refused, {total - refused} read")
            except Unsafe as error:
                failed += 1
                print(f"{name:20} FAILED: {error}")
            os.chdir("/")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
