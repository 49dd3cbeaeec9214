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
        "| sequences a second | batch x frames | processor | training | PyTorch | ratio | OpenGait "
        "| evaluation | PyTorch | ratio | OpenGait |",
        "| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    records = [json.loads(path.read_text()) for path in sorted(DOCS.glob("benchmark_torch_*.json"))]
    for name in dict.fromkeys(name for record in records for name in record["configs"]):
        for record in records:
            if name in record["configs"]:
                lines.append(_row(name, record["machine"], record["configs"][name]))
    return "\n".join(lines)


def _row(name: str, machine: dict, found: dict) -> str:
    """One network on one machine; PyTorch in its fastest layout there."""
    processor = machine.get("processor", "not noted") + f", {machine['cores']} cores"
    if machine["device"] != "cpu":
        processor = machine["device"]
    dtype = "" if found.get("dtype", "float32") == "float32" else f", {found['dtype']}"
    name = name.split()[0]
    cells = [f"`{name}`{dtype}", f"{found['batch_size']} x {found['frames']}", processor]
    for kind, theirs in zip(("training", "evaluation"), REFERENCE.get(name, ("", "")), strict=True):
        if kind not in found:
            cells += [found["error"], "", "", str(theirs)]
            continue
        rates, best = found[kind]["sequences_per_s"], found[kind].get("best", "torch")
        cells += [f"{rates['gaitjax']:.1f}", f"{rates[best]:.1f} ({best})"]
        cells += [f"{found[kind]['ratio']:.2f}", str(theirs)]
    return f"| {' | '.join(cells)} |"


def with_table(page: str) -> str:
    """The page with today's table between its marks."""
    pattern = re.escape(BEGIN) + ".*?" + re.escape(END)
    return re.sub(pattern, f"{BEGIN}\n{table()}\n{END}", page, flags=re.DOTALL)


if __name__ == "__main__":
    for path in PAGES:
        path.write_text(with_table(path.read_text()))
