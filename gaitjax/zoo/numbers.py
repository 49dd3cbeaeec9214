"""Every number that we compare with or have measured, from numbers.json beside this file.

The tables of README and docs are made from it (`python docs/make_tables.py`). To enter a number,
add a line: what `python -m gaitjax.zoo reproduce` writes to reproduction.json has the fields.
"""

import functools
import json
from pathlib import Path
from typing import NamedTuple

PATH = Path(__file__).with_name("numbers.json")


class Number(NamedTuple):
    """One score, in percent.

    Attributes:
      config: the packaged config; or what else was measured, in words.
      protocol: of the evaluation.
      score: its name in the record of the evaluation, as "Rank-1".
      variant: what was changed: a field with its value, or an option of the preparation.
      published: what others have published; `by` whom.
      ours: what we have measured; with what weights at random give (`untrained`), and chance.
      interval: 95 % of bootstrap samples over identities; None where it was not kept.
      seeds: of the runs, or of the random test windows, that `ours` is the mean of.
      commit: of this repository, at which it was measured or first recorded.
    """

    config: str
    protocol: str
    score: str
    variant: str = ""
    by: str = ""
    published: float | None = None
    ours: float | None = None
    untrained: float | None = None
    chance: float | None = None
    interval: tuple[float, float] | None = None
    seeds: tuple[int, ...] = ()
    commit: str = ""


@functools.cache
def read() -> tuple[Number, ...]:
    """All numbers, in the order of the file."""
    return tuple(Number(**line) for line in json.loads(PATH.read_text(encoding="utf-8")))


def of(config: str, variant: str = "") -> dict[str, Number]:
    """The numbers of a config by score.

    >>> of("gaitgraph2_grew")["Rank-1"].published
    34.61
    """
    return {n.score: n for n in read() if (n.config, n.variant) == (config, variant)}


def published(config: str, by: str) -> dict[str, float]:
    """Published numbers of a config by protocol."""
    of = (n for n in read() if (n.config, n.by) == (config, by))
    return {n.protocol: n.published for n in of if n.published is not None}
