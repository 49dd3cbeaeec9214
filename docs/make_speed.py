"""Writes the speed table in README.md and performance.md: python docs/make_speed.py

From docs/benchmark_torch_*.json, each made by the "command" in it, and the reference's rates.
"""

import json
import re
from pathlib import Path

DOCS = Path(__file__).parent
PAGES = (DOCS.parent / "README.md", DOCS / "performance.md")
BEGIN, END = "<!-- speed: python docs/make_speed.py -->", "<!-- end of speed -->"

# Sequences a second of OpenGait itself in PyTorch 2.13 on another machine of two cores, idle:
# training, evaluation; the best of several runs at the same batch.
REFERENCE = {
    "gaitgraph2_grew": (27.0, 15.3),
    "gaittr_grew": (20.1, 90.4),
    "skeletongait_gait3d": (1.3, 4.4),
}


def table() -> str:
    """A row for each network and processor, timed in turns with the same network in PyTorch."""
    lines = [
        "| sequences a second | batch x frames | device | training | PyTorch | ratio | OpenGait "
        "| evaluation | PyTorch | ratio | OpenGait |",
        "| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    records = [json.loads(path.read_text()) for path in sorted(DOCS.glob("benchmark_torch_*.json"))]
    records.sort(key=lambda record: record["machine"]["device"] != "cpu")
    for record in records:
        for name, found in record["configs"].items():
            if "training" in found:
                lines.append(_row(name.split()[0], record["machine"], found))
    return "\n".join(lines)


def _row(name: str, machine: dict, found: dict) -> str:
    """One network on one machine; PyTorch in its fastest layout there."""
    on_cpu = machine["device"] == "cpu"
    device = f"{machine['processor']}, {machine['cores']} cores" if on_cpu else machine["device"]
    dtype = "" if found["dtype"] == "float32" else f", {found['dtype']}"
    cells = [f"`{name}`{dtype}", f"{found['batch_size']} x {found['frames']}", device]
    reference = REFERENCE.get(name, ("", "")) if on_cpu else ("", "")
    for kind, theirs in zip(("training", "evaluation"), reference, strict=True):
        rates, best = found[kind]["sequences_per_s"], found[kind]["best"]
        cells += [_rate(rates["gaitjax"]), f"{_rate(rates[best])} ({best})"]
        cells += [f"{found[kind]['ratio']:.2f}", str(theirs)]
    return f"| {' | '.join(cells)} |"


def _rate(value: float) -> str:
    return f"{value:.1f}" if value < 1000 else f"{value:,.0f}"


def with_table(page: str) -> str:
    """The page with today's table between its marks."""
    pattern = re.escape(BEGIN) + ".*?" + re.escape(END)
    return re.sub(pattern, f"{BEGIN}\n{table()}\n{END}", page, flags=re.DOTALL)


if __name__ == "__main__":
    for path in PAGES:
        path.write_text(with_table(path.read_text()))
