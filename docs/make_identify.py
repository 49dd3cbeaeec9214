"""Measures the default network of gaitjax.identify, and writes the tables of docs/identify.md.

    python docs/make_identify.py --measure --cmu CMU     measures into docs/identify.json: minutes
    python docs/make_identify.py --tune DIR              and what tuning brings: minutes
    python docs/make_identify.py                         writes the tables from there

docs/measure_identify.py says how.
"""

import argparse
import json
import re
import sys
from pathlib import Path

DOCS = Path(__file__).parent
PAGE, RECORD = DOCS / "identify.md", DOCS / "identify.json"
if __name__ == "__main__":
    sys.path.insert(0, str(DOCS.parent))

from gaitjax.command import tables  # noqa: E402


def table(rows: dict) -> list[str]:
    """One measurement a row."""
    head = ["", "identified", "FNIR at FPIR 0.1 %", "at 1 %", "at 10 %", "walks, strangers"]
    cells = [
        [
            name,
            _spread(row["identified"], row["identified_interval"]),
            *(_spread(*pair) for pair in zip(row["fnir"], row["fnir_interval"], strict=True)),
            f"{row['mated']}, {row['strangers']}",
        ]
        for name, row in rows.items()
    ]
    return tables.markdown([head, *cells])


def table_of_named(rows: dict) -> list[str]:
    """One fault a row."""
    head = ["what is looked for lacks", "weight", "refused", "known: named right"]
    head += ["known: named wrong", "strangers: named"]
    keys = ("refused", "right", "wrong", "strangers")
    cells = [
        [name, f"{row['weight']:.2f}", *(f"{row[key]:.1f} %" for key in keys)]
        for name, row in rows.items()
    ]
    return tables.markdown([head, *cells])


def _spread(value: float, bounds) -> str:
    return f"{value:.1f}" + (f" ({bounds[0]:.0f}-{bounds[1]:.0f})" if bounds else "")


def with_tables(page: str) -> str:
    """The page with the tables of the record between their marks."""
    record = json.loads(RECORD.read_text())
    written = {"walkers": table, "quality": table, "cmu": table, "tuning": table}
    written["named"] = table_of_named
    for name in [name for name in written if name in record]:
        begin = f"<!-- table of {name}: python docs/make_identify.py -->"
        end = f"<!-- end of {name} -->"
        text = "\n".join([begin, *written[name](record[name]), end])
        pattern = re.escape(begin) + ".*?" + re.escape(end)
        page, found = re.subn(pattern, lambda _, t=text: t, page, flags=re.DOTALL)
        if found != 1:
            raise ValueError(f"{found} places for the table {name!r}; expected one")
    return page


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--measure", action="store_true")
    parser.add_argument("--cmu", default="", help="what python -m gaitjax.prepare cmu_walks made")
    parser.add_argument("--tune", type=Path, help="folder for the runs")
    args = parser.parse_args()
    found: dict = {}
    if args.measure or args.tune:
        from docs import measure_identify
        from gaitjax import sharding

        sharding.start(multihost=False)
        if args.measure:
            found |= measure_identify.measure(args.cmu)
        if args.tune:
            found["tuning"] = measure_identify.tuning(args.tune)
    known = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    RECORD.write_text(json.dumps(known | found, indent=1) + "\n")
    PAGE.write_text(with_tables(PAGE.read_text()))
