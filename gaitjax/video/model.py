"""The pose model: where its two files lie, and the networks in them.

BlazePose (arXiv:2006.10204; Apache-2.0): a detector of people and a network that finds the joints
of one. `python -m gaitjax.prepare pose_model` fetches them.
"""

import os
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gaitjax import files
from gaitjax.errors import DataError
from gaitjax.extras import optional
from gaitjax.untrusted import archives, reading

VARIABLE = "GAITJAX_POSE_MODEL"  # of the environment: the folder or .task file
FOLDER = "~/.cache/gaitjax/pose_model"  # where it is looked for otherwise
# Names in MediaPipe's wheel and in its .task files; for the joints also its large and small ones.
DETECTOR = ("pose_detection.tflite", "pose_detector.tflite")
LANDMARKS = (
    "pose_landmark_full.tflite", "pose_landmarks_detector.tflite", "pose_landmark_heavy.tflite",
    "pose_landmark_lite.tflite",
)  # fmt: skip
_LIMIT = 100 * 2**20  # bytes of a network

Network = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


class PoseModel(NamedTuple):
    """The two networks, each from an image (H, W, 3) float32 RGB to two arrays.

    Attributes:
      detector: (224, 224, 3), values -1 to 1, to (2254, 12) places and (2254, 1) logits.
      landmarks: (256, 256, 3), values 0 to 1, to (195,) numbers of 39 points and (1,) the
        probability that they are a person's.
    """

    detector: Network
    landmarks: Network


def place(given: str | os.PathLike | None = None) -> Path:
    """The folder or .task file to use: the given one, else the environment's, else `FOLDER`."""
    return files.expanded(given or os.environ.get(VARIABLE) or FOLDER)


def load(given: str | os.PathLike | None = None) -> PoseModel:
    """The networks in a folder or .task file; see `place`.

    Raises:
      DataError: not there, no such networks, or `gaitjax[video]` is not installed.
    """
    where = place(given)
    if not where.exists():
        raise DataError(
            f"{where}: no pose model there; fetch it with python -m gaitjax.prepare pose_model "
            f"--output {where if not where.suffix else where.parent}, or name its folder or .task "
            f"file (--pose_model, or {VARIABLE} in the environment)"
        )
    detector, landmarks = read(where)
    return PoseModel(
        _network(*detector, (224, 224, 3), ((2254, 12), (2254, 1))),
        _network(*landmarks, (256, 256, 3), ((195,), (1,))),
    )


def read(where: Path) -> tuple[tuple[str, bytes], tuple[str, bytes]]:
    """(name, bytes) of the detector and of the network of joints in a folder, .task file or wheel.

    Raises:
      DataError: unreadable, damaged, or one of them is missing.
    """
    if where.is_dir():
        names = {path.name: path for path in sorted(where.iterdir())}
        first, second = (_pick(where, names, wanted) for wanted in (DETECTOR, LANDMARKS))
        return (str(first), reading.read(first, _LIMIT)), (
            str(second),
            reading.read(second, _LIMIT),
        )
    reading.check_plain(where)
    try:
        with zipfile.ZipFile(where) as archive:
            archives.check_expansion(where, archive.infolist())
            names = {m.filename.rpartition("/")[2]: m for m in archive.infolist()}
            first, second = (_pick(where, names, wanted) for wanted in (DETECTOR, LANDMARKS))
            return (
                (f"{where}:{first.filename}", archive.read(first)),
                (f"{where}:{second.filename}", archive.read(second)),
            )
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise DataError(
            f"{where}: no .task file, which is a zip archive, or a damaged one: {error}"
        ) from None


def _pick(where: Path, names: dict, wanted: tuple[str, ...]):
    found = next((names[name] for name in wanted if name in names), None)
    if found is None:
        held = ", ".join(sorted(names)[:4]) or "nothing"
        raise DataError(
            f"{where}: no {' or '.join(wanted[:2])} in it (it holds {held}); expected the two "
            "files that python -m gaitjax.prepare pose_model writes"
        )
    return found


def _network(where: str, content: bytes, image: tuple, outputs: tuple) -> Network:
    """The network in a .tflite file. DataError: it does not map `image` to `outputs`.

    Several threads may call it at once: each has an interpreter of its own.
    """
    runtime = optional("ai_edge_litert.interpreter", "video", "runs the pose model")

    def interpreter():
        made = runtime.Interpreter(model_content=content, num_threads=1)
        made.allocate_tensors()
        return made

    own = threading.local()
    try:
        own.interpreter = interpreter()
    except (ValueError, RuntimeError) as error:
        raise DataError(
            f"{where}: no network of TensorFlow Lite, or a damaged one: {error}"
        ) from None
    (into, *more), told = own.interpreter.get_input_details(), own.interpreter.get_output_details()
    by_shape = {tuple(map(int, out["shape"][1:])): out["index"] for out in told}
    found = tuple(map(int, into["shape"][1:]))
    if more or found != image or not set(outputs) <= set(by_shape):
        raise DataError(
            f"{where}: a network from {found} to {', '.join(map(str, by_shape))}; expected "
            f"one from {image} to {', '.join(map(str, outputs))}, as BlazePose's"
        )
    first, second = (by_shape[shape] for shape in outputs)

    def run(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if not hasattr(own, "interpreter"):
            own.interpreter = interpreter()
        own.interpreter.set_tensor(into["index"], pixels[None])
        own.interpreter.invoke()
        return own.interpreter.get_tensor(first)[0], own.interpreter.get_tensor(second)[0]

    return run
