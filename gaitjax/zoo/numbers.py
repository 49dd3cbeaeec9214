"""Every number that we compare with or have measured, from numbers.json beside this file.

The tables of README and docs are made from it (`python docs/make_tables.py`). To enter a number,
add a line, or put what `python -m gaitjax.zoo submit` writes into `reproduced` beside it.
"""

import functools
import json
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from gaitjax.errors import DataError
from gaitjax.untrusted import safe_json
from gaitjax.zoo import submission

PATH = Path(__file__).with_name("numbers.json")
REPRODUCED = Path(__file__).with_name("reproduced")  # submissions, a file each


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
      runs: the score of each of these runs, where they were kept.
      commit: of this repository, at which it was measured or first recorded.
      who, when: reproduced it, where that was sent in; the day.
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
    runs: tuple[float, ...] = ()
    commit: str = ""
    who: str = ""
    when: str = ""


@functools.cache
def read() -> tuple[Number, ...]:
    """All numbers, in the order of the file, with those that were sent in."""
    lines = [Number(**line) for line in json.loads(PATH.read_text(encoding="utf-8"))]
    return tuple(with_submissions(lines, sorted(REPRODUCED.glob("*.json"))))


def with_submissions(lines: Iterable[Number], paths: Iterable[Path]) -> list[Number]:
    """`lines`, those that were reproduced filled in; of several submissions the latest counts.

    Raises:
      DataError: a file is no submission, or of a number that nobody has published.
    """
    lines, found = list(lines), {}
    places = {(n.config, n.protocol, n.score) for n in lines if n.by}
    for path in paths:
        record = submission.checked(safe_json.load(path), str(path))
        place = record["name"], record["protocol"], record["score"]
        if place not in places:
            raise DataError(f"{path}: nobody has published {' '.join(place)}; see {PATH.name}")
        if place not in found or record["when"] >= found[place]["when"]:
            found[place] = record
    return [
        n._replace(**_fields(found[place]))
        if n.by and (place := (n.config, n.protocol, n.score)) in found
        else n
        for n in lines
    ]


def _fields(record: dict) -> dict:
    """What a submission says of a number."""
    bounds = record["interval"]
    return {key: record[key] for key in ("ours", "commit", "who", "when")} | {
        "interval": bounds and tuple(bounds),
        "seeds": tuple(record["seeds"]),
    }


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
