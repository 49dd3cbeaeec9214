"""Answers as lines for people and as JSON for programs."""

import json
import math

from gaitjax.identify import quality
from gaitjax.identify.gallery import Answer
from gaitjax.identify.threshold import Threshold


def line(source: str, person: str, answer: Answer) -> str:
    """One answer for a terminal."""
    parts = [f"{source}, {person}: {answer.name or 'unknown'}"]
    nearest, distance = answer.candidates[0]
    if answer.name:
        parts.append(f"distance {distance:.4g} below {_limit(answer.threshold)}")
    else:
        parts.append(f"{answer.why}: nearest {nearest} at {distance:.4g}")
        parts[-1] += f", threshold {_limit(answer.threshold)}" if answer.threshold else ""
    if answer.margin is not None and len(answer.candidates) > 1:
        parts.append(f"{answer.candidates[1][0]} is {answer.margin:.4g} farther")
    if answer.strangers is not None:
        share = 100 * answer.strangers
        share = f"{share:.2g}" if share < 99.5 else "100"
        parts.append(f"at most {share} % of strangers come as near")
    return f"{'; '.join(parts)} [{quality.told(answer.quality)}]"


def as_json(source: str, person: str, answer: Answer) -> str:
    """One answer as an object on one line; numbers that are not finite are null."""
    value = {
        "source": source,
        "person": person,
        "frames": answer.quality.frames,
        "name": answer.name,
        "distance": _number(answer.distance),
        "threshold": _number(answer.threshold),
        "candidates": [{"name": n, "distance": _number(d)} for n, d in answer.candidates],
        "margin": _number(answer.margin),
        "strangers": _number(answer.strangers),
        "missing": _number(answer.quality.missing),
        "weight": _number(answer.quality.weight),
        "doubts": list(answer.quality.doubts),
        "why": answer.why,
    }
    return json.dumps(value)


def threshold(found: Threshold) -> str:
    """What a threshold is and promises, in one line."""
    if not found.value:
        return f"threshold: none, nobody is named: {found.found}"
    said = f"threshold {_limit(found.value)}, {found.found}: at most {100 * found.promised:.3g} % "
    said += "of strangers like these are named"
    if found.promised > found.fpir + 1e-9:
        need = math.ceil(1 / found.fpir - 1 - 1e-9)
        said += f" ({100 * found.fpir:.3g} % were asked for, which takes {need} people)"
    return said


def _limit(value: float) -> str:
    return f"{value:.4g}" if math.isfinite(value) else "any distance"


def _number(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else round(float(value), 6)
