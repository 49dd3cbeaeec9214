"""Files written whole, and folders that one run at a time writes in."""

import errno
import json
import os
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from gaitjax import files
from gaitjax.errors import DataError

no_os_locks = pytest.mark.skipif(os.name == "nt", reason="asks by os.kill")


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError, OSError])
def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path, error):
    path = tmp_path / "a.txt"
    files.write_text(path, "old\n")
    with pytest.raises(error), files.whole(path) as temporary:
        temporary.write_text("new")
        raise error("stop")
    assert path.read_text() == "old\n"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_writers_of_every_kind(tmp_path):
    files.write_text(tmp_path / "new" / "a.txt", "ä\n")
    files.write_json(tmp_path / "b.json", {"a": [1, 2]}, indent=None)
    files.write_npz(tmp_path / "c.npz", {"x": np.arange(3)})
    files.write_link(tmp_path / "d", "a.txt")
    assert (tmp_path / "new" / "a.txt").read_bytes() == b"\xc3\xa4\n"
    assert (tmp_path / "b.json").read_text() == '{"a": [1, 2]}\n'
    assert np.load(tmp_path / "c.npz")["x"].tolist() == [0, 1, 2]
    assert os.readlink(tmp_path / "d") == "a.txt"
    assert sorted(os.listdir(tmp_path)) == ["b.json", "c.npz", "d", "new"]


def test_many_writers_of_one_file_do_not_collide(tmp_path):
    path = tmp_path / "a.txt"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: files.write_text(path, str(i) * 100_000), range(64)))
    text = path.read_text()
    assert len(set(text)) <= 2 and text in {str(i) * 100_000 for i in range(64)}
    assert os.listdir(tmp_path) == ["a.txt"]


def test_the_error_names_the_file_not_the_temporary_one(tmp_path):
    with pytest.raises(OSError) as caught, files.whole(tmp_path / "a.txt"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert caught.value.filename == str(tmp_path / "a.txt")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError) as caught:
        files.write_text(tmp_path / "folder", "text")
    assert caught.value.filename == str(tmp_path / "folder")


def test_a_folder_is_made_whole(tmp_path):
    with pytest.raises(KeyboardInterrupt), files.whole_folder(tmp_path / "a") as temporary:
        (temporary / "half").write_text("")
        raise KeyboardInterrupt
    assert os.listdir(tmp_path) == []
    with files.whole_folder(tmp_path / "a") as temporary:
        (temporary / "x").write_text("")
    assert os.listdir(tmp_path / "a") == ["x"]
    with pytest.raises(OSError), files.whole_folder(tmp_path / "a"):
        pass
    assert os.listdir(tmp_path) == ["a"]


def test_home_folders_are_expanded(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert files.expanded("~/x") == tmp_path / "x"
    with pytest.raises(DataError, match="~nobody-of-this-name"):
        files.expanded("~nobody-of-this-name/x")


@pytest.fixture(params=["locks", "no locks"])
def system(request, monkeypatch):
    """With the system's locks, and on a file system without."""
    if request.param == "no locks":

        def refuse(descriptor):
            raise OSError(errno.ENOLCK, "No locks available")

        monkeypatch.setattr(files, "_system_lock", refuse)
    return request.param


def test_a_second_run_is_refused_in_one_line_that_names_the_first(tmp_path, system, capsys):
    with files.lock(tmp_path / "out"):
        for _ in range(2):  # a refusal takes nothing from who holds it
            with pytest.raises(DataError) as caught, files.lock(tmp_path / "out"):
                pass
            assert f"process {os.getpid()} on " in str(caught.value)
            assert "\n" not in str(caught.value)
            assert (tmp_path / "out" / files.LOCK).exists()
    with files.lock(tmp_path / "out"):
        pass
    assert os.listdir(tmp_path / "out") == []
    assert ("no locks on this file system" in capsys.readouterr().err) == (system == "no locks")


@no_os_locks
def test_what_a_dead_run_left_is_taken_over(tmp_path, system):
    path = tmp_path / files.LOCK
    mine = json.loads(files._myself())
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    for owner in (mine | {"pid": ended.pid}, mine | {"started": "another time"}):
        path.write_text(json.dumps(owner))
        with files.lock(tmp_path):
            assert json.loads(path.read_text()) == mine
        assert os.listdir(tmp_path) == []


@no_os_locks
def test_without_locks_only_a_run_known_to_be_gone_is_taken_over(tmp_path, system):
    if system == "locks":
        pytest.skip("there the system says who lives")
    path = tmp_path / files.LOCK
    mine = json.loads(files._myself())
    for left in (json.dumps(mine), json.dumps(mine | {"host": "elsewhere"}), "", "[1]", "{cut"):
        path.write_text(left)
        with pytest.raises(DataError, match=r"delete .*\.lock"), files.lock(tmp_path):
            pass
        assert path.read_text() == left


def test_one_of_many_processes_gets_the_lock_and_a_killed_one_frees_it(tmp_path):
    program = textwrap.dedent("""
        import sys, time
        from gaitjax import files
        try:
            with files.lock(sys.argv[1]):
                print("mine", flush=True)
                time.sleep(60)
        except ValueError as error:
            print("refused", flush=True)
    """)
    start = lambda: subprocess.Popen(  # noqa: E731
        [sys.executable, "-c", program, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[1],
    )
    runs = [start() for _ in range(4)]
    said = [run.stdout.readline().strip() for run in runs]
    try:
        assert sorted(said) == ["mine", "refused", "refused", "refused"]
    finally:
        for run in runs:
            run.kill()
            run.wait()
    with files.lock(tmp_path):
        pass
