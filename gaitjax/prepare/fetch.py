"""Downloads that survive a broken line: partial files go on where they stopped."""

import hashlib
import http.client
import os
import time
import urllib.error
import urllib.request
from pathlib import Path

from gaitjax.errors import DataError

_TRIES = 4
_CHUNK = 1 << 16
_PASSING = (408, 429, 500, 502, 503, 504)  # HTTP statuses worth another try


def digest(path: str | os.PathLike) -> str:
    """SHA-256 of a text file with its line ends as \\n, in hexadecimal."""
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    return hashlib.sha256(data.replace(b"\r\n", b"\n")).hexdigest()


def fetch(url: str, path: str | os.PathLike, sha256: str | None = None, pause: float = 2) -> None:
    """Downloads the text file at `url` to `path`, unless it is there.

    What has come is kept as `path`.part and continued (HTTP Range), by a further try or a
    later call; `path` appears whole or not at all.

    Args:
      sha256: what `digest` must give, if known.
      pause: seconds before the second try; each further one waits longer.

    Raises:
      DataError: no connection, an answer that is not the file, another checksum, no space.
    """
    path = Path(path)
    if path.exists():
        return
    if not url.startswith(("http://", "https://")):
        raise DataError(f"{url}: not a web address; expected http://... or https://...")
    part = path.with_name(f"{path.name}.part")
    trouble = ""
    for attempt in range(_TRIES):
        time.sleep(pause * attempt)
        try:
            trouble = _receive(url, part)
        except urllib.error.HTTPError as error:
            trouble = f"HTTP status {error.code} {error.reason}"
            if error.code == 416:  # nothing after what is there: begin again
                part.unlink(missing_ok=True)
            elif error.code not in _PASSING:
                break
        except (urllib.error.URLError, http.client.HTTPException, ConnectionError) as error:
            trouble = str(getattr(error, "reason", error))
        except TimeoutError:
            trouble = "no answer"
        except OSError as error:
            raise DataError(f"{part}: cannot be written: {error.strerror}") from error
        if not trouble:
            break
    if trouble:
        raise DataError(
            f"{url}: {trouble}. Try again (what has come is kept), or fetch the file by other "
            f"means and put it at {path}"
        )
    if sha256 and (found := digest(part)) != sha256:
        part.unlink()
        raise DataError(
            f"{url}: its SHA-256 is {found}, the recorded one {sha256}: damaged on the way or "
            "changed by its owners. Try again"
        )
    os.replace(part, path)


def _receive(url: str, part: Path) -> str:
    """Appends the rest of the file to `part`; says what is still wrong, or ""."""
    part.parent.mkdir(parents=True, exist_ok=True)
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    with urllib.request.urlopen(request, timeout=60) as response:
        resumed = have and response.status == 206
        if resumed and not response.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
            part.unlink()
            return "another part of the file than asked for"
        length = response.headers.get("Content-Length")
        received = 0
        with open(part, "ab" if resumed else "wb") as file:
            while chunk := response.read(_CHUNK):
                file.write(chunk)
                received += len(chunk)
    if length is not None and received < int(length):
        return f"the line broke after {received} of {length} bytes"
    return ""
