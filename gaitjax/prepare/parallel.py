"""A function of many items in worker processes, which end with the process that began them."""

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from itertools import islice
from typing import TypeVar

_AHEAD = 4  # items handed out for each worker

In = TypeVar("In")
Out = TypeVar("Out")


def unordered(
    function: Callable[[In], Out], items: Iterable[In], workers: int
) -> Generator[Out, None, None]:
    """`function` of every item, in any order.

    Args:
      function: picklable; sent to each worker once.
      items: picklable; taken as they are needed.
      workers: processes.

    Raises:
      BrokenProcessPool: a worker died.
      Whatever `function` raises.
    """
    left = iter(items)
    # Spawned: a fork of a process with threads (JAX, tqdm) may hang.
    pool = ProcessPoolExecutor(
        workers, multiprocessing.get_context("spawn"), _start_worker, (function,)
    )
    try:
        with _interrupts_ignored():  # inherited, so that Ctrl-C reaches this process alone
            pending = {pool.submit(_work, item) for item in islice(left, _AHEAD * workers)}
        while pending:
            finished, pending = wait(pending, return_when=FIRST_COMPLETED)
            pending |= {pool.submit(_work, item) for item in islice(left, len(finished))}
            for future in finished:
                yield future.result()
    finally:
        pool.shutdown(cancel_futures=True)


_function: Callable  # in a worker process


def _start_worker(function: Callable) -> None:
    global _function
    _function = function
    # A killed parent leaves its workers waiting for ever.
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    if parent := multiprocessing.parent_process():
        parent.join()
    os._exit(1)


def _work(item):
    return _function(item)


@contextlib.contextmanager
def _interrupts_ignored() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
