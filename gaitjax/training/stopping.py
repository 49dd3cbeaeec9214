"""Ctrl-C and SIGTERM while training: the end at once where nothing is lost, else save first."""

import contextlib
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator

import jax

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class StopRequest:
    """Hears the signals from its beginning to its end; `received` names one that waits.

    A request ends the process at once (exit status 130 or 143) until `first_step_made`; after
    that it waits until the training loop has saved. Asked twice, the process always ends at once.

    A thread listens: the main one may be inside the compiler for minutes, and Python runs
    handlers there only when it comes back. With jax.distributed running, its preemption service
    listens instead (orbax asks it).
    """

    def __init__(self):
        self.received = ""
        # Exit status (None: as after the signal) and words of an end at once.
        self._end: tuple[int | None, str] | None = (None, "before the first step: nothing to save")
        self._old = {}

    def __enter__(self) -> "StopRequest":
        in_main = threading.current_thread() is threading.main_thread()
        if in_main and not jax.distributed.is_initialized():
            self._heard, self._wake = socket.socketpair()
            self._wake.setblocking(False)
            for number in SIGNALS:
                self._old[number] = signal.signal(number, lambda *_: None)
            self._old_wake = signal.set_wakeup_fd(self._wake.fileno(), warn_on_full_buffer=False)
            self._listener = threading.Thread(target=self._listen, name="signals", daemon=True)
            self._listener.start()
        return self

    def __exit__(self, *_) -> None:
        if self._old:
            signal.set_wakeup_fd(self._old_wake)
            for number, handler in self._old.items():
                signal.signal(number, handler)
            self._wake.close()  # which ends the listener
            self._listener.join()
            self._heard.close()

    def _listen(self) -> None:
        while heard := self._heard.recv(1):
            if heard[0] in SIGNALS:
                self._handle(signal.Signals(heard[0]))

    def _handle(self, number: signal.Signals) -> None:
        if self._end is not None:
            status, why = self._end
            _leave(f"{number.name} {why}", 128 + number if status is None else status)
        if self.received:
            _leave(f"{number.name} again: ended without saving", 128 + number)
        self.received = number.name
        print(f"{number.name}: saving soon; once more ends at once", file=sys.stderr, flush=True)

    def first_step_made(self) -> None:
        """From now on there is something to lose: requests wait for the loop."""
        self._end = None

    @contextlib.contextmanager
    def at_once(self, why: str) -> Iterator[None]:
        """Inside, a request ends the process with status 0: what `why` tells is already saved."""
        before, self._end = self._end, (0, why)
        try:
            yield
        finally:
            self._end = before


def _leave(line: str, status: int) -> None:
    print(line, flush=True)
    sys.stderr.flush()
    os._exit(status)
