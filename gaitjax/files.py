"""Files and folders written whole or not at all, and folders that one run at a time writes in.

A reader never sees half a file: it is written under a name of its own in the same folder, and
moved. Two processes that write the same file both succeed, and the later one's is kept.
"""

import contextlib
import errno
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from gaitjax.errors import DataError

LOCK = ".lock"  # file in a locked folder: who holds it


def expanded(path: str | os.PathLike) -> Path:
    """`path` with `~` and `~user` replaced by the home folder. DataError: no such user."""
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise DataError(f"{path}: {error}; write the folder out") from None


############################################################ written whole


@contextlib.contextmanager
def whole(
    path: str | os.PathLike, sync: bool = True, within: str | os.PathLike | None = None
) -> Iterator[Path]:
    """Gives a temporary path for any writer; it becomes `path` when the block ends.

    After any failure, an interrupt included, `path` is what it was and nothing else is left.

    Args:
      path: its folder is made if missing; an existing file is replaced.
      sync: also wait until the bytes are on the disk, so that a power cut leaves the old file or
        the new one.
      within: folder for the temporary file, on the same disk; default: that of `path`.
    Raises:
      OSError: names `path`, also where the disk is full.
    """
    path = Path(path)
    temporary = _beside(path)
    temporary = Path(within, temporary.name) if within else temporary
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        if sync and not temporary.is_symlink():
            with open(temporary, "r+b") as file:  # Windows cannot sync what is open for reading
                os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        if error.errno and error.filename in (None, str(temporary)):
            error.filename, error.filename2 = str(path), None
        raise
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


@contextlib.contextmanager
def whole_folder(path: str | os.PathLike) -> Iterator[Path]:
    """Gives a temporary folder to fill; it becomes `path` when the block ends.

    After any failure nothing of it is left.

    Raises:
      OSError: `path` exists and is not an empty folder.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _beside(path)
    temporary.mkdir()
    try:
        yield temporary
        if os.name == "nt" and path.is_dir():
            path.rmdir()  # there, a folder replaces nothing
        os.replace(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _beside(path: Path) -> Path:
    # The suffix stays: writers of arrays and figures go by it.
    return path.with_name(f".{path.stem[:60]}.{uuid.uuid4().hex}{path.suffix}")


def write_bytes(path: str | os.PathLike, data: bytes, sync: bool = True) -> None:
    """`path` holds `data`, whole or not at all."""
    with whole(path, sync) as temporary:
        temporary.write_bytes(data)


def write_text(path: str | os.PathLike, text: str) -> None:
    """`path` holds `text` in UTF-8 with plain newlines, whole or not at all."""
    write_bytes(path, text.encode())


def write_json(path: str | os.PathLike, value, indent: int | None = 1) -> None:
    """`path` holds `value` as JSON, whole or not at all."""
    write_text(path, json.dumps(value, indent=indent) + "\n")


def write_npz(path: str | os.PathLike, arrays: Mapping[str, np.ndarray]) -> None:
    """`path`, which ends in .npz, holds `arrays` by name, whole or not at all."""
    # Looked at here, for `allow_pickle` is no option but one more array before NumPy 2.2.
    if objects := [name for name, array in arrays.items() if np.asarray(array).dtype.hasobject]:
        raise ValueError(f"{path}: {objects[0]} is an array of objects, which would be a pickle")
    with whole(path) as temporary:
        named: dict[str, Any] = dict(arrays)
        np.savez(temporary, **named)


def write_link(path: str | os.PathLike, target: str) -> None:
    """`path` is a symbolic link to `target`, replacing what was there."""
    with whole(path) as temporary:
        os.symlink(target, temporary)


############################################################ one run at a time


@contextlib.contextmanager
def lock(folder: str | os.PathLike, name: str = LOCK) -> Iterator[None]:
    """`folder` is made if missing, and is ours alone inside the block.

    The file `.lock` in it says who holds it. The system's own lock on that file ends with the
    process, so what a killed run leaves is taken over. File systems without locks are said; there
    the file alone counts, and a run of this machine that is gone is told by its process id and
    start time.

    Args:
      name: of that file, where not all of the folder is meant.
    Raises:
      DataError: another run holds it; one line that names the process, its machine and command.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    descriptor = _locked(path)
    if descriptor is None:
        _create_owned(path)
    try:
        if descriptor is not None:
            os.ftruncate(descriptor, 0)
            os.write(descriptor, _myself())
        yield
    finally:
        # Removed before it is unlocked: who waits for it sees that it is another file.
        with contextlib.suppress(OSError):
            path.unlink()
        if descriptor is not None:
            os.close(descriptor)
        with contextlib.suppress(OSError):
            path.unlink() if os.name == "nt" else None  # there, only what is closed


