"""The largest batch whose training step a device can hold, by its compiler's word."""

import math
from collections.abc import Callable

from ml_collections import ConfigDict

from gaitjax.errors import TrainingError
from gaitjax.performance import compile_for, devices, memory

TRIES = 6  # programs compiled at most
CLOSE = 0.06  # of the batch: closer is not looked for


def largest_batch(
    config: ConfigDict,
    device: str,
    say: Callable[[str], None] = print,
    first: dict | None = None,
    limit: float = compile_for.LIMIT,
) -> tuple[int, dict]:
    """(sequences, what `compile_for` found at that batch); 0 sequences if none fits.

    The memory of a step is taken to grow in a straight line between the batches tried so far,
    until one that fits and one that does not lie close together.

    Args:
      first: what was found at the config's own batch, if that is known.
    Raises:
      TrainingError: a step does not compile for another reason.
    """
    room = devices.usable(device)
    unit = math.lcm(8, config.train.per_identity or 1)
    holds: dict[int, float] = {0: 0.0}  # bytes by batch; infinite where the compiler gave up
    fitting = (0, {})

    def attempt(n: int, found: dict | None) -> None:
        nonlocal fitting
        tried = config.copy_and_resolve_references()
        tried.train.batch_size = n
        found = found or compile_for.compile_for(tried, device, limit=limit)
        if "error" in found and "RESOURCE_EXHAUSTED" not in found["error"]:
            raise TrainingError(f"batch {n} for {devices.DEVICES[device].title}: {found['error']}")
        holds[n] = found.get("memory", 0) or math.inf
        fits = "error" not in found and holds[n] <= room
        if "error" in found:
            holds[n] = max(holds[n], room + 1)
        if fits and n > fitting[0]:
            fitting = n, found
        amount = memory.gib(holds[n]) if math.isfinite(holds[n]) else "too much"
        say(f"  batch {n:,}: {amount}, {'fits' if fits else 'does not fit'}")

    attempt(config.train.batch_size, first)
    for _ in range(TRIES - 1):
        low = max(n for n, size in holds.items() if size <= room)
        high = min((n for n, size in holds.items() if size > room), default=0)
        if high and high - low <= max(unit, CLOSE * low):
            break
        guess = _guess(holds, low, high, room) // unit * unit
        guess = max(guess, low + unit)
        attempt(min(guess, high - unit) if high else guess, None)
    return fitting


def _guess(holds: dict[int, float], low: int, high: int, room: int) -> int:
    """Where a straight line through the two batches around `room` meets it."""
    if not high:  # everything fits so far: through the two largest, and at most four times more
        below = sorted(holds)[-2]
        slope = (holds[low] - holds[below]) / (low - below)
        return min(int(low + (room - holds[low]) / slope), 4 * low) if slope > 0 else 4 * low
    if not math.isfinite(holds[high]):
        return (low + high) // 2
    return int(low + (room - holds[low]) / (holds[high] - holds[low]) * (high - low))
