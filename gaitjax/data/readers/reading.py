"""Results of pose estimators on ordinary videos as one person's sequence: `read`.

Where a frame has no number of its own, its name tells (`names`). Joints are told by the names
that a file gives, or by how many they are and what limbs can be, and brought to COCO's, or
another format's, by name. Several people are told apart and one is chosen by `pose_tracks`. x
and y are pixels, y down; confidences stay as they are.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gaitjax.data import doubts
from gaitjax.data.readers import json_files, pose_tracks, skeleton_pickles, yolo_text
from gaitjax.data.readers.video import Video, detections
from gaitjax.errors import DataError
from gaitjax.skeleton import FORMATS as JOINT_FORMATS
from gaitjax.skeleton import JointFormat, joint_format

# What is read, and by which name `format` asks for it.
FORMATS = {
    "auto": "any of the others, told by content",
    "alphapose": 'a list of {"image_id": "12.jpg", "keypoints": [x, y, c, ...], "idx": track}: '
    "AlphaPose's results, of any of its joint formats",
    "coco": 'the same list with whole numbers as image_id, maybe "track_id"; or {"images": [...], '
    '"annotations": [...]}',
    "openpose": 'a folder with one json a frame, {"people": [{"pose_keypoints_2d": [...]}]}: '
    "OpenPose's --write_json (BODY_25, COCO, BODY_25B), AlphaPose's --format open and cmu",
    "mmpose": 'a list of {"frame_id": 12, "instances": [{"keypoints": [[x, y], ...], '
    '"keypoint_scores": [c, ...]}]}, maybe as "instance_info" with "meta_info"; or a folder: '
    "MMPose's inferencer and demos (RTMPose)",
    "ultralytics": "YOLO-pose's to_json: a folder with one json a frame, or a list of them",
    "yolo_txt": "YOLO-pose's save_txt: a folder with one txt a frame",
    "mediapipe": 'MediaPipe\'s 33 landmarks: a list of frames, each a list of {"x", "y", '
    '"visibility"} or an object with "pose_landmarks"; or a folder',
    "openpifpaf": 'openpifpaf\'s lines {"frame": 1, "predictions": [...]}, or a folder of '
    ".predictions.json",
    "pyskl": "pickled annotations of pyskl and mmaction2",
}
_ALIKE = {"alphapose": ("coco", "openpose"), "coco": ("alphapose",)}  # asked -> found
VIDEOS = (".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg")
_ELSE = {  # ending -> what such a file is and what to do
    "a video": (
        VIDEOS,
        "python -m gaitjax.prepare video finds the people in it; or run a pose estimator on it, as "
        "AlphaPose, MMPose or YOLO-pose, and give its results",
    ),
    "a picture": (
        (".jpg", ".jpeg", ".png", ".bmp"),
        "run a pose estimator on all pictures of the video first, and give its results",
    ),
    "a NumPy array": (
        (".npy", ".npz"),
        "if it holds poses (frames, joints, 3), pickle it as <id>/<type>/<view>/<view>.pkl and use "
        "python -m gaitjax.prepare opengait, or pass the array to gaitjax.load(...).embed",
    ),
    "a table": (
        (".csv", ".tsv", ".xlsx"),
        "CASIA-B's csv is prepared by python -m gaitjax.prepare casiab; of other tables make a "
        "json as AlphaPose's results",
    ),
}
RATES = (20.0, 35.0)  # frames a second that networks trained at 25 to 30 may be shown


class PoseSequence(NamedTuple):
    """One person in one video.

    Attributes:
      poses: (T, V, 3) float32: x, y in pixels, confidence; missing (0, 0, 0).
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
    video: str | None = None,
    **how,
) -> PoseSequence:
    """One person of a video from a pose estimator's results.

    Args:
      path, format, video, how: as of `read_people`.
      person: which one, from 1, counting from the person seen longest and most surely
        (largest sum of mean confidences).
      track: identity given by the estimator's tracker, instead of `person`.

    Raises:
      DataError: as `read_people`; no such person.
    """
    if person < 1:
        raise DataError("person is too small")
    people = read_people(path, format, video, **how)
    chosen = _choose(path, people, person, track)
    if len(people) > 1:
        chosen = chosen._replace(
            notes=chosen.notes | {"other people in the video": len(people) - 1}
        )
    return chosen


