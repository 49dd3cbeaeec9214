"""How far a long piece of work is: a bar on a terminal, elsewhere plain lines."""

import contextlib
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
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


class Steps:
    """Values, rate and time left of a training of `total` steps, in lines; a bar on a terminal."""

    def __init__(self, start: int, total: int, unit: str, per_step: int, active: bool = True):
        self._total, self._unit, self._per_step = total, unit, per_step
        self._active = active
        self._clock, self._step = time.perf_counter(), start
        self._bar = tqdm(
            total=total, initial=start, unit="step", disable=not (active and sys.stderr.isatty())
        )

    def advance(self, steps: int = 1) -> None:
        """So many steps were dispatched."""
        self._bar.update(steps)

    def log(self, step: int, values: dict[str, float]) -> float:
        """Print `values` at `step`; returns the rate in units per second since the last call."""
        now = time.perf_counter()
        steps_per_second = (step - self._step) / max(now - self._clock, 1e-9)
        self._clock, self._step = now, step
        left = timedelta(seconds=round((self._total - step) / max(steps_per_second, 1e-9)))
        rate = steps_per_second * self._per_step
        if self._active:
            shown = "  ".join(f"{name} {value:.4g}" for name, value in values.items())
            tqdm.write(
                f"step {step}/{self._total}  {shown}  {rate:.1f} {self._unit}/s  left {left}",
                file=sys.stdout,
            )
            sys.stdout.flush()
        return rate

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Leave out of the rate what happens in this context (compiling, evaluation)."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self._clock += time.perf_counter() - start

    def close(self) -> None:
        self._bar.close()
