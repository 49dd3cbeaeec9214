"""One table, for a terminal and for Markdown. Rows are texts, the heading is the first row."""

from collections.abc import Sequence


def aligned(rows: Sequence[Sequence[str]], left: Sequence[int] = (0,)) -> list[str]:
    """Lines with every column as wide as its widest cell.

    Args:
      rows: all of one length.
      left: columns written to the left; the others, numbers, to the right.

    >>> aligned([["", "Rank-1"], ["normal", "7.50"]])
    ['        Rank-1', 'normal    7.50']
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if i in left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def markdown(rows: Sequence[Sequence[str]], left: Sequence[int] = (0,)) -> list[str]:
    """The same as lines of a Markdown table.

    >>> markdown([["name", "Rank-1"], ["normal", "7.50"]])
    ['| name | Rank-1 |', '| --- | ---: |', '| normal | 7.50 |']
    """
    rule = ["---" if i in left else "---:" for i in range(len(rows[0]))]
    return [f"| {' | '.join(row)} |" for row in (rows[0], rule, *rows[1:])]
