"""What poses look like to a camera: known from training, told when others differ, and mended.

A network trained on raw pixels knows bodies of one size at one place. What it was trained on,
`measure` of the training set, is stored with its weights. `differences` says how other poses
are far from that, and `fit` brings a sequence to it: size, place and confidences. Frame rates
cannot be mended here; see the options of `python -m gaitjax.prepare poses`.

Missing joints are (0, 0, 0) and stay so.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from gaitjax.data import typical
from gaitjax.errors import DataError

QUANTILES = (5, 25, 50, 75, 95)
SAMPLE = 500  # sequences that are looked at, evenly spaced
LOW, MIDDLE, HIGH = 0, 2, 4  # places in QUANTILES
BAND = 1.25  # beyond the quantiles, as a factor
RATES = (0.6, 1.4)  # of the known middle motion: what people differ by
SHARES = 2.0  # bodies of fewer pixels are told in shares of the image
ASPECTS = (9 / 16, 3 / 4, 1.0, 4 / 3, 16 / 9)  # width over height that images have
NAMES = ("frames", "height", "x", "y", "speed", "motion", "confidence")  # whose quantiles are kept
CONSTANT = 1e-3  # confidences that differ by less say nothing
UNKNOWN = (
    "this network carries no record of the poses it was trained on: whether these are like them in "
    "size, place, confidence and frame rate is not checked"
)


def measure(sequence: Callable[[int], np.ndarray], count: int) -> dict[str, list]:
    """Quantiles (`QUANTILES`) over a data set of what `look` tells of a sequence.

    Args:
      sequence: row -> poses (T, V, 3): x, y in pixels, confidence.
      count: S, of which at most `SAMPLE` are looked at.

    Returns:
      "frames", "height", "x", "y", "speed", "motion", and "confidence", of the joints seen; and
      "bodies", see `gaitjax.data.typical`.

    >>> measure(lambda row: np.full((30, 17, 3), row + 1.0), 3)["x"]
    [1.1, 1.5, 2.0, 2.5, 2.9]
    """
    rows = np.unique(np.linspace(0, count - 1, min(count, SAMPLE)).round().astype(int))
    looks, outlines, sure = zip(
        *((look(poses), typical.outline(poses), typical.sureness(poses))
          for poses in map(sequence, rows)),
        strict=True,
    )  # fmt: skip
    columns = {
        name: np.array([seen[name] for seen in looks]) for name in looks[0] if name != "confidence"
    }
    columns["confidence"] = np.concatenate([seen["confidence"] for seen in looks])
    quantiles = {name: _quantiles(values) for name, values in columns.items()}
    return quantiles | {"bodies": typical.bodies(np.stack(outlines), np.stack(sure))}


def look(poses: np.ndarray) -> dict:
    """What tells one camera from another in a sequence (T, V, 3).

    Returns:
      frames: T. height: of the body, x and y: its middle, medians over time, pixels. speed: of
      its middle, pixels a frame, median. motion: of its joints against its middle, body heights
      a frame, mean. confidence: QUANTILES over the joints seen. NaN where nothing is seen.
    """
    seen = (poses[..., :2] != 0).any(axis=-1)
    frames = seen.sum(axis=1) > 1
    nothing = dict.fromkeys(("height", "x", "y", "speed", "motion"), np.nan)
    if not frames.any():
        return {"frames": len(poses), **nothing, "confidence": np.zeros(0)}
    xy, seen = poses[frames, :, :2].astype(np.float64), seen[frames]
    low = np.where(seen[..., None], xy, np.inf).min(axis=1)
    high = np.where(seen[..., None], xy, -np.inf).max(axis=1)
    middle, height = (low + high) / 2, np.median((high - low)[:, 1])
    told = {"frames": len(poses), **nothing, "confidence": np.zeros(0)}
    told |= {"height": height, "x": np.median(middle[:, 0]), "y": np.median(middle[:, 1])}
    together = np.diff(np.flatnonzero(frames)) == 1
    if together.any():
        told["speed"] = np.median(np.linalg.norm(np.diff(middle, axis=0)[together], axis=1))
        moved = np.linalg.norm(np.diff(xy - middle[:, None], axis=0), axis=-1)[together]
        both = (seen[1:] & seen[:-1])[together]
        if height > 0 and both.any():
            told["motion"] = moved[both].mean() / height
    sure = seen & (poses[frames][..., 2] != 0)  # joints made up have none
    if sure.any():
        told["confidence"] = np.percentile(poses[frames][sure][:, 2], QUANTILES)
    return told


def fit(poses: np.ndarray, known: Mapping[str, Sequence], how: str = "fit") -> np.ndarray:
    """A sequence (T, V, 3) brought to the size, place and confidences of `known`.

    The body's median height and middle become those of the middle of the known ones.
    Shares of an image are first stretched to the usual form of image (`ASPECTS`) in which people
    stand nearest to where they are known to. Confidences that are all one become those of the
    known body that is most like the sequence's; those on another scale are mapped to the known
    quantiles.

    Args:
      known: what `measure` gave.
      how: `data.rescale`: "fit", or "typical", where all confidences become those of the known
        body, so that poses of several estimators are alike.

    >>> walk = np.random.default_rng(0).uniform(50, 150, (30, 17, 3))
    >>> known = measure(lambda row: walk, 1)
    >>> bool(np.allclose(fit(walk * [2, 2, 1] + [9, 4, 0], known), walk))
    True
    """
    found = look(poses)
    if not found["height"] > 0:
        return poses
    there = (poses[..., :2] != 0).any(axis=-1)
    result = poses.copy()
    middle = np.array([found["x"], found["y"]])
    wanted = np.array([known["x"][MIDDLE], known["y"][MIDDLE]])
    scale = np.full(2, known["height"][MIDDLE] / found["height"])
    if found["height"] < SHARES:
        scale[0] *= _aspect(middle, wanted)
    result[there, :2] = (poses[there, :2] - middle) * scale + wanted
    sure = there & (poses[..., 2] != 0)  # joints made up have none
    if not sure.any():
        return result
    says_nothing = found["confidence"][HIGH] - found["confidence"][LOW] < CONSTANT
    if says_nothing or how == "typical":
        result[..., 2] = np.where(sure, _usual_confidence(result, known), poses[..., 2])
    elif not _fits(found["confidence"][MIDDLE], known["confidence"]):
        result[sure, 2] = np.interp(poses[sure, 2], found["confidence"], known["confidence"])
    return result


def _aspect(shares: np.ndarray, wanted: np.ndarray) -> float:
    """Form of the image in which a body at `shares` (x, y) of it would stand at `wanted`."""
    with np.errstate(divide="ignore", invalid="ignore"):
        told = np.log(np.abs(wanted / shares))
    return min(ASPECTS, key=lambda aspect: abs(told[0] - told[1] - np.log(aspect)))


def _usual_confidence(poses: np.ndarray, known: Mapping[str, Sequence]) -> np.ndarray | float:
    """What joints (V,) of such a body usually have or, where that is not known, all joints."""
    of_body = typical.confidence(poses, known.get("bodies", []))
    return known["confidence"][MIDDLE] if of_body is None else of_body


def differences(
    found: Mapping[str, Sequence[float]],
    known: Mapping[str, Sequence[float]],
    looked_at: Sequence[str] = ("size", "confidence", "time"),
) -> list[str]:
    """How poses are far from the known ones, a line each: what, how far, what to do.

    Args:
      found, known: what `measure` gave of either.
      looked_at: "size" (and place), "confidence", "time" (frame rate and length).
    """
    lines = []
    middle, usual = ({name: of[name][MIDDLE] for name in NAMES} for of in (found, known))
    fits = 'data.rescale=fit (gaitjax.load(..., rescale="fit")) brings them to it'
    if "size" in looked_at and middle["height"] < SHARES:
        lines.append(
            f"people are {middle['height']:.3g} high, {usual['height']:.3g} pixels in training: "
            "these are shares of an image, or in metres; multiply x by its width and y by its "
            "height, or let data.rescale=fit guess its form"
        )
    elif "size" in looked_at and not _fits(middle["height"], known["height"]):
        lines.append(
            f"people are {middle['height']:.3g} pixels high, {usual['height']:.3g} in training "
            f"({_range(known['height'])}); {fits}"
        )
    if "size" in looked_at and middle["height"] >= SHARES:
        far = [
            f"{axis} = {middle[axis]:.0f}, {usual[axis]:.0f} in training ({_range(known[axis])})"
            for axis in "xy"
            if not known[axis][LOW] - usual["height"] / 2
            <= middle[axis]
            <= known[axis][HIGH] + usual["height"] / 2
        ]
        if far:
            lines.append(f"people stand at {' and '.join(far)}; {fits}")
    if "confidence" in looked_at:
        of = found["confidence"]
        constant = of[HIGH] - of[LOW] < CONSTANT
        varied = known["confidence"][HIGH] - known["confidence"][LOW] > 10 * CONSTANT
        if (constant and varied) or not _fits(of[MIDDLE], known["confidence"]):
            what = f"all {of[MIDDLE]:.3g}" if constant else f"{of[MIDDLE]:.3g} in the middle"
            lines.append(
                f"confidences are {what}, {usual['confidence']:.3g} in training "
                f"({_range(known['confidence'])}); {fits}"
            )
    if "time" in looked_at:
        ratio = middle["motion"] / max(usual["motion"], 1e-9)
        if middle["frames"] > 2 and not RATES[0] <= ratio <= RATES[1]:
            lines.append(
                f"limbs move {ratio:.2g} times as far from frame to frame as in training: another "
                "frame rate, or people who stand or run; bring videos to the rate of training "
                "with --frame_rate and --resample of python -m gaitjax.prepare poses"
            )
        if middle["frames"] < known["frames"][LOW] / 2:
            lines.append(
                f"sequences have {middle['frames']:.0f} frames, {usual['frames']:.0f} in training "
                f"({_range(known['frames'])}); expect much less of the result, or take longer ones"
            )
    return lines


def seen_by(inputs: Sequence[str], normalise: str = "") -> tuple[str, ...]:
    """What of `differences` matters to a network of these inputs (see `gaitjax.models`).

    Maps, and poses with `data.normalise`, are of one size at one place.
    """
    same = "maps" in inputs or normalise
    return ("confidence", "time") if same else ("size", "confidence", "time")


def checked(known: Any, where: str) -> dict[str, list]:
    """`known` as `measure` gives it; DataError naming `where` it was found otherwise."""
    good = isinstance(known, dict) and all(
        isinstance(known.get(name), list)
        and len(known[name]) == len(QUANTILES)
        and all(isinstance(value, int | float) for value in known[name])
        for name in NAMES
    )
    good = good and typical.are_bodies(known.get("bodies", []))  # which came later
    if not good:
        raise DataError(
            f"{where}: does not say what poses the network was trained on, which data.rescale=fit "
            "needs; train again, or leave data.rescale empty"
        )
    return known


def _fits(value: float, known: Sequence[float]) -> bool:
    """Whether `value` is among the known ones, or at most a factor `BAND` beyond."""
    return known[LOW] / BAND <= value <= known[HIGH] * BAND


def _range(values: Sequence[float]) -> str:
    return f"{values[LOW]:.3g} to {values[HIGH]:.3g}"


def _quantiles(values) -> list[float]:
    values = np.asarray(values, np.float64)
    values = values[~np.isnan(values)]
    found = np.percentile(values, QUANTILES) if len(values) else np.zeros(len(QUANTILES))
    return [float(value) for value in found]
