"""Memory of the host: how much there is, and freed memory kept for the next step.

A step on the CPU allocates up to gigabytes of scratch space and frees them again. By default
the C library maps each such block anew, and the system clears it page by page: a quarter to
a third of the processor time of a training step.
"""

import contextlib
import ctypes
import functools
import os
import platform
from pathlib import Path

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4  # parameters of mallopt, from malloc.h
ROOM = 2**28  # bytes of the heap, taken from the system when they are used


@functools.cache
def keep_freed() -> bool:
    """Keep freed memory, from now on; True if that is possible (Linux with the GNU C library).

    It is the main thread's memory that is kept: the heaps of other threads cannot hold the large
    blocks. One heap for all threads would hold them too, but what compiling leaves there, in
    thousands of pieces, is searched at every allocation: steps take up to 1.6 times as long.
    The process keeps the memory of its largest step.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    c = ctypes.CDLL(None)
    # Large blocks on the heap too, and nothing given back.
    if not all(c.mallopt(*pair) for pair in ((_MMAP_MAX, 0), (_TRIM_THRESHOLD, -1))):
        return False
    # Room for what is small, below the large blocks. What is allocated between two steps would
    # take the beginning of the block that the first has freed, and the second need another.
    c.malloc.argtypes, c.malloc.restype = [ctypes.c_size_t], ctypes.c_void_p
    c.free.argtypes = [ctypes.c_void_p]
    room, _behind_it = c.malloc(ROOM), c.malloc(2**20)
    c.free(room)
    return True


def give_back() -> None:
    """Give freed memory back to the system now, where `keep_freed` is possible."""
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).malloc_trim(0)


def total() -> int:
    """Bytes of memory of this machine, or of the container this process runs in; 0: not known."""
    try:
        found = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 0
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        with contextlib.suppress(OSError, ValueError):
            found = min(found, int((Path("/sys/fs/cgroup") / name).read_text()))
    return found
