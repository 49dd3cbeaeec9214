"""report.html: one self-contained page of a result record, to read, keep and send.

No script and no external resource: figures are embedded, so the file works offline.
"""

import base64
from collections.abc import Mapping
from html import escape
from pathlib import Path

from gaitjax import files
from gaitjax.evaluation import probing
from gaitjax.evaluation.figures import save_figures
from gaitjax.evaluation.record import METRIC_NAMES, number

CAPTIONS = {
    "matrix": "Rank-1 for every pair of probe and gallery view. Framed: identical views.",
    "cmc": "How often the right person is among the first k of the gallery.",
    "distances": "At the threshold as many strangers are accepted as true pairs are missed.",
    "roc": "What any other threshold would accept: strangers against the same person.",
    "det": "With strangers at the door: how many people of the gallery are missed when so many "
    "strangers may be accepted. Dots: 0.1, 1 and 10 percent; band: 95 % interval over people.",
    "hardest": "The most confidently wrong probe of an identity, the stranger nearest to it, "
    "and the sequence that should have been nearest. Five evenly spaced frames each, "
    "every frame scaled to one height; left limbs blue, right limbs orange.",
    "attribution": "What makes a walk more or less alike to the nearest other walk of the same "
    "person than a still average body would be: integrated gradients of each joint and frame.",
}
COUNTS = {
    "probes": "sequences looked for",
    "gallery": "sequences they were looked for among",
    "identities": "people among the probes",
    "questions": "probe and gallery pairs of views (or probes) behind the means",
    "comparisons": "distances compared",
    "unmatched": "questions whose gallery lacks the person",
    "ties": "answers decided by gallery order alone",
}
CSS = """
:root { --ink:#22262b; --soft:#667079; --line:#e3e6ea; --blue:#0072b2; --band:#b9d8ea; }
* { box-sizing: border-box; }
body { margin:0; background:#f5f6f8; color:var(--ink); font:15px/1.5 system-ui, sans-serif; }
main { max-width:1120px; margin:0 auto; padding:28px 20px 60px; }
h1 { font-size:25px; margin:0 0 2px; } h2 { font-size:17px; margin:30px 0 10px; }
.soft { color:var(--soft); } .card { background:#fff; border:1px solid var(--line);
  border-radius:10px; padding:16px 18px; overflow-x:auto; }
dl { display:grid; grid-template-columns:max-content 1fr; gap:2px 14px; margin:10px 0 0; }
dt { color:var(--soft); } dd { margin:0; overflow-wrap:anywhere; }
table { border-collapse:collapse; width:100%; font-variant-numeric:tabular-nums; }
th, td { padding:5px 12px 5px 0; text-align:right; white-space:nowrap; }
th:first-child, td:first-child { text-align:left; }
thead th { color:var(--soft); font-weight:600; border-bottom:1px solid var(--line); }
tbody tr + tr td { border-top:1px solid #f0f1f3; }
.big { font-size:19px; font-weight:700; } th.middle { text-align:center; }
td.wide { width:38%; padding-right:0; }
.axis { position:relative; height:16px; background:#eef0f2; border-radius:8px; min-width:160px; }
.axis i { position:absolute; top:0; bottom:0; }
.band { background:var(--band); border-radius:8px; }
.value { width:4px; margin-left:-2px; background:var(--blue); border-radius:2px; }
.chance { width:0; border-left:2px dotted #8a8f98; }
.grid { display:grid; grid-template-columns:repeat(2, 1fr); gap:16px; }
.grid.three { grid-template-columns:repeat(3, 1fr); }
figure { margin:0; }
figure img { max-width:100%; height:auto; display:block; margin:0 auto; }
figcaption { color:var(--soft); font-size:13px; margin-top:6px; }
@media (max-width:760px) { .grid, .grid.three { grid-template-columns:1fr; } }
@media print { body { background:#fff; } .card { break-inside:avoid; } }
"""


def write_report(
    record: dict, out_dir: str | Path, *, details: Mapping[str, str] | None = None, **figure_options
) -> Path:
    """Writes `report.html` and its figures as PNG files; returns the page's path.

    Args:
      record: what `gaitjax.evaluation.evaluate` returned.
      out_dir: created if needed.
      details: lines for the head of the page, for example checkpoint and window.
      figure_options: of `gaitjax.evaluation.figures.figures`.
    """
    images = save_figures(record, out_dir, **figure_options)
    path = Path(out_dir) / "report.html"
    files.write_text(path, report_html(record, images, details or {}))
    return path


