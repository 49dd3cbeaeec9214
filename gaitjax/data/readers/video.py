"""What a file of pose estimates holds, before anybody is chosen: frames, people, joint format."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from gaitjax.data.readers import names
from gaitjax.data.readers.people import Frame
from gaitjax.data.readers.pose_tracks import Detection
from gaitjax.errors import DataError
from gaitjax.skeleton import FORMATS, JointFormat, convert, is_body, joint_format, tell, with_joints
from gaitjax.untrusted import safe_json

MAX_PEOPLE = 200  # in one frame
_SHARES = 1.5  # coordinates up to this are shares of the image; a person has more pixels


class Video(NamedTuple):
    """The estimates of one video as they stand in its files.

    Attributes:
      where: begins errors.
      frames: in the order of the files.
      joints: joint format that the files name, or "".
      size: (width, height) of the image, if the files say it.
      notes: what is to be said.
      in_order: the frames follow each other as in the video, whatever their names.
    """

    where: str
    frames: list[Frame]
    joints: str = ""
    size: tuple[float, float] | None = None
    notes: tuple[str, ...] = ()
    in_order: bool = True


def detections(
    video: Video,
    want: JointFormat,
    source_joints: str = "",
    image_size: tuple[float, float] | None = None,
    max_gap: int = 0,
) -> tuple[dict[int, list[Detection]], list[str]]:
    """Frame number -> the people in it, in pixels and in joint format `want`; what is to be said.

    Args:
      source_joints: joint format of the file, where it cannot be told.
      image_size: (width, height) in pixels, where x and y are shares of the image.
      max_gap: as of `pose_tracks.fill`.

    Raises:
      DataError: another number of joints than any format has, or than `source_joints`; limbs
        of no person; shares of an image of unknown size; names that do not tell frames.
    """
    merged: dict[int | str, list] = {}
    for frame in video.frames:
        merged.setdefault(frame.name, []).extend(frame.people)
        if len(merged[frame.name]) > MAX_PEOPLE:
            raise DataError(
                f"{video.where}, frame {str(frame.name)[:60]!r}: more than {MAX_PEOPLE} people in "
                "a frame"
            )
    numbers, said = names.frame_numbers(video.where, list(merged), video.in_order)
    places, in_steps = names.evenly(list(numbers.values()), max_gap)
    said = [*video.notes, *said, *in_steps]
    people = [(frame, person) for frame, found in merged.items() for person in found]
    for _, person in people:
        person.joints[~(np.abs(person.joints) <= safe_json.FARTHEST).all(axis=1)] = 0.0
    people = [(frame, person) for frame, person in people if person.joints[:, 2].any()]
    result = {places[number]: [] for number in sorted(numbers.values())}
    if not people:
        return result, said
    poses = _stacked(video.where, [person.joints for _, person in people])
    poses, scaled = _pixels(video.where, poses, image_size or video.size)
    fmt = _format(video, poses, source_joints)
    conversion = convert(fmt, want, partial=True)
    if conversion.missing:
        said.append(f"joints that {fmt.name} does not have: {', '.join(conversion.missing)}")
    for (frame, person), joints in zip(people, conversion(poses), strict=True):
        if joints[:, 2].any():
            result[places[numbers[frame]]].append(Detection(joints, person.track))
    return result, said + scaled


def _stacked(where: str, people: Iterable[np.ndarray]) -> np.ndarray:
    people = list(people)
    counts = sorted({len(joints) for joints in people})
    if len(counts) > 1:
        listed = " and ".join(map(str, counts))
        raise DataError(f"{where}: people of {listed} joints; expected one joint format")
    return np.stack(people)


def _pixels(
    where: str, poses: np.ndarray, size: tuple[float, float] | None
) -> tuple[np.ndarray, list[str]]:
    """Poses (N, V, 3) in pixels, which the files may give as shares of the image."""
    xy = poses[poses[..., 2] > 0][:, :2]
    # A few joints may be estimated outside of the image.
    if np.quantile(np.abs(xy), 0.95) > _SHARES:
        return poses, []
    if size is None:
        raise DataError(
            f"{where}: x and y from {xy.min():.3g} to {xy.max():.3g} are shares of the image, not "
            "pixels; say its size with --image_size WIDTHxHEIGHT (image_size=(width, height))"
        )
    centred = np.quantile(xy, 0.05) < 0  # OpenPose's --keypoint_scale 4
    poses = poses.copy()
    seen = poses[..., 2:] > 0
    shares = (poses[..., :2] + 1) / 2 if centred else poses[..., :2]
    poses[..., :2] = np.where(seen, shares * np.array(size), 0)
    between = "-1 and 1" if centred else "0 and 1"
    width, height = size
    return poses, [f"x and y between {between} taken as shares of {width:g} x {height:g} pixels"]


def _format(video: Video, poses: np.ndarray, source_joints: str) -> JointFormat:
    """The joint format: as told, as the file names it, or by what limbs can be."""
    count = poses.shape[1]
    if source_joints and source_joints not in FORMATS:
        raise DataError(f"joint format {source_joints!r}; known: {', '.join(FORMATS)}")
    if name := source_joints or video.joints:
        fmt = joint_format(name)
        if fmt.num_joints != count:
            raise DataError(
                f"{video.where}: {count} joints; joint format {name} has {fmt.num_joints}"
            )
        return fmt
    fmt = tell(poses)
    if fmt is None or not is_body(poses, fmt):
        tried = " or ".join(f.name for f in with_joints(count))
        raise DataError(
            f"{video.where}: {count} joints that lie as no person's in joint format {tried}: "
            "arms and legs would reach across the whole body. Say what they are with "
            f"--source_joints (known: {', '.join(FORMATS)})"
        )
    return fmt
