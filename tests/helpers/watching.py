"""What the kernel says of a process, again and again until it ends. Linux only: it reads /proc."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


class Look(NamedTuple):
    """A process at one moment.

    Attributes:
      seconds: since the first look.
      memory: resident bytes, of which `anonymous` are its own and the others pages of files.
      descriptors, threads: how many are open, or run.
    """

    seconds: float
    memory: int
    anonymous: int
    descriptors: int
    threads: int


def watch(process: subprocess.Popen, every: float = 1.0) -> Iterator[Look]:
    """Looks at the process, one every so many seconds, until it ends."""
    begin, proc = time.monotonic(), Path("/proc") / str(process.pid)
    while process.poll() is None:
        time.sleep(every)
        try:
            status = dict(line.split(":", 1) for line in (proc / "status").read_text().splitlines())
            descriptors = len(list((proc / "fd").iterdir()))
        except OSError:
            return
        if "VmRSS" in status:  # not between its end and our learning of it
            memory, own = (int(status[name].split()[0]) << 10 for name in ("VmRSS", "RssAnon"))
            seconds = time.monotonic() - begin
            yield Look(seconds, memory, own, descriptors, int(status["Threads"]))
