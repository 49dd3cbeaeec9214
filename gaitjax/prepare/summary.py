"""What a prepared data set holds: numbers for each sequence, and over all of them.

Every number comes from the lines of the log, so that a resumed run needs to read nothing
again.
"""

import io
from collections import Counter

import numpy as np

from gaitjax.data import doubts
from gaitjax.skeleton import joint_format, tell

_EDGES = (1, 10, 20, 30, 40, 50, 60, 80, 100, 150, 200, 300, 500, 1000)  # of the length histogram
_EXAMPLES = 10  # names given for each kind of suspicion, and of dropped sequences


def describe(array: np.ndarray) -> dict:
    """Frames, missing joints and what is suspicious about one sequence.

    Args:
      array: (T, V, 3) float32 poses or uint8 images (T, ...).

    Returns:
      "frames"; for poses "missing", the frames in which each joint is (0, 0), and "format",
      the joint format by the look of them; "suspicious".
    """
    frames = len(array)
    if array.dtype == np.uint8:
        return {"frames": frames, "suspicious": doubts.of_images(array)}
    fmt = tell(array)
    return {
        "frames": frames,
        "missing": (array[..., :2] == 0).all(axis=-1).sum(axis=0).tolist(),
        "format": fmt.name if fmt else None,
        "suspicious": doubts.of(array, fmt),
    }


def record(lines: list[dict], notes: dict[str, int], settings: dict) -> dict:
    """The summary of the log's `lines`, as it is written to summary.json."""
    kept = [line for line in lines if "dropped" not in line]
    dropped = [line for line in lines if "dropped" in line]
    lengths = np.array([line["frames"] for line in kept], np.int64)
    counts = Counter(notes)
    joints = Counter(len(line["missing"]) for line in kept if "missing" in line)
    for line in lines:
        counts.update(line["notes"])
    return {
        "identities": len({line["sequence"].split("/")[0] for line in kept}),
        "sequences": len(kept),
        "frames": int(lengths.sum()),
        "dropped": len(dropped),
        "joints": {str(v): n for v, n in sorted(joints.items())},
        "notes": dict(sorted(counts.items())),
        "lengths": _lengths(lengths) if kept else {},
        "missing": _missing(kept),
        "suspicious": _suspicious(kept),
        "dropped_first": [
            {"sequence": line["sequence"], "why": line["dropped"]} for line in dropped[:_EXAMPLES]
        ],
        "settings": settings,
    }


def _lengths(lengths: np.ndarray) -> dict:
    edges = np.array(_EDGES)
    bins = np.bincount(np.searchsorted(edges, lengths, side="right") - 1, minlength=len(edges))
    highs = [str(high - 1) for high in _EDGES[1:]] + [""]
    return {
        "shortest": int(lengths.min()),
        "median": float(np.median(lengths)),
        "longest": int(lengths.max()),
        "histogram": {
            f"{low}-{high}": int(n) for low, high, n in zip(_EDGES, highs, bins, strict=True)
        },
    }


def _missing(kept: list[dict]) -> dict[str, float]:
    """Share of the frames in which each joint is missing, over poses of the commonest format."""
    poses = [line for line in kept if "missing" in line]
    if not poses:
        return {}
    joints = Counter(len(line["missing"]) for line in poses).most_common(1)[0][0]
    poses = [line for line in poses if len(line["missing"]) == joints]
    frames = sum(line["frames"] for line in poses)
    missing = np.sum([line["missing"] for line in poses], axis=0) / frames
    fmt = Counter(line.get("format") for line in poses).most_common(1)[0][0]
    names = joint_format(fmt).joints if fmt else [f"joint {i}" for i in range(joints)]
    return {name: round(float(rate), 6) for name, rate in zip(names, missing, strict=True)}


def _suspicious(kept: list[dict]) -> dict[str, dict]:
    found: dict[str, list[str]] = {}
    for line in kept:
        for what in line["suspicious"]:
            found.setdefault(what, []).append(line["sequence"])
    return {
        what: {"sequences": len(names), "first": names[:_EXAMPLES]}
        for what, names in sorted(found.items())
    }


def text(record: dict) -> str:
    """The record for people; ends with a newline."""
    lines = [
        f"{record['identities']} identities, {record['sequences']} sequences, "
        f"{record['frames']} frames; {record['dropped']} sequences dropped"
    ]
    if len(record["joints"]) > 1:
        mixture = ", ".join(f"{n} with {v}" for v, n in record["joints"].items())
        lines += ["", f"sequences of different joint formats, which training refuses: {mixture}"]
    if lengths := record["lengths"]:
        lines += [
            "",
            f"frames of a sequence: {lengths['shortest']} to {lengths['longest']}, "
            f"median {lengths['median']:g}",
        ]
        most = max(lengths["histogram"].values())
        for span, count in lengths["histogram"].items():
            if count:
                lines.append(f"  {span:>8}  {count:8}  {'#' * round(40 * count / most)}".rstrip())
    if record["missing"]:
        lines += ["", "joints missing, percent of the frames"]
        lines += [f"  {name:16}{100 * rate:7.2f}" for name, rate in record["missing"].items()]
    if record["notes"]:
        lines += ["", "noted"]
        lines += [f"  {count:8}  {reason}" for reason, count in record["notes"].items()]
    if record["suspicious"]:
        lines += ["", "suspicious, to be looked at; kept"]
        for what, found in record["suspicious"].items():
            names = ", ".join(found["first"][:3]) + (", ..." if found["sequences"] > 3 else "")
            lines.append(f"  {found['sequences']:8}  {what}: {names}")
    if record["dropped_first"]:
        lines += ["", "dropped (all of them in prepare_log.jsonl)"]
        lines += [f"  {d['sequence']}: {d['why']}" for d in record["dropped_first"]]
    # Names of files need not be text.
    return ("\n".join(lines) + "\n").encode("utf-8", "backslashreplace").decode()


def figure(record: dict) -> bytes:
    """Histogram of the lengths and rates of missing joints, as a PNG."""
    from matplotlib.figure import Figure

    fig = Figure(figsize=(11, 4.5), layout="constrained")
    left, right = fig.subplots(1, 2)
    histogram = record["lengths"].get("histogram", {})
    left.bar(list(histogram), list(histogram.values()), color="tab:blue")
    left.tick_params(axis="x", labelrotation=60)
    left.set(xlabel="frames", ylabel="sequences")
    left.set_title(f"{record['sequences']} sequences of {record['identities']} identities")
    missing = record["missing"]
    right.barh(list(missing), [100 * rate for rate in missing.values()], color="tab:orange")
    right.invert_yaxis()
    right.set(xlabel="percent of the frames", title="missing joints")
    if not missing:
        right.set_axis_off()
    buffer = io.BytesIO()
    fig.savefig(buffer, format="png", dpi=100)
    return buffer.getvalue()
