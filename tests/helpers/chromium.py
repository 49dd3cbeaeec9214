"""A page in a headless Chromium, led through two pipes by its DevTools protocol: no driver."""

import base64
import contextlib
import itertools
import json
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
BROWSER = next(filter(None, map(shutil.which, NAMES)), None)


class Page:
    """A tab of a running browser."""

    def __init__(self, commands: int, answers: int):
        self._commands, self._answers = commands, os.fdopen(answers, "rb", buffering=0)
        self._number, self._rest, self._session = itertools.count(1), b"", {}
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        attached = self.send("Target.attachToTarget", targetId=target, flatten=True)
        self._session = {"sessionId": attached["sessionId"]}

    def send(self, method: str, **params) -> dict[str, Any]:
        """The answer to a command of the protocol."""
        number = next(self._number)
        command = {"id": number, "method": method, "params": params, **self._session}
        os.write(self._commands, json.dumps(command).encode() + b"\0")
        while (answer := self._next()).get("id") != number:
            pass  # an event
        assert "error" not in answer, f"{method}: {answer['error']['message']}"
        return answer["result"]

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            read = self._answers.read(65536)
            assert read, "the browser has ended"
            self._rest += read
        answer, _, self._rest = self._rest.partition(b"\0")
        return json.loads(answer)

    def run(self, script: str) -> Any:
        """The value of a JavaScript expression."""
        found = self.send("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def wait(self, script: str, seconds: float = 60) -> Any:
        """The value of an expression as soon as it is true."""
        until = time.monotonic() + seconds
        while not (found := self.run(script)):
            assert time.monotonic() < until, f"{script} is still {found!r}"
            time.sleep(0.1)
        return found

    def open(self, address: str) -> None:
        self.send("Page.navigate", url=address)
        self.wait("document.readyState == 'complete' && location.href != 'about:blank'")

    def choose(self, selector: str, *files: Path) -> None:
        """Gives files to an <input type=file>, as a user would."""
        root = self.send("DOM.getDocument")["root"]["nodeId"]
        node = self.send("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.send("DOM.setFileInputFiles", nodeId=node, files=[str(f.resolve()) for f in files])

    def picture(self) -> bytes:
        """A PNG of the window."""
        return base64.b64decode(self.send("Page.captureScreenshot", format="png")["data"])


@contextlib.contextmanager
def page(folder: Path, size: tuple[int, int] = (900, 700)) -> Iterator[Page]:
    """A tab of a browser of its own, with its profile in `folder`."""
    read, write, answers, answering = *os.pipe(), *os.pipe()
    command = [
        *("bash", "-c", f'exec "$@" 3<&{read} 4>&{answering}', "bash", BROWSER, "--headless=new"),
        *("--remote-debugging-pipe", f"--user-data-dir={folder}", "--no-sandbox"),
        *(f"--window-size={size[0]},{size[1]}", "--disable-gpu", "about:blank"),
    ]
    kept = dict(pass_fds=(read, answering), stderr=subprocess.DEVNULL, start_new_session=True)
    with subprocess.Popen(command, **kept) as process:
        os.close(read), os.close(answering)
        try:
            yield Page(write, answers)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            os.close(write)


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address under which the files of `folder` are served, on this machine alone."""

    class Quiet(SimpleHTTPRequestHandler):
        extensions_map = SimpleHTTPRequestHandler.extensions_map | {".mjs": "text/javascript"}

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