def report_html(
    record: dict, images: Mapping[str, Path], details: Mapping[str, str] | None = None
) -> str:
    """The page as text, with the PNG files of `images` embedded."""
    lines = {"metric": METRIC_NAMES[record["metric"]], **(details or {})}
    if record["compat"]:
        lines["rounding"] = "as the reference (compat)"
    if record["half"]:
        lines["precision"] = "float16 distances"
    head = "".join(f"<dt>{escape(k)}</dt><dd>{escape(str(v))}</dd>" for k, v in lines.items())
    sections = [f"<h1>{escape(record['title'])}</h1><dl>{head}</dl>"]
    sections += [f'<p class="soft">Note: {escape(note)}.</p>' for note in record["notes"]]
    if record["headline"]:
        sections += ["<h2>Result</h2>", _headline(record)]
    small = [name for name in ("cmc", "distances", "roc", "det") if name in images]
    if _narrow(record):
        small = [name for name in ("matrix", *small) if name in images]
    elif "matrix" in images:
        sections += ["<h2>Views</h2>", _figure("matrix", images)]
    if small:
        kind = "three" if len(small) == 3 else ""
        grid = "".join(_figure(name, images) for name in small)
        sections += ["<h2>Curves and distances</h2>", f'<div class="grid {kind}">{grid}</div>']
    if "hardest" in images:
        sections += ["<h2>Hardest probes</h2>", _figure("hardest", images)]
    if "probes" in record:
        sections += ["<h2>What it looks at</h2>", _probes(record["probes"])]
    if "attribution" in images:
        sections.append(_figure("attribution", images))
    sections += ["<h2>What stands behind the numbers</h2>", _counts(record)]
    body = "\n".join(sections)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(record['title'])}</title><style>{CSS}</style></head>\n"
        f"<body><main>\n{body}\n</main></body></html>\n"
    )


def _headline(record: dict) -> str:
    rows = []
    for name, value in record["headline"].items():
        bounds, chance = record["interval"][name], record["chance"][name]
        spread = f"{number(bounds[0])} to {number(bounds[1])}" if bounds else "-"
        marks = ""
        if bounds:
            left, width = bounds[0], bounds[1] - bounds[0]
            marks += f'<i class="band" style="left:{left:.2f}%;width:{width:.2f}%"></i>'
        if chance is not None:
            marks += f'<i class="chance" style="left:{chance:.2f}%"></i>'
        if value is not None:
            marks += f'<i class="value" style="left:{value:.2f}%"></i>'
        rows.append(
            f'<tr><td>{escape(name)}</td><td class="big">{number(value)}</td><td>{spread}</td>'
            f'<td>{number(chance)}</td><td class="wide"><div class="axis">{marks}</div></td></tr>'
        )
    return (
        '<div class="card"><table><thead><tr><th></th><th>percent</th><th>95 % interval</th>'
        '<th>chance</th><th class="middle">0 to 100</th></tr></thead><tbody>'
        + "".join(rows)
        + '</tbody></table><p class="soft">Intervals: people drawn anew with replacement, the '
        "gallery unchanged. Dotted: what a random embedding would score.</p></div>"
    )


def _probes(found: dict) -> str:
    head, *rows = probing.table(found)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return (
        '<div class="card"><table><thead><tr>'
        + "".join(f"<th>{escape(cell)}</th>" for cell in head)
        + f"</tr></thead><tbody>{body}</tbody></table>"
        '<p class="soft">The same protocol with something taken out of every sequence, probes and '
        "gallery alike, and features without a network; in parentheses the 95 % interval.</p></div>"
    )


def _counts(record: dict) -> str:
    conditions = record["conditions"]
    names = list(dict.fromkeys(k for c in conditions.values() for k in c["counts"]))
    also = list(dict.fromkeys(k for c in conditions.values() for k in c.get("also") or {}))
    rows = [[n, COUNTS.get(n, ""), *(_whole(c["counts"].get(n)) for c in conditions.values())]
            for n in names]  # fmt: skip
    rows += [[n, "", *(number((c.get("also") or {}).get(n)) for c in conditions.values())]
             for n in also]  # fmt: skip
    head = "".join(f"<th>{escape(n)}</th>" for n in conditions)
    body = "".join(
        f'<tr><td>{escape(name)} <span class="soft">{escape(what)}</span></td>'
        + "".join(f"<td>{cell}</td>" for cell in cells)
        + "</tr>"
        for name, what, *cells in rows
    )
    return (
        f'<div class="card"><table><thead><tr><th></th>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _figure(name: str, images: Mapping[str, Path]) -> str:
    data = base64.b64encode(Path(images[name]).read_bytes()).decode()
    return (
        f'<figure class="card"><img alt="{escape(CAPTIONS[name])}" '
        f'src="data:image/png;base64,{data}"><figcaption>{escape(CAPTIONS[name])}</figcaption>'
        "</figure>"
    )


def _narrow(record: dict) -> bool:
    """A view matrix that fits beside another figure."""
    matrices = [c for c in record["conditions"].values() if c.get("matrix")]
    return len(matrices) == 1 and len(matrices[0]["views"]) <= 14


def _whole(value) -> str:
    return "-" if value is None else f"{value:,}"
