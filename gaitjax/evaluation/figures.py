"""Figures of a result record: view matrix, CMC, distances, ROC, hardest probes.

Everything is drawn from the record (see `gaitjax.evaluation.record`); skeletons need the
poses as well. Figures are made without pyplot, so no global state changes and no display
is needed. matplotlib is imported when the first figure is made.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from gaitjax import files
from gaitjax.errors import DataError
from gaitjax.evaluation.attribution import Attribution
from gaitjax.evaluation.record import METRIC_NAMES
from gaitjax.skeleton import JointFormat, joint_format

# Okabe and Ito's colours, told apart with any colour vision.
BLUE, ORANGE, GREEN, SKY, PINK, YELLOW = (
    "#0072B2", "#D55E00", "#009E73", "#56B4E9", "#CC79A7", "#E69F00",
)  # fmt: skip
GREY, INK = "#8A8F98", "#22262B"
CURVES = (BLUE, ORANGE, GREEN, PINK, YELLOW, SKY, INK, "#7A5195", "#A05A2C")
STYLE = {
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#E7E9EC",
    "xtick.color": INK,
    "ytick.color": INK,
    "text.color": INK,
    "legend.frameon": False,
    "svg.fonttype": "none",
    "figure.dpi": 100,
    "savefig.dpi": 180,
}
SIGNED = "PuOr"  # orange, white, violet: below and above 0
STRIP_FRAMES = 5
CMC_RANKS = 20

Poses = Callable[[int], np.ndarray]  # row of the embeddings -> (T, V, 3)


def figures(
    record: dict,
    *,
    poses: Poses | None = None,
    joints: str = "coco",
    untrained: dict | None = None,
    attributions: Sequence[Attribution] = (),
) -> dict:
    """The record's figures by name; those it has no data for are left out.

    Args:
      poses: gives the poses (T, V, 3) of a row of the embeddings (x, y in pixels, confidence).
      joints: their joint format.
      untrained: record of the same protocol with random weights, for comparison.
      attributions: what some right answers rest on.

    Returns:
      dict of matplotlib figures, of: `matrix`, `cmc`, `distances`, `roc`, `det`, `hardest`,
      `attribution`.
    """
    import matplotlib

    drawn = {}
    with matplotlib.rc_context(STYLE):
        if any(_has_matrix(c) for c in record["conditions"].values()):
            drawn["matrix"] = matrix_figure(record)
        if any(c.get("cmc") for c in record["conditions"].values()):
            drawn["cmc"] = cmc_figure(record, untrained)
        if record["verification"]:
            drawn["distances"] = distances_figure(record)
            drawn["roc"] = roc_figure(record)
        if any(c.get("open_set") for c in record["conditions"].values()):
            drawn["det"] = det_figure(record)
        if poses is not None and record["hardest"]:
            drawn["hardest"] = hardest_figure(record, poses, joint_format(joints))
        if attributions:
            drawn["attribution"] = attribution_figure(attributions, joint_format(joints))
    return drawn


def save_figures(record: dict, out_dir: str | Path, **options) -> dict[str, Path]:
    """Writes `figures(record, **options)` as PNG files; returns their paths by name."""
    import matplotlib

    out = Path(out_dir)
    paths = {}
    with matplotlib.rc_context(STYLE):
        for name, figure in figures(record, **options).items():
            paths[name] = out / f"{name}.png"
            with files.whole(paths[name]) as temporary:
                figure.savefig(temporary, format="png")
    return paths


def matrix_figure(record: dict):
    """Rank-1 by probe view (rows) and gallery view (columns), one panel per condition."""
    from matplotlib.patches import Rectangle

    panels = {n: c for n, c in record["conditions"].items() if _has_matrix(c)}
    views = max(len(c["views"]) for c in panels.values())
    columns = min(2 if views > 8 else 3, len(panels))
    rows = -(-len(panels) // columns)
    side = max(3.0, 0.3 * views + 0.8)
    figure = _figure(max(4.6, columns * side + 0.6), max(3.4, rows * (side + 0.2)))
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for ax in axes[len(panels) :]:
        ax.remove()
    for ax, (name, c) in zip(axes, panels.items(), strict=False):
        values = np.array(c["matrix"], dtype=float)
        image = ax.imshow(values, cmap="cividis", vmin=0, vmax=100)
        ticks = range(len(c["views"]))
        ax.set_xticks(ticks, c["views"], rotation=90, fontsize=7)
        ax.set_yticks(ticks, c["views"], fontsize=7)
        ax.grid(False)
        ax.spines[:].set_visible(False)
        ax.set(xlabel="gallery view", ylabel="probe view")
        ax.set_title(name if len(panels) > 1 else "Rank-1 by pair of views (%)")
        for i in ticks:  # pairs of identical views, usually left out of the means
            for colour, width in (("white", 2.0), (INK, 0.9)):
                box = Rectangle((i - 0.5, i - 0.5), 1, 1, fill=False, ec=colour, lw=width)
                ax.add_patch(box)
        if views <= 14:
            for (i, j), value in np.ndenumerate(values):
                if not np.isnan(value):
                    colour = "white" if value < 55 else INK
                    ax.text(
                        j, i, f"{value:.0f}", ha="center", va="center", color=colour, fontsize=6.5
                    )
    figure.colorbar(image, ax=list(axes[: len(panels)]), shrink=0.8, aspect=40, label="Rank-1 (%)")
    return figure


def cmc_figure(record: dict, untrained: dict | None = None):
    """Cumulative match curves, what guessing would give, and what random weights give."""
    figure = _figure(4.6, 3.4)
    ax = figure.subplots()
    curves = {n: c for n, c in record["conditions"].items() if c.get("cmc")}
    for colour, (name, c) in zip(CURVES * 2, curves.items(), strict=False):
        label = f"{name}: {c['cmc'][0]:.1f} at rank 1" if len(curves) > 1 else "this network"
        reached, guessed = c["cmc"][:CMC_RANKS], c["chance_cmc"][:CMC_RANKS]
        ranks = np.arange(1, len(reached) + 1)
        ax.plot(ranks, reached, color=colour, marker="o", markersize=2.5, lw=1.6, label=label)
        ax.plot(ranks, guessed, color=GREY, ls=":", lw=1.2)
        other = (untrained or {}).get("conditions", {}).get(name, {}).get("cmc")
        if other:
            ax.plot(ranks, other[: len(ranks)], color=colour, ls="--", lw=1.2, alpha=0.8)
    ax.plot([], [], color=GREY, ls=":", lw=1.2, label="chance")
    if untrained:
        colour = INK if len(curves) > 1 else CURVES[0]  # as drawn, where it is one line
        ax.plot([], [], color=colour, ls="--", lw=1.2, alpha=0.8, label="random weights")
    longest = min(CMC_RANKS, max(len(c["cmc"]) for c in curves.values()))
    ax.set(xlabel="rank k", ylabel="match among the first k (%)", ylim=(0, 102))
    ax.set_xlim(0.5, longest + 0.5)
    ax.set_xticks([k for k in (1, 5, 10, 15, 20) if k <= longest])
    ax.set_title("Cumulative match curve")
    ax.legend(fontsize=8, loc="lower right")
    return figure


def distances_figure(record: dict):
    """Histograms of same-person and different-person distances and the best threshold."""
    v = record["verification"]
    figure = _figure(4.6, 3.4)
    ax = figure.subplots()
    edges = np.array(v["edges"])
    for kind, colour in (("different", ORANGE), ("same", BLUE)):
        label = f"{kind} person ({v[kind + '_pairs']:,} pairs)"
        ax.stairs(v[kind], edges, fill=True, color=colour, alpha=0.35, label=label)
        ax.stairs(v[kind], edges, color=colour, lw=1.3)
    label = f"threshold {v['threshold']:.3g}"
    ax.axvline(v["threshold"], ymax=0.8, color=INK, lw=1.2, ls="--", label=label)
    ax.set(xlabel=METRIC_NAMES[record["metric"]], ylabel="density")
    ax.set_ylim(0, 1.35 * max(*v["same"], *v["different"]))  # room for the legend
    ax.set_title(f"Distances; equal error rate {v['eer']:.1f} %")
    ax.legend(fontsize=8, loc="upper right")
    return figure


def roc_figure(record: dict):
    """True against false accepts over all thresholds."""
    v = record["verification"]
    figure = _figure(4.6, 3.4)
    ax = figure.subplots()
    false, true = np.array(v["roc"]["false_accepts"]), np.array(v["roc"]["true_accepts"])
    smallest = max(1e-3, 100 / v["different_pairs"])
    line = np.logspace(np.log10(smallest), 2, 100)
    ax.plot(line, line, color=GREY, ls=":", lw=1.2, label="chance")
    seen = false >= smallest
    ax.plot(false[seen], true[seen], color=BLUE, lw=1.8, label="this network")
    ax.plot(
        [v["eer"]],
        [100 - v["eer"]],
        "o",
        color=ORANGE,
        ms=5,
        label=f"equal error rate {v['eer']:.1f} %",
    )
    ax.set_xscale("log")
    ax.set(xlabel="different people accepted (%)", ylabel="same person accepted (%)", ylim=(0, 102))
    ax.set_title("Verification (ROC)")
    ax.legend(fontsize=8, loc="upper left")
    return figure


def det_figure(record: dict):
    """Open-set identification: people missed against strangers accepted, over all thresholds."""
    figure = _figure(4.6, 3.4)
    ax = figure.subplots()
    found = {n: c["open_set"] for n, c in record["conditions"].items() if c.get("open_set")}
    for colour, (name, c) in zip(CURVES * 2, found.items(), strict=False):
        curve = c["curve"]
        ax.plot(curve["fpir"], curve["fnir"], color=colour, lw=1.8, label=name)
        if curve["low"] and len(found) <= 4:
            ax.fill_between(
                curve["fpir"], curve["low"], curve["high"], color=colour, alpha=0.15, lw=0
            )
        marks = [(row["fpir"], row["fnir"]) for row in c["at"]]
        ax.plot(*zip(*marks, strict=True), "o", color=colour, ms=4)
    ax.set_xscale("log")
    ax.set(xlabel="FPIR: strangers accepted (%)", ylabel="FNIR: people missed (%)", ylim=(0, 102))
    ax.set_title("Open-set identification (DET)")
    if len(found) > 1:
        ax.legend(fontsize=8, loc="upper right")
    return figure


def hardest_figure(record: dict, poses: Poses, fmt: JointFormat, limit: int = 6):
    """Most confidently wrong probes: the probe, the stranger taken for it, the true match."""
    chosen = record["hardest"][:limit]
    figure = _figure(10.0, 1.25 * len(chosen) + 0.2)
    axes = figure.subplots(len(chosen), 3, squeeze=False)
    for row, h in zip(axes, chosen, strict=True):
        titles = (
            f"probe {h['probe_key']}",
            f"taken for {h['false_key']}, at {h['false_distance']:.3g}",
            f"true match {h['match_key']}, at {h['match_distance']:.3g}, rank {h['rank']}",
        )
        panels = zip(row, titles, (h["probe"], h["false_match"], h["match"]), strict=True)
        for ax, title, index in panels:
            draw_strip(ax, poses(index), fmt)
            ax.set_title(title, fontsize=7.5, fontweight="normal")
    return figure


def skeleton_figure(sequences: dict[str, np.ndarray], joints: str = "coco"):
    """A strip of frames for each named pose sequence (T, V, 3)."""
    import matplotlib

    with matplotlib.rc_context(STYLE):
        figure = _figure(4.6, 1.5 * len(sequences) + 0.1)
        axes = figure.subplots(len(sequences), 1, squeeze=False)[:, 0]
        for ax, (name, poses) in zip(axes, sequences.items(), strict=True):
            draw_strip(ax, poses, joint_format(joints))
            ax.set_title(name, fontsize=8.5)
    return figure


def attribution_figure(attributions: Sequence[Attribution], fmt: JointFormat):
    """What similarities are made of, joint by joint and frame by frame: a row for each pair."""
    height = max(2.4, 0.13 * fmt.num_joints)
    figure = _figure(11.0, (height + 0.3) * len(attributions) + 0.1)
    grid = dict(width_ratios=[1.15, 1])
    axes = figure.subplots(len(attributions), 2, squeeze=False, gridspec_kw=grid)
    for (left, right), a in zip(axes, attributions, strict=True):
        most = max(np.percentile(np.abs(a.values), 99), 1e-12)
        draw_strip(left, a.poses, fmt, values=a.values / most)
        title = f"{a.probe} and {a.match}: distance {-a.similarity:.3g}"
        left.set_title(f"{title}, of the average body {-a.baseline:.3g}", fontsize=8)
        image = right.imshow(
            a.values.T, cmap=SIGNED, vmin=-most, vmax=most, aspect="auto", interpolation="none"
        )
        joints = [joint.replace("_", " ") for joint in fmt.joints]
        right.set_yticks(range(fmt.num_joints), joints, fontsize=6)
        right.grid(False)
        right.set(xlabel="frame")
        figure.colorbar(image, ax=right, label="less alike      more alike", aspect=25)
    return figure


def draw_strip(
    ax,
    poses: np.ndarray,
    fmt: JointFormat,
    frames: int = STRIP_FRAMES,
    values: np.ndarray | None = None,
) -> None:
    """Evenly spaced frames side by side on `ax`; left limbs blue, right limbs orange.

    Joints of zero confidence or at the origin are missing and not drawn. With `values` (T, V),
    -1 to 1, limbs are grey and each joint is a disc of its value's colour and size.

    Raises:
      DataError: `poses` is not (T, V, 3) with the V joints of `fmt`.
    """
    poses = np.asarray(poses, dtype=float)
    if poses.ndim != 3 or poses.shape[1:] != (fmt.num_joints, 3) or not len(poses):
        raise DataError(
            f"expected poses (T, {fmt.num_joints}, 3) of the format {fmt.name}, got {poses.shape}"
        )
    chosen = np.linspace(0, len(poses) - 1, min(frames, len(poses))).round().astype(int)
    poses = poses[chosen]
    present = (poses[..., 2] > 0) & poses[..., :2].any(axis=-1)
    for k, (frame, ok) in enumerate(zip(poses, present, strict=True)):
        if ok.sum() < 2:
            continue
        xy = frame[:, :2] / max(np.ptp(frame[ok, 1]), 1e-6)  # every frame equally tall
        middle = (xy[ok].min(axis=0) + xy[ok].max(axis=0)) / 2
        x, y = xy[:, 0] - middle[0] + 0.75 * k, middle[1] - xy[:, 1]
        for i, j in fmt.edges:
            if ok[i] and ok[j]:
                ax.plot(
                    x[[i, j]],
                    y[[i, j]],
                    color=side_colour(fmt, i, j) if values is None else GREY,
                    lw=1.4,
                    solid_capstyle="round",
                )
        ax.plot(x[ok], y[ok], ".", color=INK, ms=2.2)
        if values is not None:
            v = values[chosen[k], ok]
            size = 60 * np.minimum(np.abs(v), 1)
            ax.scatter(
                x[ok],
                y[ok],
                size,
                v,
                cmap=SIGNED,
                vmin=-1,
                vmax=1,
                lw=0.3,
                ec=INK,
                zorder=3,
                clip_on=False,
            )
    ax.set_aspect("equal")
    ax.set_ylim(-0.53, 0.53)
    ax.set_xlim(-0.5, 0.75 * (frames - 1) + 0.5)
    ax.axis("off")


def side_colour(fmt: JointFormat, i: int, j: int) -> str:
    """Colour of the limb between joints i and j: left blue, right orange, the middle grey."""
    sides = {fmt.joints[k].split("_")[0] for k in (i, j)}
    if "left" in sides and "right" not in sides:
        return BLUE
    if "right" in sides and "left" not in sides:
        return ORANGE
    return GREY


def _has_matrix(condition: dict) -> bool:
    return bool(condition.get("matrix"))


def _figure(width: float, height: float):
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure
