"""A little of the fuzzer for every format, and what makes its verdicts worth something."""

import os
import pickle

import pytest

from gaitjax.data import readers
from gaitjax.errors import DataError
from gaitjax.untrusted import safe_json
from tests.programs import fuzz, fuzz_formats

COUNT = 60  # of each kind; more: python -m tests.programs.fuzz --count 2000


@pytest.mark.filterwarnings("ignore::RuntimeWarning", "error:.*cast:RuntimeWarning")
@pytest.mark.parametrize("name", fuzz.FORMATS)
def test_no_reader_is_harmed(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    total, refused = fuzz.run(name, COUNT, tmp_path)
    assert total > COUNT
    assert refused > 10 or name == "metrics"  # of which damaged lines are left out


def test_the_canary_would_sing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pickle.loads(fuzz_formats.pickled(fuzz_formats.Hostile()))
    assert (tmp_path / fuzz.CANARY).exists()


def endless(folder):
    while True:
        pass


def greedy(folder):
    return not bytearray(2**28)


def faulty(folder):
    return {}["no such key"]


@pytest.mark.parametrize("read", [endless, greedy, faulty])
def test_a_reader_that_is_harmed_is_seen(read, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(fuzz, "SECONDS", 0.2)
    monkeypatch.setitem(fuzz.FORMATS, "bad", ("x", b"x", read, None))
    with pytest.raises(fuzz.Unsafe):
        fuzz.run("bad", 1, tmp_path)


def test_json_frames_are_bounded(tmp_path):
    path = tmp_path / "x.json"
    with open(path, "wb") as file:
        file.truncate(safe_json.FRAME_LIMIT + 1)
    with pytest.raises(DataError, match="refused above 16 MiB"):
        safe_json.load(path)
    os.mkfifo(tmp_path / "pipe.json")
    with pytest.raises(DataError, match="not an ordinary file"):
        safe_json.load(tmp_path / "pipe.json")
    with pytest.raises(DataError, match="not an ordinary file"):
        readers.read(tmp_path / "pipe.json")


def test_last_of_two_equal_keys_counts():
    assert safe_json.parse(b'\xef\xbb\xbf{"a": 1, "a": 2}', "x") == {"a": 2}
