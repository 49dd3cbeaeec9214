"""Ctrl-C and SIGTERM: the end at once before the first step; asked twice, at any time."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from gaitjax.training.stopping import StopRequest
from tests.helpers import tiny

NUMBERS = [signal.SIGTERM, signal.SIGINT]


@pytest.mark.parametrize("number", NUMBERS)
def test_while_compiling_the_run_ends_at_once(tmp_path, number):
    args = tiny.arguments(tmp_path, "--config.train.steps=500")
    cold = {"JAX_COMPILATION_CACHE_DIR": str(tmp_path / "xla")}
    with tiny.command("gaitjax.train", f"--workdir={tmp_path / 'out'}", *args, **cold) as process:
        for line in process.stdout:
            if line.startswith("compiling "):
                assert str(tmp_path / "xla") in line
                break
        began = time.monotonic()
        process.send_signal(number)
        rest = process.stdout.read()
        assert process.wait() == 128 + number, process.stderr.read()
        assert time.monotonic() - began < 5
    assert f"{number.name} before the first step: nothing to save" in rest
    assert not any((tmp_path / "out" / "checkpoints").glob("[0-9]*"))


# A program that has made a step and is then busy outside Python, as the compiler would be.
BUSY = """
import time, numpy as np
from gaitjax.training.stopping import StopRequest
with StopRequest() as stop:
    stop.first_step_made()
    print("ready", flush=True)
    a = np.ones((6000, 6000))
    while not stop.received: a @ a
    print("asked", stop.received, flush=True)
    if WAIT: [a @ a for _ in range(1000)]
"""


@pytest.mark.parametrize("wait", [False, True])
def test_after_a_step_the_loop_is_asked_and_the_second_request_ends_it(wait):
    code = BUSY.replace("WAIT", str(wait))
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        assert process.stdout.readline() == "asked SIGTERM\n"
        if wait:
            process.send_signal(signal.SIGTERM)
        rest = process.stdout.read()
        assert process.wait() == (128 + signal.SIGTERM if wait else 0)
    assert ("again: ended without saving" in rest) == wait


def test_what_is_saved_may_be_ended_with_status_0(monkeypatch):
    left = []
    monkeypatch.setattr(os, "_exit", left.append)
    with StopRequest() as stop:
        stop.first_step_made()
        with stop.at_once("step 7 is saved"):
            os.kill(os.getpid(), signal.SIGINT)
            for _ in range(100):
                if left:
                    break
                time.sleep(0.01)
    assert left == [0]


def test_handlers_are_given_back():
    before = [signal.getsignal(number) for number in NUMBERS]
    threads = threading.active_count()
    with StopRequest():
        assert [signal.getsignal(number) for number in NUMBERS] != before
    assert [signal.getsignal(number) for number in NUMBERS] == before
    assert threading.active_count() == threads
