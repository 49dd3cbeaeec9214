"""Progress of long work, where there is no terminal."""

import pytest

from gaitjax import progress


@pytest.mark.parametrize("seconds, lines", [(0, 3), (1e9, 0)])
def test_plain_lines_say_rate_and_time_left(monkeypatch, capsys, seconds, lines):
    monkeypatch.setattr(progress, "SECONDS", seconds)
    clock = iter(range(0, 600, 60))
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    assert list(progress.each("abc", 10, "reading", done=4)) == ["a", "b", "c"]
    said = capsys.readouterr().err.splitlines()
    assert len(said) == lines
    if lines:
        assert said[-1] == "reading: 7 of 10 sequences, 0.0 a second, 3.0 minutes left"
