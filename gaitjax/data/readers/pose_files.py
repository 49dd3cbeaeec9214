"""Results of pose estimators on ordinary videos as one sequence: `read`.

Formats (`auto` tells them apart by content):

    alphapose  a list of {"image_id": "12.jpg", "keypoints": [x, y, c, ...], "score": s,
               "idx": track}: AlphaPose's alphapose-results.json
    coco       the same list with whole numbers as image_id, and maybe "track_id": COCO results
    openpose   a folder with one json for each frame, {"people": [{"pose_keypoints_2d":
               [x, y, c, ...]}]}: OpenPose's --write_json, AlphaPose's --format open; also
               AlphaPose's --format cmu ({"bodies": [{"joints": [...]}]}), and all frames in
               one file, {"12.jpg": {"people": [...]}}
    mmpose     a list of {"frame_id": 12, "instances": [{"keypoints": [[x, y], ...],
               "keypoint_scores": [c, ...]}]}, or that list as "instance_info" of an object:
               the predictions of MMPose's inferencer and demos (RTMPose); also a folder with
               one json, a list of instances, for each frame

Joints: 17 (COCO), 18 (OpenPose's COCO, with neck), 25 (BODY_25), or 26, 133 and 136 (Halpe,
whole body), whose first 17 are COCO's. Where a frame has no number of its own, it is the
last number in its file's name. Several people are told apart and one is chosen by
`gaitjax.data.readers.pose_tracks`. x and y stay pixels, y down; confidences stay as they are.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gaitjax.data.readers import pose_tracks
from gaitjax.data.readers.pose_tracks import Detection
from gaitjax.errors import DataError
from gaitjax.skeleton import COCO, convert, stated
from gaitjax.untrusted import safe_json

FORMATS = ("auto", "alphapose", "coco", "openpose", "mmpose")
RATES = (20.0, 35.0)  # frames a second that networks trained at 25 to 30 may be shown
MAX_PEOPLE = 200  # in one frame

_COUNTS = (17, 18, 25, 26, 133, 136)


class PoseSequence(NamedTuple):
    """One person in one video.

    Attributes:
      poses: (T, 17, 3) float32 COCO-17 joints: x, y in pixels, confidence; missing (0, 0, 0).
      frames: (T,) int64 frame numbers, consecutive (the nearest ones, if resampled).
      frame_rate: frames a second, if known.
      notes: what was noticed or done -> count.
    """

    poses: np.ndarray
    frames: np.ndarray
    frame_rate: float | None
    notes: dict[str, int]


def read(
    path: str | Path,
    format: str = "auto",
    person: int = 1,
    track: str | None = None,
    max_gap: int = 5,
    frame_rate: float | None = None,
    resample: float | None = None,
) -> PoseSequence:
    """One person of a video from a pose estimator's results.

    Args:
      path: json file, or folder of json files, one a frame.
      format: of `FORMATS`.
      person: the how manieth, from 1, counting from the person seen longest and most
        surely (largest sum of mean confidences).
      track: identity given by the estimator's tracker, instead of `person`.
      max_gap: most missing frames that are interpolated (`pose_tracks.fill`).
      frame_rate: of the video, in frames a second. Results do not hold it. Networks were
        trained on 25 to 30; others are noted.
      resample: frame rate to convert to; needs `frame_rate`.

    Raises:
      DataError: unreadable or malformed file, unknown format, no such person.
    """
    if format not in FORMATS:
        raise DataError(f"pose format {format!r}; known: {', '.join(FORMATS)}")
    for what, value in (("person", person - 1), ("max_gap", max_gap)):
        if value < 0:
            raise DataError(f"{what} is too small")
    for what, rate in (("frame_rate", frame_rate), ("resample", resample)):
        if rate is not None and not 1 <= rate <= 1000:
            raise DataError(f"{what} is {rate}; expected 1 to 1000 frames a second")
    if resample and not frame_rate:
        raise DataError("to resample, give the frame_rate of the video too")
    frames = detections(path, format)
    people = pose_tracks.tracks(frames, max_gap)
    if not people:
        raise DataError(f"{path}: no person in any of its {len(frames)} frames")
    poses, numbers, notes = pose_tracks.fill(_choose(path, people, person, track), max_gap)
    if len(people) > 1:
        notes["other people in the video"] = len(people) - 1
    if resample and resample != frame_rate:
        poses, nearest = pose_tracks.resample(poses, frame_rate, resample)
        numbers, frame_rate = numbers[nearest], resample
    if frame_rate and not RATES[0] <= frame_rate <= RATES[1]:
        rate = f"{frame_rate:g} frames a second, where networks know 25 to 30: resample"
        notes[rate] = len(poses)
    return PoseSequence(poses, numbers, frame_rate, notes)


def _choose(path, people, person: int, track: str | None) -> pose_tracks.Track:
    names = [name for name, _ in people]
    listed = ", ".join(f"{name} ({len(t)} frames)" for name, t in people[:8])
    if track is not None:
        if track not in names:
            raise DataError(f"{path}: no track {track!r}; the longest ones: {listed}")
        return people[names.index(track)][1]
    if person > len(people):
        raise DataError(f"{path}: no person {person}; found {len(people)}: {listed}")
    return people[person - 1][1]


def detections(path: str | Path, format: str = "auto") -> dict[int, list[Detection]]:
    """All skeletons of a video: frame number -> (17, 3) joints of each person.

    Raises:
      DataError: as `read`.
    """
    path = Path(path)
    frames: dict[int, list[Detection]] = {}
    for number, instance, where in _instances(path, format):
        people = frames.setdefault(number, [])
        if instance is None:
            continue
        joints = _coco(instance, where)
        if len(people) == MAX_PEOPLE:
            raise DataError(f"{where}: more than {MAX_PEOPLE} people in a frame")
        if joints[:, 2].any():
            people.append(Detection(joints, _track(instance)))
    return frames


_Instance = tuple[int, dict | None, str]  # frame number, a person or nobody, where it stands


def _instances(path: Path, format: str) -> Iterator[_Instance]:
    if path.is_dir():
        yield from _of_folder(path, format)
        return
    content = safe_json.load(path, safe_json.VIDEO_LIMIT)
    if isinstance(content, dict) and isinstance(content.get("instance_info"), list):
        content = content["instance_info"]
    found = _kind(content)
    if found is None or not _is(format, found):
        raise DataError(
            f"{path}: found {safe_json.describe(content)}; expected results of "
            f"{'a pose estimator' if format == 'auto' else format} "
            f"(formats: {', '.join(FORMATS[1:])})"
        )
    yield from {"mmpose": _of_mmpose, "openpose": _of_images}.get(found, _of_results)(path, content)


def _is(format: str, found: str) -> bool:
    """AlphaPose's list is COCO's, and its other formats are OpenPose's."""
    same = {"alphapose": ("coco", "openpose"), "coco": ("alphapose",)}
    return format in ("auto", found) or found in same.get(format, ())


