"""The result record: one plain dict for every protocol, and its rendering as text."""

import math
from collections.abc import Sequence

import numpy as np

from gaitjax.command import tables
from gaitjax.evaluation import open_set
from gaitjax.evaluation.bootstrap import interval
from gaitjax.evaluation.scoring import Questions, Score, chance_cmc, cmc, counts, hardest
from gaitjax.evaluation.task import Task, keys

HARDEST = 6
METRIC_NAMES = {"euc": "Euclidean distance", "cos": "cosine distance"}


def build(
    task: Task,
    protocol: str,
    title: str,
    conditions: dict[str, dict],
    scores: Sequence[Score],
    notes: Sequence[str],
    verification: dict | None,
) -> dict:
    """The record of a protocol's run.

    Returns:
      dict of JSON types; numbers are percent unless they count or are distances:
      `protocol`, `title`, `metric`, `compat`, `half`; `headline`, `interval` (95 %, over
      identities), `chance`: by score name; `conditions`: see `condition`; `hardest`: most
      confidently wrong probes; `verification`: see `gaitjax.evaluation.verification`; `notes`.
    """
    wrong = [h for s in scores for h in hardest(s.questions, task.labels, HARDEST)]
    by_identity = {}
    for h in sorted(wrong, key=lambda h: -h["excess"]):
        by_identity.setdefault(task.labels[h["probe"]], h)
    worst = list(by_identity.values())[:HARDEST]
    for h in worst:
        rows = np.array([h["probe"], h["match"], h["false_match"]])
        h["probe_key"], h["match_key"], h["false_key"] = keys(task, rows).tolist()
    return plain(
        dict(
            protocol=protocol,
            title=title,
            metric=task.metric,
            compat=task.compat,
            half=task.half,
            headline={s.name: s.value for s in scores},
            interval={s.name: _interval(task, s) for s in scores},
            chance={s.name: s.chance for s in scores},
            conditions=conditions,
            hardest=worst,
            verification=verification,
            notes=list(notes),
        )
    )


def condition(task: Task, questions: Questions, gallery_size: int, scores: dict, **more) -> dict:
    """What one condition adds to a record.

    Returns:
      dict: `counts` (see `scoring.counts`), `scores`, `cmc` and `chance_cmc` (Rank-1 on), and
      what a protocol adds: `views` with `matrix` (Rank-1 by probe view and gallery view)
      and `per_view`, `also` with what the headline hides; `open_set`: see `open_set.rates`.
    """
    return dict(
        counts=counts(questions, task.labels, gallery_size),
        scores=scores,
        cmc=cmc(questions),
        chance_cmc=chance_cmc(questions),
        open_set=open_set.rates(open_set.searches(questions, task.labels), task.samples),
        **more,
    )


def _interval(task: Task, score: Score):
    q = score.questions
    return interval(score.points, task.labels[q.probes], q.cell, q.counted, task.samples)


def plain(value):
    """Numpy numbers and arrays as Python's; NaN and infinity as None, so that JSON takes it."""
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def format_record(record: dict) -> str:
    """The record as aligned tables for a terminal or a log.

    In `compat` only the reference's numbers; otherwise also how many questions stand behind
    them, how many had nothing to find, ties, chance and intervals.
    """
    compat = record["compat"]
    lines = [f"{record['title']} ({METRIC_NAMES[record['metric']]})", ""]
    head = ["", "value"] if compat else ["", "value", "95 % interval", "chance"]
    rows = [head]
    for name, value in record["headline"].items():
        cells = [name, number(value)]
        if not compat:
            bounds = record["interval"][name]
            cells += [
                f"{number(bounds[0])} - {number(bounds[1])}" if bounds else "-",
                number(record["chance"][name]),
            ]
        rows.append(cells)
    lines += tables.aligned(rows)
    for name, c in record["conditions"].items():
        if c.get("per_view"):
            names = list(next(iter(c["per_view"].values())))
            if len(names) <= 20:
                rows = [[f"{name}: probe view", *names, "mean"]]
                for score, values in c["per_view"].items():
                    by_view = [number(values[view]) for view in names]
                    rows.append([score, *by_view, number(c["scores"].get(score))])
                lines += ["", *tables.aligned(rows)]
    if not compat:
        rows = [["", *next(iter(record["conditions"].values()))["counts"]]]
        rows += [[n, *map(str, c["counts"].values())] for n, c in record["conditions"].items()]
        lines += ["", *tables.aligned(rows)]
        also = {n: c["also"] for n, c in record["conditions"].items() if c.get("also")}
        if also:
            names = list(dict.fromkeys(name for values in also.values() for name in values))
            rows = [["also", *also]]
            rows += [[name, *(number(v.get(name)) for v in also.values())] for name in names]
            lines += ["", *tables.aligned(rows)]
        lines += _open_set(record)
        if record["verification"]:
            v = record["verification"]
            lines += [
                "",
                f"equal error rate {number(v['eer'])} at distance {v['threshold']:.4g}, "
                f"d-prime {_spread(v['d_prime'], v['d_prime_interval'])}",
            ]
        lines += [f"note: {note}" for note in record["notes"]]
    return "\n".join(lines)


def _open_set(record: dict) -> list[str]:
    """FNIR at each FPIR, its interval and the threshold, a row for each condition."""
    conditions = record["conditions"].items()
    found = {name: c["open_set"] for name, c in conditions if c.get("open_set")}
    if not found:
        return []
    rates = [row["fpir"] for row in next(iter(found.values()))["at"]]
    rows = [["open set: FNIR at", *(f"FPIR {rate:g} %, below distance" for rate in rates)]]
    for name, c in found.items():
        cells = [
            f"{_spread(row['fnir'], row['fnir_interval'])}, {_distance(row['threshold'])}"
            for row in c["at"]
        ]
        rows.append([name, *cells])
    return ["", *tables.aligned(rows)]


def _spread(value: float | None, bounds: Sequence[float] | None) -> str:
    return number(value) + (f" ({number(bounds[0])} - {number(bounds[1])})" if bounds else "")


def _distance(value: float | None) -> str:
    return "any" if value is None else f"{value:.4g}"


def number(value: float | None) -> str:
    """Two decimals, or a dash."""
    return "-" if value is None else f"{value:.2f}"
