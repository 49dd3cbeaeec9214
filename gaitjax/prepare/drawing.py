"""One sequence as pictures: an animated GIF, and a contact sheet as PNG.

Poses are drawn in the colours of `gaitjax.evaluation.figures`, beside the skeleton maps that
networks see; sequences of images are drawn as they are. matplotlib and Pillow, on which it
depends, are imported when something is drawn.
"""

import io
from pathlib import Path

import numpy as np

from gaitjax import files
from gaitjax.data import imputation
from gaitjax.errors import DataError
from gaitjax.evaluation.figures import BLUE, GREY, INK, ORANGE, STYLE, side_colour
from gaitjax.extras import optional
from gaitjax.skeleton import COCO, JointFormat, convert, stated, with_joints

FRAMES = 150  # most frames of an animation
SHEET = 8  # frames of a contact sheet
MILLISECONDS = 40  # a frame of the animation is shown: 25 a second
_PADDING = 64  # frames: lengths that maps are drawn in, to compile few programs


def save(array: np.ndarray, title: str, stem: Path, joints: str = "") -> tuple[Path, Path]:
    """Writes <stem>.gif and <stem>.png of a sequence.

    Args:
      array: poses (T, V, 3), maps (T, 2, 64, 64) uint8 or silhouettes (T, H, W) uint8.
      title: printed above.
      joints: the poses' joint format; "": the usual one of V joints.

    Raises:
      DataError: an array of another shape; no space or permission.
    """
    import matplotlib

    with matplotlib.rc_context(STYLE | {"axes.grid": False}):
        images = {".gif": animation(array, title, joints), ".png": sheet(array, title, joints)}
    for ending, data in images.items():
        path = stem.with_name(stem.name + ending)
        try:
            files.write_bytes(path, data)
        except OSError as error:
            raise DataError(f"{error.filename or path}: {error.strerror}") from error
    return stem.with_name(f"{stem.name}.gif"), stem.with_name(f"{stem.name}.png")


def animation(array: np.ndarray, title: str, joints: str = "") -> bytes:
    """The sequence as an animated GIF: where the person is in the image, and the maps."""
    Image = optional("PIL.Image", "prepare", "reads and writes pictures")

    total = len(array)
    chosen = _spread(total, FRAMES)
    poses, fmt, images = _content(array[chosen], joints)
    figure, canvas = _figure(7.8 if poses is not None else 2.6 * len(images), 3.6)
    draw = []
    if poses is None:
        axes = figure.subplots(1, len(images), squeeze=False)[0]
    else:
        grid = figure.add_gridspec(max(1, len(images)), 3, width_ratios=(3.8, 2.0, 1.6))
        draw.append(_in_image(figure.add_subplot(grid[:, 0]), poses, fmt))
        draw.append(_close(figure.add_subplot(grid[:, 1]), poses, fmt))
        axes = [figure.add_subplot(grid[i, 2]) for i in range(len(images))]
        _legend(figure)
    for ax, (name, frames) in zip(axes, images.items(), strict=True):
        draw.append(_image(ax, name, frames))
    frames = []
    for k, t in enumerate(chosen):
        for update in draw:
            update(k)
        _title(figure, f"{title}    frame {t + 1} of {total}")
        canvas.draw()
        figure.set_layout_engine("none")  # what is laid out once stays
        frames.append(Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3].copy()))
    palette = Image.new("P", (1, 1))
    palette.putpalette(_palette())
    frames = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    buffer = io.BytesIO()
    frames[0].save(
        buffer, "GIF", save_all=True, append_images=frames[1:], duration=MILLISECONDS, loop=0
    )
    return buffer.getvalue()


def sheet(array: np.ndarray, title: str, joints: str = "") -> bytes:
    """Evenly spaced frames side by side as a PNG: the skeleton, and below it the maps."""
    total = len(array)
    chosen = _spread(total, SHEET)
    poses, fmt, images = _content(array[chosen], joints)
    rows = len(images) + (poses is not None)
    figure, canvas = _figure(1.15 * len(chosen) + 0.5, 1.2 * rows + 0.7 * (poses is not None) + 0.4)
    heights = [1.5] * (poses is not None) + [1] * len(images)
    axes = figure.subplots(rows, len(chosen), squeeze=False, height_ratios=heights)
    if poses is not None:
        for k, ax in enumerate(axes[0]):
            _close(ax, poses, fmt)(k)
        _legend(figure)
    for row, (name, frames) in zip(axes[rows - len(images) :], images.items(), strict=True):
        for ax, frame in zip(row, frames, strict=True):
            _image(ax, "", [frame])(0)
        row[0].set_ylabel(name, fontsize=9)
    for ax, t in zip(axes[0], chosen, strict=True):
        ax.set_title(f"{t + 1}", fontsize=8, fontweight="normal", loc="center")
    _title(figure, f"{title}    {total} frames")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=150)
    return buffer.getvalue()


