"""Writes the speed table in README.md and performance.md: python docs/make_speed.py

From docs/benchmark_torch_cpu.json, made by the "command" in it, and the reference's rates.
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
    """One row for each network timed in turns with the same network in PyTorch."""
    record = json.loads((DOCS / "benchmark_torch_cpu.json").read_text())
    lines = [
        "| sequences a second, 2-core CPU | batch x frames | training | PyTorch | ratio | OpenGait "
        "| evaluation | PyTorch | ratio | OpenGait |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, config in record["configs"].items():
        cells = [f"`{name}`", f"{config['batch_size']} x {config['frames']}"]
        reference = REFERENCE.get(name, ("", ""))
        for kind, theirs in zip(("training", "evaluation"), reference, strict=True):
            rates = config[kind]["sequences_per_s"]
            cells += [f"{rates['gaitjax']:.1f}", f"{rates['torch']:.1f}"]
            cells += [f"{config[kind]['ratio']:.2f}", str(theirs)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def with_table(page: str) -> str:
    """The page with today's table between its marks."""
    pattern = re.escape(BEGIN) + ".*?" + re.escape(END)
    return re.sub(pattern, f"{BEGIN}\n{table()}\n{END}", page, flags=re.DOTALL)


if __name__ == "__main__":
    for path in PAGES:
        path.write_text(with_table(path.read_text()))
