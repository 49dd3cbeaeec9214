"""JSON of pose estimators, of a whole video or one file a frame, as `Video`."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TypeGuard

from gaitjax.data.readers.people import Frame, is_landmarks, people_of, person_of
from gaitjax.data.readers.video import Video
from gaitjax.errors import DataError
from gaitjax.skeleton import FORMATS as JOINT_FORMATS
from gaitjax.untrusted import safe_json

# MMPose's names of data sets -> joint formats.
_MMPOSE = {
    "coco": "coco", "coco_wholebody": "coco_wholebody", "h36m": "h36m", "posetrack18": "posetrack",
    "mpii": "mpii", "halpe": "halpe136", "halpe26": "halpe26",
}  # fmt: skip
_NUMBERS = ("frame_id", "frame", "frame_number", "frame_idx", "image_id", "file_name")
_PEOPLE = {  # key of a frame that holds its people -> the format that has it
    "instances": "mmpose", "people": "openpose", "bodies": "openpose",
    "predictions": "openpifpaf", "pose_landmarks": "mediapipe", "poseLandmarks": "mediapipe",
    "landmarks": "mediapipe", "image_landmarks": "mediapipe", "keypoints": "ultralytics",
}  # fmt: skip


def open_file(path: Path, last: int = 0) -> tuple[str, Video]:
    """The format of the file and what it holds, or what its last so many lines do.

    Raises:
      DataError: not JSON, or of no known layout.
    """
    content = safe_json.load_last_lines(path, last) if last else _parsed(path)
    where = str(path)
    if isinstance(content, dict):
        if isinstance(content.get("frames"), list):
            content = content["frames"]
        elif isinstance(content.get("instance_info"), list):
            joints = _mmpose_joints(content.get("meta_info"), where)
            return "mmpose", Video(where, list(_of_frames(where, content["instance_info"])), joints)
        elif isinstance(content.get("annotations"), list) and content["annotations"]:
            return "coco", _of_annotations(where, content)
        elif _kind(content):
            raise DataError(
                f"{path}: describes one frame; give the folder that holds such a file for each"
            )
    if isinstance(content, list) and content:
        first = next((entry for entry in content if entry), None)
        if isinstance(first, dict) and "image_id" in first and "keypoints" in first:
            kind = "coco" if type(first["image_id"]) is int else "alphapose"
            return kind, Video(where, list(_of_results(where, content)))
        if is_landmarks(content) or isinstance(first, dict) and _kind(first) == "ultralytics":
            raise DataError(
                f"{path}: describes one frame; give the folder that holds such a file for each"
            )
        if isinstance(first, list) or _kind(first):
            return _kind(first) or "ultralytics", Video(where, list(_of_frames(where, content)))
    if isinstance(content, dict) and content and (kind := _kind(next(iter(content.values())))):
        frames = [_frame(name, f, f"{where}, {name[:60]!r}") for name, f in content.items()]
        return kind, Video(where, frames)
    raise DataError(
        f"{path}: found {safe_json.describe(content)}; expected results of a pose estimator"
    )


def open_folder(path: Path, names: list[str]) -> tuple[str, Video]:
    """The format of the first of the files `names`, one a frame, and what all hold."""
    kinds, frames = [], []
    for name in names:
        content = safe_json.load(path / name)
        if isinstance(content, list) and content and is_landmarks(content[0]):
            kinds.append("mediapipe")
        elif content or not isinstance(content, list):
            kinds.append(_kind(content) or "openpose")
        frames.append(_frame(name, content, str(path / name)))
    return kinds[0] if kinds else "openpose", Video(str(path), frames, in_order=False)


def _parsed(path: Path):
    """The value of a JSON file, or a list of those on its lines."""
    try:
        return safe_json.load(path, safe_json.VIDEO_LIMIT)
    except DataError as error:
        try:
            return safe_json.load_lines(path, safe_json.VIDEO_LIMIT)
        except DataError:
            raise error from None


def _kind(frame) -> str | None:
    """The format of a frame's value, by the key that holds its people."""
    if isinstance(frame, list):
        if is_landmarks(frame):
            return "mediapipe"
        frame = next((person for person in frame if isinstance(person, dict)), None)
        if frame is not None and "keypoint_scores" in frame:
            return "mmpose"
        if frame is not None and "keypoints" in frame:
            return "ultralytics" if isinstance(frame["keypoints"], dict) else "openpifpaf"
    if isinstance(frame, dict):
        return next((kind for key, kind in _PEOPLE.items() if key in frame), None)
    return None