def _locked(path: Path) -> int | None:
    """An open and locked `path`; None where the file system has no locks."""
    while True:
        made = not path.exists()
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            _system_lock(descriptor)
            if _same_file(descriptor, path):
                return descriptor
            os.close(descriptor)  # its holder has just ended and removed it
        except (BlockingIOError, PermissionError):
            os.close(descriptor)
            raise _held(path) from None
        except (OSError, ImportError) as error:
            os.close(descriptor)
            if made:
                path.unlink(missing_ok=True)
            print(
                f"note: {path.parent}: no locks on this file system ({error}); another machine's "
                "run there is seen by its .lock file alone",
                file=sys.stderr,
            )
            return None


def _system_lock(descriptor: int) -> None:
    """Locks the open file, or raises BlockingIOError or PermissionError if another has."""
    if sys.platform == "win32":
        import msvcrt

        os.lseek(descriptor, 1 << 30, os.SEEK_SET)  # far from the text, which others may read
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        os.lseek(descriptor, 0, os.SEEK_SET)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _same_file(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except FileNotFoundError:
        return False


def _create_owned(path: Path) -> None:
    """Makes `path` ours where there are no locks. DataError: a run that lives has it."""
    while True:
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        except FileExistsError:
            if not _gone(_owner(path)):
                raise _held(path) from None
            aside = _beside(path)
            with contextlib.suppress(FileNotFoundError):
                os.rename(path, aside)  # two who take it over do not remove each other's
                if not _gone(_owner(aside)):
                    os.rename(aside, path)
                    raise _held(path) from None
                aside.unlink()
            continue
        os.write(descriptor, _myself())
        os.close(descriptor)
        return


def _myself() -> bytes:
    owner = {
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "started": _started(os.getpid()),
        "since": time.strftime("%Y-%m-%d %H:%M"),
        "command": " ".join(sys.argv)[:300],
    }
    return json.dumps(owner).encode()


def _owner(path: Path) -> dict:
    try:
        owner = json.loads(path.read_bytes()[:2000])
    except (OSError, ValueError, RecursionError):
        return {}
    return owner if isinstance(owner, dict) else {}


def _held(path: Path) -> DataError:
    owner = _owner(path)
    who = (
        f"process {owner.get('pid')} on {owner.get('host')} since {owner.get('since')} "
        f"({str(owner.get('command'))[:300]})"
        if owner
        else "another process"
    )
    return DataError(
        f"{path.parent}: another run is writing there: {who}. Wait for it or stop it, or give "
        f"another folder; if it is gone for certain, delete {path}"
    )


def _gone(owner: dict) -> bool:
    """Whether the owner was a process of this machine that has ended."""
    pid = owner.get("pid")
    if owner.get("host") != socket.gethostname() or type(pid) is not int or not 0 < pid < 2**31:
        return False
    if os.name == "nt":  # there, asking by os.kill would end it
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except OSError as error:
        return error.errno == errno.ESRCH
    return _started(pid) != owner.get("started")


def _started(pid: int) -> str:
    """When a process began, as its system tells it: a process id is given out again later."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        pass
    try:
        command = ["ps", "-o", "lstart=", "-p", str(pid)]
        return subprocess.run(command, capture_output=True, text=True, timeout=10).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""
