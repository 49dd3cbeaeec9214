"""The table of every command."""

from gaitjax.command import tables

ROWS = [["name", "of", "Rank-1"], ["normal", "a", "7.5"], ["coat", "bc", "12.5"]]


def test_aligned():
    assert tables.aligned(ROWS, left=(0, 1)) == [
        "name    of  Rank-1",
        "normal  a      7.5",
        "coat    bc    12.5",
    ]


def test_markdown():
    assert tables.markdown(ROWS)[:3] == [
        "| name | of | Rank-1 |",
        "| --- | ---: | ---: |",
        "| normal | a | 7.5 |",
    ]
