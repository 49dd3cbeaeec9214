"""Writes the speed table in README.md and performance.md: python docs/make_speed.py

From docs/benchmark_cpu*.json, each made by the "command" in it, and the reference's rates; a
run of one config goes before the run of all.
"""

import json
import re
from pathlib import Path

DOCS = Path(__file__).parent
PAGES = (DOCS.parent / "README.md", DOCS / "performance.md")
BEGIN, END = "<!-- speed: python docs/make_speed.py -->", "<!-- end of speed -->"

# Sequences a second of OpenGait in PyTorch 2.13 on a machine of the same kind, two threads,
# idle: training, evaluation; the best of several runs at the same batch.
REFERENCE = {
    "gaitgraph2_grew": (27.0, 15.3),
    "gaittr_grew": (20.1, 90.4),
    "skeletongait_gait3d": (1.3, 4.4),
}


def table() -> str:
    """The rows of the configs that both programs were timed on."""
    records = [json.loads(path.read_text()) for path in sorted(DOCS.glob("benchmark_cpu*.json"))]
    configs = {name: run for record in records for name, run in record["configs"].items()}
    lines = [
        "| sequences a second, 2-core CPU | batch x frames | training | OpenGait | ratio "
        "| evaluation | OpenGait | ratio |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, rates in REFERENCE.items():
        config = configs[name]
        rows = {row["what"]: row["sequences_per_s"] for row in config["rows"]}
        cells = [f"`{name}`", f"{config['batch_size']} x {config['frames']}"]
        for ours, theirs in zip((rows["whole step"], rows["embed"]), rates, strict=True):
            cells += [f"{ours:.1f}", f"{theirs:.1f}", f"{ours / theirs:.2f}"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def with_table(page: str) -> str:
    """The page with today's table between its marks."""
    pattern = re.escape(BEGIN) + ".*?" + re.escape(END)
    return re.sub(pattern, f"{BEGIN}\n{table()}\n{END}", page, flags=re.DOTALL)


if __name__ == "__main__":
    for path in PAGES:
        path.write_text(with_table(path.read_text()))