def _kind(content) -> str | None:
    """The format of a file's content, by its first entry."""
    if isinstance(content, list) and content and isinstance(content[0], dict):
        if "instances" in content[0]:
            return "mmpose"
        if "image_id" in content[0]:
            return "coco" if type(content[0]["image_id"]) is int else "alphapose"
    if isinstance(content, dict) and content:
        first = next(iter(content.values()))
        if isinstance(first, dict) and ("people" in first or "bodies" in first):
            return "openpose"
    return None


def _of_results(path: Path, content: list) -> Iterator[_Instance]:
    ids = []
    for i, entry in enumerate(content):
        if not isinstance(entry, dict) or type(entry.get("image_id")) not in (int, str):
            raise DataError(f'{path}: entry {i} has no "image_id"')
        ids.append(entry["image_id"])
    number = _numbered(path, ids)
    for i, entry in enumerate(content):
        yield number[entry["image_id"]], entry, f"{path}, entry {i}"


def _of_images(path: Path, content: dict) -> Iterator[_Instance]:
    number = _numbered(path, list(content))
    for name, frame in content.items():
        yield from _of_frame(number[name], frame, f"{path}, {name[:60]!r}")


def _of_mmpose(path: Path, content: list) -> Iterator[_Instance]:
    for i, frame in enumerate(content):
        where = f"{path}, entry {i}"
        if not isinstance(frame, dict):
            raise DataError(f"{where}: expected an object, found {safe_json.describe(frame)}")
        number = frame.get("frame_id", i)
        if type(number) is not int or abs(number) > _LARGEST:
            raise DataError(f'{where}: "frame_id" is no frame number')
        yield from _of_frame(number, frame, where)


def _of_folder(path: Path, format: str) -> Iterator[_Instance]:
    try:
        names = [n for n in os.listdir(path) if n.endswith(".json") and n[0] != "."]
    except OSError as error:
        raise DataError(f"{path}: cannot be listed: {error.strerror}") from error
    if not names:
        raise DataError(f"{path}: no .json file in this folder; expected one for each frame")
    number = _numbered(path, names)
    for name in sorted(names, key=number.get):
        frame = safe_json.load(path / name)
        if isinstance(frame, list):
            frame = {"instances": frame}
        found = "mmpose" if isinstance(frame, dict) and "instances" in frame else "openpose"
        if not _is(format, found):
            raise DataError(f"{path / name}: looks like {found}, not {format}")
        yield from _of_frame(number[name], frame, str(path / name))