def _content(array: np.ndarray, joints: str):
    """Poses and their format, if there are any, and images (T, H, W) by name.

    Maps are drawn of poses that have all joints of COCO.
    """
    if array.dtype == np.uint8 and array.ndim == 4 and array.shape[1] == 2:
        return None, None, {"limbs": array[:, 0], "joints": array[:, 1]}
    if array.dtype == np.uint8 and array.ndim == 3:
        return None, None, {"silhouette": array}
    if array.ndim != 3 or not with_joints(array.shape[1]) or array.shape[2] != 3:
        raise DataError(
            f"an array {array.dtype} {array.shape} cannot be drawn; expected poses (frames, joints "
            "of a known format, 3), maps (frames, 2, 64, 64) or silhouettes (frames, height, width)"
        )
    fmt = stated(array.shape[1], joints)
    try:
        coco = convert(fmt, COCO)(array)
    except DataError:
        return array, fmt, {}
    from gaitjax.transforms import maps  # loads JAX

    padding = np.zeros((-len(coco) % _PADDING, *coco.shape[1:]))
    drawn = maps.render_exact(np.concatenate([imputation.knn(coco), padding]))[: len(coco)]
    return array, fmt, {"limbs": drawn[..., 0], "joints": drawn[..., 1]}


def _palette() -> list[int]:
    """256 colours for all frames: those of the maps, and of the lines as they fade to white."""
    from matplotlib import colormaps, colors

    # No shade next to white: Pillow takes the colour nearest to multiples of 4, as 252.
    shades = np.append(np.linspace(0, 0.93, 39), 1.0)[:, None]
    lines = [np.array(colors.to_rgb(c)) for c in (BLUE, ORANGE, GREY, INK)]
    fading = [shades + (1 - shades) * line for line in lines]
    grey = colormaps["magma"](np.linspace(0, 1, 96))[:, :3]
    return np.rint(255 * np.concatenate([*fading, grey])).astype(int).ravel().tolist()


def _in_image(ax, poses: np.ndarray, fmt: JointFormat):
    """A panel of the image, in pixels, y down; a function that shows frame k in it."""
    seen = _seen(poses)
    points = poses[seen][:, :2] if seen.any() else np.zeros((1, 2))
    low, high = points.min(axis=0), points.max(axis=0)
    middle = (low + high) / 2
    half = max(*(0.55 * (high - low) / [1.2, 1.0]), 10.0)
    ax.set(xlim=middle[0] + np.array([-1.2, 1.2]) * half)
    ax.set(ylim=middle[1] + np.array([half, -half]), aspect="equal")
    ax.set(xlabel="x (pixels)", ylabel="y (pixels)")
    ax.tick_params(labelsize=7)
    return _skeleton(ax, poses, fmt, width=1.8)


def _close(ax, poses: np.ndarray, fmt: JointFormat):
    """A panel about the person, of one scale for all frames; a function that shows frame k."""
    half = 0.55 * max(_height(pose) for pose in poses)
    ax.set(aspect="equal")
    ax.axis("off")
    show = _skeleton(ax, poses, fmt, width=2.2)

    def centred(k: int) -> None:
        middle = _middle(poses[k])
        ax.set(xlim=middle[0] + np.array([-0.65, 0.65]) * half)
        ax.set(ylim=middle[1] + np.array([half, -half]))
        show(k)

    return centred


def _skeleton(ax, poses: np.ndarray, fmt: JointFormat, width: float):
    from matplotlib.collections import LineCollection

    colours = [side_colour(fmt, i, j) for i, j in fmt.edges]
    limbs = ax.add_collection(LineCollection([], lw=width, capstyle="round"), autolim=False)
    (dots,) = ax.plot([], [], ".", color=INK, ms=2 * width)

    def show(k: int) -> None:
        pose, ok = poses[k], _seen(poses[k])
        drawn = [e for e, (i, j) in enumerate(fmt.edges) if ok[i] and ok[j]]
        limbs.set_segments([pose[list(fmt.edges[e]), :2] for e in drawn])
        limbs.set_colors([colours[e] for e in drawn])
        dots.set_data(pose[ok, 0], pose[ok, 1])

    return show


def _image(ax, name: str, frames):
    """A panel for grey images; a function that shows frame k in it."""
    shown = ax.imshow(frames[0], cmap="magma", vmin=0, vmax=255, interpolation="nearest")
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    if name:
        ax.set_title(name, fontsize=9, fontweight="normal", loc="center")
    return lambda k: shown.set_data(frames[k])


def _legend(figure) -> None:
    from matplotlib.lines import Line2D

    sides = (BLUE, "left"), (ORANGE, "right"), (GREY, "middle")
    handles = [Line2D([], [], color=colour, lw=2, label=side) for colour, side in sides]
    figure.legend(handles=handles, loc="outside upper right", ncols=3, fontsize=8)


def _title(figure, text: str) -> None:
    figure.suptitle(text, x=0.01, ha="left", fontsize=10, color=INK)


def _seen(poses: np.ndarray) -> np.ndarray:
    return poses[..., :2].any(axis=-1) & (poses[..., 2] > 0)


def _height(pose: np.ndarray) -> float:
    y = pose[_seen(pose), 1]
    return max(float(np.ptp(y)), 1.0) if len(y) else 1.0


def _middle(pose: np.ndarray) -> np.ndarray:
    xy = pose[_seen(pose), :2]
    return (xy.min(axis=0) + xy.max(axis=0)) / 2 if len(xy) else np.zeros(2)


def _spread(total: int, most: int) -> list[int]:
    return np.linspace(0, total - 1, min(total, most)).round().astype(int).tolist()


def _figure(width: float, height: float):
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained", facecolor="white")
    return figure, FigureCanvasAgg(figure)
