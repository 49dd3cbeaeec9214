"""Windows and macOS, imitated: modules and calls that they lack are taken away."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).parents[1]

WINDOWS = """
import builtins, os, sys
absent = {"fcntl", "resource", "grp", "pwd", "termios", "tty", "pty", "posix_ipc", "syslog"}
real = builtins.__import__
ours = lambda frame: os.path.realpath(frame.f_code.co_filename).startswith(ROOT)
def without(name, *args, **more):
    if name.partition(".")[0] in absent and ours(sys._getframe(1)):
        raise ImportError(f"No module named {name!r}, as on Windows")
    return real(name, *args, **more)
builtins.__import__ = without
opened = os.open
def no_folders(path, *args, **more):
    if isinstance(path, (str, os.PathLike)) and os.path.isdir(path) and ours(sys._getframe(1)):
        raise PermissionError(13, "Permission denied", str(path))
    return opened(path, *args, **more)
os.open = no_folders
"""


def imitated(program: str, *arguments: str) -> subprocess.CompletedProcess:
    """Runs `program` where our own code finds what Windows has."""
    lines = f"ROOT = {str(ROOT / 'gaitjax')!r}\n" + WINDOWS + textwrap.dedent(program)
    return subprocess.run(
        [sys.executable, "-c", lines, *arguments],
        cwd=ROOT,
        env=os.environ | {"JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_every_module_imports_where_these_are_missing():
    run = imitated("""
        import importlib, pkgutil
        import configs, converters, gaitjax
        from gaitjax.errors import DataError
        for package in (gaitjax, configs, converters):
            for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
                if not module.name.endswith("__main__"):
                    try:
                        importlib.import_module(module.name)
                    except DataError as error:  # an extra that is not installed
                        assert "pip install" in str(error), error
    """)
    assert run.returncode == 0, run.stderr[-2000:]


def test_files_are_written_and_locked_there(tmp_path):
    run = imitated(
        """
        import sys
        from gaitjax import files
        from gaitjax.errors import DataError
        folder = sys.argv[1]
        with files.lock(folder):
            files.write_json(folder + "/a.json", {"a": 1})
            try:
                with files.lock(folder):
                    print("twice")
            except DataError as error:
                print("refused", error)
        """,
        str(tmp_path),
    )
    assert run.returncode == 0, run.stderr[-2000:]
    assert run.stdout.startswith("refused ")
    assert "no locks on this file system" in run.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_the_imitation_takes_away():
    assert imitated("import sys; sys.path.insert(0, ROOT); import fcntl").returncode == 0
    run = imitated(
        "exec(compile('import fcntl', ROOT + '/x.py', 'exec'))"  # as if it were one of our files
    )
    assert run.returncode and "as on Windows" in run.stderr
