"""One person in one frame, in any of the spellings of pose estimators."""

from typing import NamedTuple

import numpy as np

from gaitjax.errors import DataError
from gaitjax.skeleton import FORMATS
from gaitjax.untrusted import safe_json

COUNTS = tuple(sorted({fmt.num_joints for fmt in FORMATS.values()}))
_JOINTS = ("pose_keypoints_2d", "keypoints", "joints", "pose_keypoints", *(
    "landmarks", "pose_landmarks", "poseLandmarks", "landmark", "image_landmarks"
))  # fmt: skip
_PEOPLE = ("people", "bodies", "instances", "predictions")
_CONFIDENCE = ("visibility", "score", "confidence", "visible", "c", "v")


class Person(NamedTuple):
    """One skeleton in one frame.

    Attributes:
      joints: (V, 3) x, y, confidence; missing joints are (0, 0, 0).
      track: identity that the estimator's tracker gave, or None.
    """

    joints: np.ndarray
    track: str | None


class Frame(NamedTuple):
    """The people in one frame.

    Attributes:
      name: the image's, or its number.
    """

    name: int | str
    people: list[Person]


def people_of(frame, where: str) -> list[dict]:
    """The people of a frame's value, unread: of an object of people, a list of them, or one.

    Raises:
      DataError: none of the known layouts.
    """
    if is_landmarks(frame) or isinstance(frame, dict) and any(key in frame for key in _JOINTS):
        frame = {"people": _split(frame)}
    elif isinstance(frame, list):
        frame = {"people": [{"landmarks": p} if is_landmarks(p) else p for p in frame]}
    found = [frame[k] for k in _PEOPLE if k in frame] if isinstance(frame, dict) else []
    if len(found) != 1 or not isinstance(found[0], list):
        raise DataError(
            f'{where}: found {safe_json.describe(frame)}; expected {{"people": [...]}}, '
            '{"bodies": [...]}, {"instances": [...]} or {"predictions": [...]}'
        )
    for i, person in enumerate(found[0]):
        if not isinstance(person, dict):
            raise DataError(f"{where}: person {i} is {safe_json.describe(person)}, no object")
    return found[0]


def is_landmarks(value) -> bool:
    """Whether a value is one person's [{"x": ..., "y": ...}, ...], as MediaPipe has it."""
    return isinstance(value, list) and bool(value) and _is_point(value[0])


def _is_point(value) -> bool:
    return isinstance(value, dict) and "x" in value and "y" in value


def _split(frame) -> list[dict]:
    """MediaPipe's landmarks of one person, or of a list of people, as objects of one each."""
    if isinstance(frame, list):
        return [{"landmarks": frame}]
    value = frame[next(key for key in _JOINTS if key in frame)]
    if isinstance(value, list) and value and is_landmarks(value[0]):
        return [{"landmarks": person} for person in value]
    return [] if value in (None, []) else [frame]


def person_of(person: dict, where: str) -> Person:
    """One person, read. DataError: no keypoints, or malformed ones."""
    joints = keypoints_of(person, COUNTS, where)
    joints[~(joints[:, 2] > 0)] = 0.0  # NaN too
    return Person(joints, _track(person))


def keypoints_of(person: dict, counts: tuple[int, ...], where: str) -> np.ndarray:
    """The (V, 3) joints of one person, V of `counts`, unusable ones NaN.

    Raises:
      DataError: none, or malformed.
    """
    for key in _JOINTS:
        if key in person:
            break
    else:
        raise DataError(f"{where}: found {safe_json.describe(person)}; expected keypoints")
    values = person[key]
    if isinstance(values, dict) and "landmark" in values:  # MediaPipe's messages
        values = values["landmark"]
    scores = person.get("keypoint_scores")
    if scores is not None:
        values = _with_scores(values, scores, where)
    elif _is_columns(values):
        values = _of_columns(values, where)
    elif is_landmarks(values):
        values = _flat([_of_point(point, where) for point in values])
    elif isinstance(values, list) and values and all(isinstance(row, list) for row in values):
        values = _flat([_of_row(row, where) for row in values])
    if isinstance(values, list):
        values = [float("nan") if value is None else value for value in values]
    return safe_json.joints(values, counts, where)


def _flat(rows: list[list]) -> list:
    return [value for row in rows for value in row]


def _with_scores(points, scores, where: str) -> list:
    """[[x, y], ...] and [c, ...]."""
    if not isinstance(points, list) or not isinstance(scores, list):
        raise DataError(f"{where}: keypoints or keypoint_scores is no list")
    if len(points) != len(scores) or any(not isinstance(xy, list) or len(xy) != 2 for xy in points):
        raise DataError(f"{where}: expected keypoints [[x, y], ...], one for each score")
    return _flat([[*xy, c] for xy, c in zip(points, scores, strict=True)])


def _is_columns(values) -> bool:
    return _is_point(values) and all(isinstance(values[key], list) for key in "xy")


def _of_columns(values: dict, where: str) -> list:
    """{"x": [...], "y": [...], "visible": [...]}, as ultralytics has it."""
    x, y = values["x"], values["y"]
    seen = next((values[key] for key in _CONFIDENCE if key in values), [1.0] * len(x))
    if not isinstance(seen, list) or not len(x) == len(y) == len(seen):
        raise DataError(f"{where}: expected as many x as y and visible")
    rows = zip(x, y, seen, strict=True)
    return _flat([[*row] if row[:2] != (0, 0) else [0, 0, 0] for row in rows])


def _of_point(point, where: str) -> list:
    """{"x": ..., "y": ..., "visibility": ...}."""
    if point is None:
        return [None] * 3
    if not _is_point(point):
        raise DataError(f"{where}: found {safe_json.describe(point)}; expected x and y of a joint")
    return [point["x"], point["y"], next((point[k] for k in _CONFIDENCE if k in point), 1.0)]


def _of_row(row: list, where: str) -> list:
    """[x, y], [x, y, confidence] or [x, y, z, confidence]."""
    if len(row) not in (2, 3, 4):
        raise DataError(f"{where}: a joint of {len(row)} numbers; expected x, y and confidence")
    return [*row[:2], row[-1] if len(row) > 2 else 1.0]


def _track(person: dict) -> str | None:
    """The tracker's identity: a number, a text, or, in AlphaPose, a number in lists."""
    value = next((person[key] for key in ("track_id", "idx", "id_") if key in person), None)
    while isinstance(value, list) and value:
        value = value[0]
    if type(value) is float and value.is_integer():
        value = int(value)
    return str(value)[:40] if type(value) in (int, str) else None