def read_people(
    path: str | Path,
    format: str = "auto",
    video: str | None = None,
    max_gap: int = 5,
    frame_rate: float | None = None,
    resample: float | None = None,
    joints: str = "coco",
    source_joints: str = "",
    image_size: tuple[float, float] | None = None,
    last: int = 0,
) -> dict[str, PoseSequence]:
    """Everybody in a video, by the tracker's names or "1", "2", ...; the most present first.

    Args:
      path: file, or folder of files, one a frame.
      format: of `FORMATS`.
      video: which one, by its frame_dir, of a pickle with several.
      max_gap: most missing frames that are interpolated (`pose_tracks.fill`).
      frame_rate: of the frames, in frames a second. Results do not hold it. Networks were
        trained on 25 to 30; others are noted.
      resample: frame rate to convert to; needs `frame_rate`.
      joints: joint format of the sequences; joints that the file lacks stay missing.
      source_joints: joint format of the file; "": as it says, or by what limbs can be.
      image_size: (width, height) in pixels; needed where x and y are shares of the image.
      last: look at so many newest frames alone, of a folder of a file a frame, or of lines that
        another process goes on writing; 0: at all. What is being written is left out.

    Raises:
      DataError: unreadable or malformed file, unknown format, nobody is there.
    """
    _check(format, max_gap, frame_rate, resample, joints, source_joints, image_size)
    opened, fmt = _open(Path(path), format, video, last), joint_format(joints)
    frames, said = detections(opened, fmt, source_joints, image_size, max_gap)
    people = pose_tracks.tracks(frames, max_gap)
    if not people:
        raise DataError(
            f"{opened.where}: no person in any of its {len(frames)} frames; expected the joints of "
            "somebody in some: look whether the pose estimator found anybody, or try another video"
        )
    return {
        name: sequence(track, fmt, max_gap, frame_rate, resample, said) for name, track in people
    }


def sequence(
    track: pose_tracks.Track,
    joints: JointFormat,
    max_gap: int = 5,
    frame_rate: float | None = None,
    resample: float | None = None,
    said: Sequence[str] = (),
) -> PoseSequence:
    """One person's track without holes in time, with all that is to be said of it.

    Args:
      joints: its joint format.
      max_gap, frame_rate, resample: as of `read_people`.
      said: what is to be said besides.
    """
    poses, numbers, notes = pose_tracks.fill(track, max_gap)
    said = list(said)
    if resample and frame_rate and resample != frame_rate:
        poses, nearest = pose_tracks.resample(poses, frame_rate, resample)
        numbers, frame_rate = numbers[nearest], resample
    if frame_rate and not RATES[0] <= frame_rate <= RATES[1]:
        said.append(f"{frame_rate:g} frames a second, where networks know 25 to 30: resample")
    said += doubts.of(poses, joints)
    return PoseSequence(poses, numbers, frame_rate, notes | dict.fromkeys(said, len(poses)))


def _check(format, max_gap, frame_rate, resample, joints, source_joints, image_size) -> None:
    if format not in FORMATS:
        raise DataError(f"pose format {format!r}; known: {', '.join(FORMATS)}")
    for what, name in (("joints", joints), ("source_joints", source_joints or "coco")):
        if name not in JOINT_FORMATS:
            raise DataError(f"{what} is {name!r}; known: {', '.join(JOINT_FORMATS)}")
    if max_gap < 0:
        raise DataError("max_gap is too small")
    for what, rate in (("frame_rate", frame_rate), ("resample", resample)):
        if rate is not None and not 1 <= rate <= 1000:
            raise DataError(f"{what} is {rate}; expected 1 to 1000 frames a second")
    if resample and not frame_rate:
        raise DataError("to resample, give the frame_rate of the video too")
    if image_size is not None and not all(1 <= side <= 100_000 for side in image_size):
        raise DataError(f"image_size is {image_size}; expected (width, height) in pixels")


def _choose(path, people: dict[str, PoseSequence], person: int, track: str | None) -> PoseSequence:
    listed = ", ".join(f"{n} ({len(s.poses)} frames)" for n, s in list(people.items())[:8])
    if track is not None:
        if track not in people:
            raise DataError(f"{path}: no track {track!r}; the longest ones: {listed}")
        return people[track]
    if person > len(people):
        raise DataError(f"{path}: no person {person}; found {len(people)}: {listed}")
    return list(people.values())[person - 1]


def _open(path: Path, format: str, video: str | None, last: int) -> Video:
    """What the files hold, of the asked format. DataError: of another, or of none."""
    ending = path.suffix.lower()
    if path.is_dir():
        found, opened = _open_folder(path, last)
    elif ending in (".pkl", ".pickle"):
        found, opened = "pyskl", skeleton_pickles.open_file(path, video)
    else:
        for what, (endings, advice) in _ELSE.items():
            if ending in endings:
                raise DataError(f"{path}: {what}, no results of a pose estimator; {advice}")
        if ending == ".txt":
            raise DataError(f"{path}: one frame of YOLO-pose; give the folder that holds it")
        found, opened = json_files.open_file(path, last)
    if format not in ("auto", found) and found not in _ALIKE.get(format, ()):
        raise DataError(f"{path}: looks like {found}, not {format}; leave the format out")
    return opened


def _open_folder(path: Path, last: int) -> tuple[str, Video]:
    if names := json_files.listed(path, ".json"):
        return json_files.open_folder(path, _newest(names, last))
    if names := json_files.listed(path, ".txt"):
        return "yolo_txt", yolo_text.open_folder(path, _newest(names, last))
    found = ", ".join(json_files.listed(path, "")[:4])
    raise DataError(
        f"{path}: no .json file in this folder, nor YOLO's .txt (found {found or 'nothing'}); "
        "expected one for each frame"
    )


def _newest(names: list[str], last: int) -> list[str]:
    """The last of numbered names; the very newest, still being written, is left out."""
    return sorted(names, key=lambda name: (len(name), name))[-last - 1 : -1] if last else names
