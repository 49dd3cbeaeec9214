"""Batches made ahead of their use, in another thread."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor


def prefetch(
    make_batch: Callable[[int], object], start: int, stop: int, depth: int = 2
) -> Iterator:
    """Yields make_batch(start), ..., make_batch(stop - 1), made ahead in another thread.

    At most `depth` batches are ready or in the making beside the one in use. What
    `make_batch` raises is raised here, in the place of its batch. Closing the generator
    waits for the batch in the making and drops the rest.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="prefetch") as worker:
        ahead = min(start + depth, stop)
        pending = deque(worker.submit(make_batch, t) for t in range(start, ahead))
        try:
            for t in range(start, stop):
                batch = pending.popleft().result()
                if t + depth < stop:
                    pending.append(worker.submit(make_batch, t + depth))
                yield batch
        finally:
            for future in pending:
                future.cancel()
