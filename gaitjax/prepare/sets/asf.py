"""Motion capture in Acclaim's ASF (skeleton) and AMC (motion) files, and where the joints are.

An ASF file lists bones: a direction and a length in the rest pose, the orientation of the
bone's own axes, its degrees of freedom (dof), and who hangs on whom. An AMC file gives for
each frame the position and rotation of the root and the angles of each bone, in the order
of its dof. With C the bone's axes and L its rotation in them, a bone turns by

    G = G(parent) C L C^-1,    end = end(parent) + G direction length.

Rotations listed "rx ry rz" are applied in that order, x first. Limits, masses and whatever
a viewer draws are skipped. Formats: Acclaim's ASF/AMC documentation as kept at
research.cs.wisc.edu/graphics/Courses/cs-838-1999/Jeff/ASF-AMC.html; lengths in metres: the
FAQ of mocap.cs.cmu.edu (inches divided by the `length` of `:units`).
"""

import math
import os
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gaitjax.errors import DataError

ROOT = "root"
_INCH = 0.0254
_MAX_BYTES = 64 << 20  # a skeleton has 10 kB, a minute of motion 6 MB
_ROTATIONS = {"rx": 0, "ry": 1, "rz": 2}


class Bone(NamedTuple):
    """One bone; vectors are in the rest pose.

    Attributes:
      parent: name of the bone it hangs on, or "root".
      offset: (3,) from its start to its end, metres.
      axes: (3, 3) rotation whose columns are the axes that its angles turn about.
      dof: axis number (0 x, 1 y, 2 z) of each of its angles, in the order of the file.
    """

    name: str
    parent: str
    offset: np.ndarray
    axes: np.ndarray
    dof: tuple[int, ...]


class Skeleton(NamedTuple):
    """An ASF file.

    Attributes:
      bones: parents before children.
      metres: length of a unit of the files.
      radians: size of a unit of the angles.
      root_order: what the root's six numbers are, such as ("tx", ..., "rz").
      root_axes: (3, 3), as `Bone.axes`.
      root_position: (3,) metres.
    """

    bones: tuple[Bone, ...]
    metres: float
    radians: float
    root_order: tuple[str, ...]
    root_axes: np.ndarray
    root_position: np.ndarray


class Pose(NamedTuple):
    """Where a bone is in each of T frames.

    Attributes:
      end: (T, 3) metres; of the root its position.
      turn: (T, 3, 3) rotation from the rest pose.
    """

    end: np.ndarray
    turn: np.ndarray


def read_skeleton(path: str | os.PathLike) -> Skeleton:
    """The skeleton in an ASF file; DataError says what is wrong with the file."""
    sections = _sections(path)
    try:
        units = {words[0]: words[1] for words in sections["units"]}
        unit = float(units["length"])
        if not unit > 0:
            raise ValueError(f"length {unit} in :units")
        metres = _INCH / unit
        radians = {"deg": math.pi / 180, "rad": 1.0}[units.get("angle", "deg")]
        root = {words[0]: words[1:] for words in sections["root"]}
        order = tuple(word.lower() for word in root["order"])
        if sorted(order) != ["rx", "ry", "rz", "tx", "ty", "tz"]:
            raise ValueError(f"order {' '.join(order)} of the root")
        root_axes = _axes(root["orientation"], root["axis"][0], radians)
        position = metres * _vector(root["position"])
        bones = {b["name"][0]: b for b in _blocks(sections["bonedata"])}
        parents = {
            child: words[0]
            for block in _blocks(sections["hierarchy"], keyed=False)
            for words in block
            for child in words[1:]
        }
        if parents.keys() != bones.keys():
            odd = sorted(parents.keys() ^ bones.keys())
            raise ValueError(f"{', '.join(odd[:3])} in only one of :bonedata and :hierarchy")
        made = {
            name: Bone(
                name=name,
                parent=parents[name],
                offset=_direction(b["direction"]) * float(b["length"][0]) * metres,
                axes=_axes(b["axis"][:3], b["axis"][3], radians),
                dof=tuple(_ROTATIONS[word.lower()] for word in b.get("dof", ())),
            )
            for name, b in bones.items()
        }
        ordered, placed = [], {ROOT}
        while len(ordered) < len(made):
            ready = [b for b in made.values() if b.parent in placed and b.name not in placed]
            if not ready:
                raise ValueError("bones of :hierarchy that do not hang on the root")
            ordered += ready
            placed |= {b.name for b in ready}
        if not all(np.isfinite(b.offset).all() for b in ordered):
            raise ValueError("a bone whose direction or length is not finite")
    except (KeyError, IndexError, ValueError) as error:
        raise DataError(
            f"{path}: not a skeleton that can be read: {_reason(error)}; expected an ASF file with "
            ":units, :root, :bonedata and :hierarchy"
        ) from None
    return Skeleton(tuple(ordered), metres, radians, order, root_axes, position)


