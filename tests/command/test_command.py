"""Every command ends with one line for what a user can mend."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gaitjax import command
from gaitjax.errors import ConfigError, DataError, GaitjaxError, TrainingError, WeightsError


def ends(error, capsys, *arguments):
    def main(argv):
        raise error

    status = command.run(main, list(arguments))
    return status, capsys.readouterr().err


@pytest.mark.parametrize("kind", [ConfigError, DataError, TrainingError, WeightsError])
def test_our_errors_are_one_line(kind, capsys):
    assert issubclass(kind, GaitjaxError)
    assert ends(kind("x: is wrong"), capsys) == (1, "error: x: is wrong\n")
    status, said = ends(kind("x: is wrong"), capsys, "--debug")
    assert status == 1 and "Traceback" in said and said.endswith("error: x: is wrong\n")


def caused(cause):
    error = ValueError("state cannot be written")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    "error, said",
    [
        (OSError(errno.ENOSPC, "No space left on device", "out/a"), "out/a: No space left"),
        (caused(OSError(errno.ENOSPC, "No space left on device")), "No space left on device; free"),
        (ValueError("DATA_LOSS: write: No space left on device [code]"), "no space left on the"),
        (PermissionError(errno.EACCES, "Permission denied", "d"), "d: Permission denied; ask"),
        (FileNotFoundError(errno.ENOENT, "No such file", "d"), "d: No such file; check"),
        (MemoryError("Unable to allocate 9 GiB"), "out of memory (Unable to allocate 9 GiB);"),
        (RuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 9 bytes\nmore"), "out of mem"),
    ],
)
def test_the_system_is_told_in_one_line(error, said, capsys):
    status, printed = ends(error, capsys)
    assert status == 1
    assert printed.startswith(f"error: {said}") and printed.count("\n") == 1


def test_ctrl_c_and_status(capsys):
    assert ends(KeyboardInterrupt(), capsys) == (130, "\ninterrupted\n")
    assert command.run(lambda argv: None, []) == 0
    assert command.run(lambda argv: 2, []) == 2


def test_a_fault_of_ours_keeps_its_traceback():
    def main(argv):
        return {}["no such key"]

    with pytest.raises(KeyError):
        command.run(main, [])


def test_a_reader_that_ends_is_no_error():
    program = (
        "import sys; from gaitjax import command\n"
        "def main(argv):\n    for i in range(10**6): print(i)\n"
        "sys.exit(command.run(main, []))"
    )
    run = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    run.stdout.readline()
    run.stdout.close()
    assert run.stderr.read() == b""
    assert run.wait() == 141


def test_paths_know_the_home_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    parser = command.parser("about", "python -m x")
    parser.add_argument("--output", type=command.path)
    assert parser.parse_args(["--output", "~/a"]).output == tmp_path / "a"
    assert os.fspath(parser.parse_args(["--output", "a"]).output) == "a"
    with pytest.raises(SystemExit):
        parser.parse_args(["--output", ""])


def test_options_of_earlier_versions_are_taken_with_a_word(capsys):
    given = ["reproduce", "--data_root=a", "--data_root", "b", "x=--data_root"]
    spelt = command.respelled(given, {"--data_root": "--config.data.root"})
    assert spelt == [
        "reproduce", "--config.data.root=a", "--config.data.root", "b", "x=--data_root"
    ]  # fmt: skip
    said = capsys.readouterr().err.splitlines()
    assert said == ["note: --data_root is now spelt --config.data.root; the old one will go"] * 2
