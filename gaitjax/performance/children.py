"""Work done in a process of its own, which may crash, hang or take a device's whole memory."""

import contextlib
import importlib
import json
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

from ml_collections import ConfigDict


def lines(module: str, job: dict, limit: float, environment: dict | None = None) -> Iterator[dict]:
    """What `python -m module` prints for `job` (JSON on its input): an object a line, as they come.

    Killed when `limit` seconds have passed. The last object is {"error": ...}, one line, if it
    did not end well.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", module],
        text=True,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin and process.stdout and process.stderr, "they are pipes"
    stdin, stderr = process.stdin, process.stderr
    said: queue.Queue = queue.Queue()
    errors: list[str] = []
    readers = [
        threading.Thread(target=_read, args=(process.stdout, said.put), daemon=True),
        threading.Thread(target=lambda: errors.extend(stderr), daemon=True),
    ]
    for reader in readers:
        reader.start()
    end = time.monotonic() + limit
    try:
        with contextlib.suppress(BrokenPipeError):
            stdin.write(json.dumps(job))
            stdin.close()
        while (line := said.get(timeout=max(0.0, end - time.monotonic()))) is not None:
            with contextlib.suppress(ValueError):  # libraries print what they like
                yield json.loads(line)
        if process.wait(timeout=10):
            readers[1].join(1)
            yield {"error": f"ended with status {process.returncode}: {_reason(errors)}"}
    except (queue.Empty, subprocess.TimeoutExpired):
        yield {"error": f"not done after {limit:.0f} s, and killed"}
    finally:
        process.kill()
        process.wait()


def config_of(job: dict) -> ConfigDict:
    """The config in a job; the module of a network of one's own is imported."""
    config = ConfigDict(job["config"])
    module, colon, _ = config.model.name.partition(":")
    if colon:
        importlib.import_module(module)
    return config


def _read(stream, put) -> None:
    for line in stream:
        put(line)
    put(None)


def _reason(errors: list[str]) -> str:
    """The line that tells most: of a failed check, else the last."""
    failed = [line for line in errors if "Check failed" in line]
    return (failed + [line for line in reversed(errors) if line.strip()] + ["nothing said"])[
        0
    ].strip()[:300]
