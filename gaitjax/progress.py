"""How far a long piece of work is: a bar on a terminal, elsewhere a plain line now and then."""

import contextlib
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm

SECONDS = 30  # between two plain lines

T = TypeVar("T")


@contextlib.contextmanager
def counted(
    total: int, what: str, unit: str = "sequences", done: int = 0
) -> Iterator[Callable[[int], None]]:
    """Gives `advance(n)`, to be called when `n` more of `total` are finished.

    Args:
      what: the work, as "preparing".
      unit: of what there are `total`; "B" counts bytes.
      done: how many were finished before, by an earlier run.
    """
    if sys.stderr.isatty():
        with tqdm(
            total=total, desc=what, unit=unit, unit_scale=unit == "B", initial=done, leave=False
        ) as bar:
            yield bar.update
        return
    begin = last = time.monotonic()
    count = done

    def advance(n: int) -> None:
        nonlocal count, last
        count += n
        now = time.monotonic()
        if now - last < SECONDS:
            return
        last = now
        rate = (count - done) / (now - begin)
        left = (total - count) / rate / 60 if rate else float("inf")
        print(
            f"{what}: {count} of {total} {unit}, {rate:.1f} a second, {left:.1f} minutes left",
            file=sys.stderr,
            flush=True,
        )

    yield advance


def each(
    items: Iterable[T], total: int, what: str, unit: str = "sequences", done: int = 0
) -> Iterator[T]:
    """`items` one by one, counted; see `counted`."""
    with counted(total, what, unit, done) as advance:
        for item in items:
            yield item
            advance(1)
