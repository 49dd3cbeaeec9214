"""What a device holds, and what to say when it is not enough."""

import contextlib
import platform
import re
from collections.abc import Iterator

import jax

from gaitjax import sharding
from gaitjax.errors import TrainingError
from gaitjax.performance.cost import Cost

_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


def largest() -> float:
    """Largest memory of the process so far in MiB: of the device, or on the CPU the host's."""
    stats = jax.devices()[0].memory_stats()
    if stats and "peak_bytes_in_use" in stats:
        return stats["peak_bytes_in_use"] / 2**20
    try:
        import resource
    except ImportError:  # Windows
        return 0.0
    unit = 1 if platform.system() == "Darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


def asked(message: str) -> int:
    """Bytes that a RESOURCE_EXHAUSTED of XLA says were asked for; 0 where it does not."""
    if found := re.search(r"allocat\w*\s+(\d+)\s*bytes", message):
        return int(found[1])
    found = re.search(
        r"(?:Used|allocat\w*|total memory required[^(]*\()\s*([\d.]+)([KMGT]?)", message
    )
    return int(float(found[1]) * _UNITS[found[2]]) if found else 0


def gib(count: float) -> str:
    """Bytes as text."""
    return f"{count / 2**30:,.1f} GiB"


@contextlib.contextmanager
def explained(what: str, device: jax.Device, advice: str) -> Iterator[None]:
    """Inside, XLA's want of memory becomes one line: what was asked, what there is, what to change.

    Raises:
      TrainingError: in the place of a RESOURCE_EXHAUSTED, while compiling or while running.
    """
    try:
        yield
    except (jax.errors.JaxRuntimeError, MemoryError) as error:
        if isinstance(error, jax.errors.JaxRuntimeError) and "RESOURCE_EXHAUSTED" not in str(error):
            raise
        raise _too_little(what, asked(str(error)), device, advice) from error


def check(what: str, cost: Cost, device: jax.Device, advice: str) -> None:
    """TrainingError if a program needs more than its device has in all, before it is tried.

    A CPU's system promises memory that is not there, and ends the process when it is used.
    """
    needs, there = cost.arguments + cost.scratch, sharding.memory_of(device)
    if there and needs > there:
        raise _too_little(what, needs, device, advice)


def _too_little(what: str, needs: int, device: jax.Device, advice: str) -> TrainingError:
    there = sharding.memory_of(device)
    number = f" asked for {gib(needs)}" if needs else " does not fit"
    has = f", which has {gib(there)} in all" if there else ""
    return TrainingError(f"out of memory: {what}{number} on {device.device_kind}{has}; {advice}")