def _frame(name: int | str, value, where: str) -> Frame:
    people = people_of(value, where)
    return Frame(name, [person_of(p, f"{where}, person {i}") for i, p in enumerate(people)])


def _of_frames(where: str, content: list) -> Iterator[Frame]:
    """Frames with a number of their own or, where there is none, numbered in their order."""
    for i, frame in enumerate(content):
        here = f"{where}, entry {i}"
        if frame is None:
            continue
        if not isinstance(frame, (dict, list)):
            raise DataError(f"{here}: expected an object, found {safe_json.describe(frame)}")
        name = i
        if isinstance(frame, dict):
            key = next((key for key in _NUMBERS if key in frame), None)
            name = frame[key] if key else i
            if type(name) is float and name.is_integer():
                name = int(name)
            if type(name) not in (int, str):
                raise DataError(f'{here}: "{key}" is no frame number')
        yield _frame(name, frame, here)


def _of_results(where: str, content: list) -> Iterator[Frame]:
    for i, entry in enumerate(content):
        if not isinstance(entry, dict) or type(entry.get("image_id")) not in (int, str):
            raise DataError(f'{where}: entry {i} has no "image_id"')
        if entry.get("keypoints") is None and "category_id" in entry:
            continue  # a detection without keypoints
        yield Frame(entry["image_id"], [person_of(entry, f"{where}, entry {i}")])


def _of_annotations(where: str, content: dict) -> Video:
    """COCO's files of annotations: images, people with keypoints, categories with names."""
    images = content.get("images")
    names: dict[int | str, int | str] = {}
    for i, image in enumerate(images if isinstance(images, list) else []):
        number = image.get("id") if isinstance(image, dict) else None
        name = image.get("file_name", number) if isinstance(image, dict) else None
        if not (_is_name(number) and _is_name(name)):
            raise DataError(f'{where}: image {i} has no "id" or a "file_name" that is no text')
        names[number] = name
    frames, flags = list(_of_results(where, content["annotations"])), True
    for frame in frames:
        for person in frame.people:
            flags &= bool(set(person.joints[:, 2].tolist()) <= {0.0, 1.0, 2.0})
    notes = ()
    if flags:  # 0 not labelled, 1 hidden, 2 visible
        for frame in frames:
            for person in frame.people:
                person.joints[:, 2] = person.joints[:, 2] > 0
        notes = ("labelled by hand: visibility 1 and 2 taken as confidence 1",)
    renamed = [Frame(names.get(frame.name, frame.name), frame.people) for frame in frames]
    seen = {frame.name for frame in renamed}
    renamed += [Frame(name, []) for name in names.values() if name not in seen]
    return Video(where, renamed, _category_joints(content, where), None, notes)


def _category_joints(content: dict, where: str) -> str:
    """The joint format that COCO's categories name, if one does; DataError for animals."""
    categories = content.get("categories")
    for category in categories if isinstance(categories, list) else []:
        if not isinstance(category, dict) or not isinstance(category.get("keypoints"), list):
            continue
        name = str(category.get("name", "person"))[:40]
        if name.lower() not in ("person", "human", "people"):
            raise DataError(f"{where}: keypoints of {name!r}; expected those of people")
        joints = tuple(str(j).lower().replace(" ", "_") for j in category["keypoints"])
        return next((f.name for f in JOINT_FORMATS.values() if f.joints == joints), "")
    return ""


def _mmpose_joints(meta, where: str) -> str:
    """The joint format of MMPose's meta_info; DataError for animals, hands and faces."""
    name = meta.get("dataset_name") if isinstance(meta, dict) else None
    if name is None:
        return ""
    if name not in _MMPOSE:
        raise DataError(
            f"{where}: meta_info says that the joints are those of {str(name)[:40]!r}; people's "
            f"that are read: {', '.join(_MMPOSE)}"
        )
    return _MMPOSE[name]


def listed(path: Path, ending: str) -> list[str]:
    """Names of the files in folder `path` with this ending. DataError: it cannot be listed."""
    try:
        return sorted(n for n in os.listdir(path) if n.endswith(ending) and n[0] != ".")
    except OSError as error:
        raise DataError(f"{path}: cannot be listed: {error.strerror}") from error


def _is_name(value: object) -> TypeGuard[int | str]:
    """Whether the value can name an image."""
    return type(value) in (int, str)
