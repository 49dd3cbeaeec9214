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
HEADING = ("config", "step", "type", "device", "batch x frames", "seconds", "of processors")
COUNTS = ("fusions", "convolutions", "products", "transposes")


def table() -> str:
    """One row for each program, and what made them."""
    record = json.loads((DOCS / "ahead_of_time.json").read_text())
    heading = [*HEADING, "StableHLO kB", "program kB", *COUNTS, "scratch GiB"]
    lines = [heading, ["---"] * 4 + ["---:"] * (len(heading) - 4)]
    for key, row in sorted(record["rows"].items()):
        name, *rest = key.split()
        cells = [f"`{name}`", *rest, f"{row['batch']} x {row['frames']}"]
        if "same" in row or "error" in row:
            said = f"as {row['same']}" if "same" in row else f"not compiled: {row['error'][:80]}"
            cells += [said] + [""] * (len(heading) - len(cells) - 1)
        else:
            cells += [f"{row['lower_seconds'] + row['compile_seconds']:.0f}"]
            cells += [f"{row['processor_seconds']:.0f}"]
            cells += [f"{row[size] / 1000:,.0f}" for size in ("stablehlo_bytes", "program_bytes")]
            cells += [f"{row[count]:,}" for count in COUNTS] + [f"{row['scratch'] / 2**30:.2f}"]
        lines.append(cells)
    machine = record["machine"]
    versions = sorted({row["jax"] for row in record["rows"].values()})
    made = (
        f'JAX {" and ".join(versions)} ("jax" and "commit" of each row in the JSON), '
        f"{machine['processor']}, {machine['cores']} cores; configs of the zoo in no row "
        "were not compiled there."
    )
    return "\n".join([*(f"| {' | '.join(line)} |" for line in lines), "", made])


def with_table(page: str) -> str:
    """The page with today's table between its marks."""
    pattern = re.escape(BEGIN) + ".*?" + re.escape(END)
    return re.sub(pattern, lambda _: f"{BEGIN}\n{table()}\n{END}", page, flags=re.DOTALL)


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text()))