def _of_frame(number: int, frame, where: str) -> Iterator[_Instance]:
    yield number, None, where
    for i, instance in enumerate(people_of(frame, where)):
        yield number, instance, f"{where}, person {i}"


def people_of(frame, where: str) -> list[dict]:
    """The people of a frame's object, unread. DataError: none of the known layouts."""
    keys = ("people", "bodies", "instances")
    found = [frame[k] for k in keys if k in frame] if isinstance(frame, dict) else []
    if len(found) != 1 or not isinstance(found[0], list):
        raise DataError(
            f'{where}: found {safe_json.describe(frame)}; expected {{"people": [...]}}, '
            '{"bodies": [...]} or {"instances": [...]}'
        )
    for i, person in enumerate(found[0]):
        if not isinstance(person, dict):
            raise DataError(f"{where}: person {i} is {safe_json.describe(person)}, no object")
    return found[0]


def keypoints_of(person: dict, counts: tuple[int, ...], where: str) -> np.ndarray:
    """The (V, 3) joints of one person, V of `counts`, unusable ones NaN.

    Raises:
      DataError: none, or malformed.
    """
    for key in ("pose_keypoints_2d", "keypoints", "joints", "pose_keypoints"):
        if key in person:
            break
    else:
        raise DataError(f"{where}: found {safe_json.describe(person)}; expected keypoints")
    values = person[key]
    if "keypoint_scores" in person:  # [[x, y], ...] and [c, ...]
        scores = person["keypoint_scores"]
        if not isinstance(values, list) or not isinstance(scores, list):
            raise DataError(f"{where}: keypoints or keypoint_scores is no list")
        if len(values) != len(scores) or any(
            not isinstance(xy, list) or len(xy) != 2 for xy in values
        ):
            raise DataError(f"{where}: expected keypoints [[x, y], ...], one for each score")
        values = [v for xy, c in zip(values, scores, strict=True) for v in (*xy, c)]
    return safe_json.joints(values, counts, where)


def _coco(person: dict, where: str) -> np.ndarray:
    joints = keypoints_of(person, _COUNTS, where)
    joints = convert(stated(len(joints)), COCO)(joints)
    joints[~(joints[:, 2] > 0)] = 0.0  # NaN too
    return joints


def _track(person: dict) -> str | None:
    """The tracker's identity: a number, a text, or, in AlphaPose, a number in lists."""
    value = person.get("track_id", person.get("idx"))
    while isinstance(value, list) and value:
        value = value[0]
    if type(value) is float and value.is_integer():
        value = int(value)
    return str(value)[:40] if type(value) in (int, str) else None


_LARGEST = 10**15  # frame number


def _numbered(path: Path, ids: list[int | str]) -> dict[int | str, int]:
    """Frame numbers of image ids or names: themselves, or the last number in the name.

    Raises:
      DataError: a name without a number, or names that differ in more than that number.
    """
    numbers, around = {}, {}
    for i in dict.fromkeys(ids):
        if isinstance(i, int):
            number, rest = i, ""
        else:
            match = re.match(r"(.*?)([0-9]{1,15})([^0-9]*)$", _bare(i), re.DOTALL)
            if not match:
                raise DataError(f"{path}: {i[:60]!r} holds no frame number")
            number, rest = int(match[2]), match[1] + match[3]
        if abs(number) > _LARGEST:
            raise DataError(f"{path}: frame number {str(number)[:30]} is out of range")
        numbers[i] = number
        around.setdefault(rest, i)
    if len(around) > 1:
        a, b = (str(i)[:60] for i in list(around.values())[:2])
        raise DataError(
            f"{path}: the frames {a!r} and {b!r} seem to be of two videos; give one "
            "video at a time, its frames named alike but for their number"
        )
    return numbers


def _bare(name: str) -> str:
    """A frame's name without folder, ending and OpenPose's suffix, at most 200 characters."""
    stem = name.replace("\\", "/").rpartition("/")[2]
    stem = re.sub(r"\.(jpe?g|png|bmp|json|tiff?)$", "", stem[-200:], flags=re.IGNORECASE)
    return stem.removesuffix("_keypoints").removesuffix("_alphapose")