def read_motion(
    path: str | os.PathLike, skeleton: Skeleton, root_alone: bool = False
) -> dict[str, np.ndarray]:
    """The numbers in an AMC file: root (T, 6), each bone with angles (T, len(dof)) float64.

    With `root_alone`, which is quicker, other bones are not read and have angles of 0.

    Raises:
      DataError: no frames, frames that are not numbered one after the other, a bone of the
        skeleton without its numbers or with others, a bone that the skeleton lacks.
    """
    expected = {bone.name: len(bone.dof) for bone in skeleton.bones if bone.dof}
    expected[ROOT] = 6
    rows = {name: [] for name in expected if name == ROOT or not root_alone}
    frame, frames = None, 0

    number = 0

    def wrong(number: int, found) -> DataError:
        return DataError(
            f"{path}, line {number}: found {found}; the file is damaged or of another skeleton"
        )

    def check_complete(number: int) -> None:
        missing = [name for name, values in rows.items() if len(values) != frames]
        if missing:
            raise wrong(number, f"no single line for {', '.join(missing[:3])} in frame {frame}")

    for number, line in enumerate(_text(path).splitlines(), start=1):
        words = line.split()
        if not words or words[0][0] in "#:":
            continue
        name, values = words[0], words[1:]
        if not values and name.isdecimal() and len(name) < 10:
            check_complete(number)
            if frame is not None and int(name) != frame + 1:
                raise wrong(number, f"frame {name} after {frame}")
            frame, frames = int(name), frames + 1
            continue
        if frame is None:
            raise wrong(number, f"{name[:40]!r} before the first frame")
        if name not in expected:
            raise wrong(number, f"{name[:40]!r}, which the skeleton has not or not movable")
        if name not in rows:
            continue
        try:
            values = [float(value) for value in values]
        except ValueError as error:
            raise wrong(number, str(error)[:100]) from None
        if len(values) != expected[name] or not all(map(math.isfinite, values)):
            raise wrong(number, f"{line[:60]!r}; {name} takes {expected[name]} finite numbers")
        rows[name].append(values)
    check_complete(number)
    if not frames:
        raise DataError(f"{path}: no frame in it; expected an AMC file. Copy it again")
    still = {name: np.zeros((frames, count)) for name, count in expected.items()}
    return still | {name: np.array(values) for name, values in rows.items()}


def pose(skeleton: Skeleton, motion: dict[str, np.ndarray]) -> dict[str, Pose]:
    """Forward kinematics: the end and turn of each bone, by name, and of the root.

    Coordinates are those of the files: y up, metres.
    """
    columns = {word: motion[ROOT][:, i] for i, word in enumerate(skeleton.root_order)}
    position = np.stack([columns[word] for word in ("tx", "ty", "tz")], axis=-1)
    turns = [word for word in skeleton.root_order if word in _ROTATIONS]
    angles = skeleton.radians * np.stack([columns[word] for word in turns], axis=-1)
    axes = skeleton.root_axes
    turn = axes @ _rotation(angles, [_ROTATIONS[word] for word in turns]) @ axes.T
    poses = {ROOT: Pose(skeleton.root_position + skeleton.metres * position, turn)}
    for bone in skeleton.bones:
        parent = poses[bone.parent]
        turn = parent.turn
        if bone.dof:
            local = _rotation(skeleton.radians * motion[bone.name], bone.dof)
            turn = turn @ bone.axes @ local @ bone.axes.T
        poses[bone.name] = Pose(parent.end + turn @ bone.offset, turn)
    return poses


def _rotation(angles: np.ndarray, axes) -> np.ndarray:
    """(T, n) radians about `axes`, the first applied first -> (T, 3, 3)."""
    turn = np.broadcast_to(np.eye(3), (len(angles), 3, 3))
    for angle, axis in zip(angles.T, axes, strict=True):
        i, j = (axis + 1) % 3, (axis + 2) % 3
        single = np.zeros((len(angles), 3, 3))
        single[:, axis, axis] = 1
        single[:, i, i] = single[:, j, j] = np.cos(angle)
        single[:, j, i] = np.sin(angle)
        single[:, i, j] = -single[:, j, i]
        turn = single @ turn
    return turn


def _axes(angles: list[str], order: str, radians: float) -> np.ndarray:
    """The rotation that "axis a b c ORDER" describes, (3, 3)."""
    letters = order.lower()
    if sorted(letters) != ["x", "y", "z"]:
        raise ValueError(f"axis order {order[:20]!r}")
    return _rotation(radians * _vector(angles)[None], ["xyz".index(c) for c in letters])[0]


def _direction(words: list[str]) -> np.ndarray:
    vector = _vector(words)
    return vector / np.linalg.norm(vector)


def _vector(words: list[str]) -> np.ndarray:
    if len(words) != 3:
        raise ValueError(f"{' '.join(words)[:40]!r} for three numbers")
    vector = np.array([float(word) for word in words])
    if not np.isfinite(vector).all():
        raise ValueError(f"{' '.join(words)[:40]!r} for three finite numbers")
    return vector


def _sections(path: str | os.PathLike) -> dict[str, list[list[str]]]:
    """The words of each line after each ":keyword"."""
    sections = {}
    lines = sections.setdefault("", [])
    for line in _text(path).splitlines():
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if words[0].startswith(":"):
            lines = sections.setdefault(words[0][1:].lower(), [])
        else:
            lines.append(words)
    return sections


def _blocks(lines: list[list[str]], keyed: bool = True) -> list:
    """What stands between each "begin" and "end": lines, or a dict by their first words."""
    blocks, block = [], None
    for words in lines:
        if words[0] == "begin":
            block = []
        elif words[0] == "end" and block is not None:
            blocks.append({w[0]: w[1:] for w in block} if keyed else block)
            block = None
        elif block is not None:
            block.append(words)
    return blocks


def _text(path: str | os.PathLike) -> str:
    try:
        with open(Path(path), "rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    if len(data) > _MAX_BYTES:
        raise DataError(f"{path}: more than {_MAX_BYTES >> 20} MiB; no such file is so big")
    return re.sub(r"[^\t\n\r -~]", "?", data.decode("latin-1"))


def _reason(error: Exception) -> str:
    return (f"no {error.args[0]!r}" if isinstance(error, KeyError) else str(error))[:100]
