"""Writes what compilers say into performance.md: python docs/make_ahead_of_time.py

From docs/ahead_of_time.json, made by the "command" in it.
"""

import json
import re
from pathlib import Path

DOCS = Path(__file__).parent
PAGE = DOCS / "performance.md"
BEGIN, END = (
    "<!-- ahead of time: python docs/make_ahead_of_time.py -->",
    "<!-- end of ahead of time -->",
)
HEADING = ("config", "step", "type", "device", "batch x frames", "seconds", "StableHLO kB")
COUNTS = ("fusions", "convolutions", "products", "transposes")


def table() -> str:
    """One row for each program."""
    record = json.loads((DOCS / "ahead_of_time.json").read_text())
    heading = [*HEADING, *COUNTS, "scratch GiB"]
    lines = [heading, ["---"] * 4 + ["---:"] * (len(heading) - 4)]
    for key, row in record["rows"].items():
        name, *rest = key.split()
        cells = [f"`{name}`", *rest, f"{row['batch']} x {row['frames']}"]
        if "error" in row:
            cells += [f"not compiled: {row['error'][:80]}"] + [""] * (len(heading) - len(cells) - 1)
        else:
            seconds = row["lower_seconds"] + row["compile_seconds"]
            cells += [f"{seconds:.0f}", f"{row['stablehlo_bytes'] / 1000:,.0f}"]
            cells += [f"{row[count]:,}" for count in COUNTS] + [f"{row['scratch'] / 2**30:.2f}"]
        lines.append(cells)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def with_table(page: str) -> str:
    """The page with today's table between its marks."""
    pattern = re.escape(BEGIN) + ".*?" + re.escape(END)
    return re.sub(pattern, lambda _: f"{BEGIN}\n{table()}\n{END}", page, flags=re.DOTALL)


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text()))
