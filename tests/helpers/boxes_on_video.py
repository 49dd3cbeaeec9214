"""Videos of white boxes that walk, and a pose model that takes a white box for a person.

Its two networks stand in for BlazePose's, behind the runtime's own interface: the detector marks
white boxes in its 224 pixels, the other puts joints at fixed places of the box nearest to the
middle of its 256.
"""

import sys
from types import SimpleNamespace

import numpy as np

from gaitjax.skeleton.formats import BLAZEPOSE
from gaitjax.video.detector import anchors

DETECTOR, LANDMARKS = b"marks boxes", b"joints of a box"
# Where a joint lies in the box, by name: shares of its width and height.
HEIGHTS = {"shoulder": 0.2, "elbow": 0.35, "wrist": 0.5, "hip": 0.5, "knee": 0.75, "ankle": 0.95}


def place(joint: str) -> tuple[float, float]:
    """Shares of the box's width, from the left of the image, and height."""
    side, _, rest = joint.partition("_")
    return {"left": 0.9, "right": 0.1}.get(side, 0.5), HEIGHTS.get(rest, 0.05)


def write(path, boxes, size=(320, 240), fps=25.0, code="MJPG"):
    """A video (.avi) of white boxes on black.

    Args:
      boxes: for each frame a list of (left, top, width, height), whole pixels.
    """
    import cv2

    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*code), fps, size)
    assert writer.isOpened()
    for frame in boxes:
        image = np.zeros((size[1], size[0], 3), np.uint8)
        for left, top, width, height in frame:
            image[top : top + height, left : left + width] = 255
        writer.write(image)
    writer.release()


def install(monkeypatch, folder):
    """The pose model in `folder`, and the runtime that runs it."""
    folder.mkdir()
    (folder / "pose_detection.tflite").write_bytes(DETECTOR)
    (folder / "pose_landmark_full.tflite").write_bytes(LANDMARKS)
    runtime = SimpleNamespace(Interpreter=_Interpreter)
    monkeypatch.setitem(sys.modules, "ai_edge_litert", SimpleNamespace(interpreter=runtime))
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", runtime)
    return folder


class _Interpreter:
    """As ai_edge_litert.interpreter.Interpreter, of the two networks above."""

    def __init__(self, model_content, num_threads=None):
        if model_content not in (DETECTOR, LANDMARKS):
            raise ValueError("The model is not a valid Flatbuffer buffer")
        self.detects = model_content == DETECTOR

    def allocate_tensors(self):
        pass

    def get_input_details(self):
        side = 224 if self.detects else 256
        return [{"index": 0, "shape": np.array([1, side, side, 3])}]

    def get_output_details(self):
        shapes = ((1, 2254, 12), (1, 2254, 1)) if self.detects else ((1, 1), (1, 64), (1, 195))
        return [{"index": i, "shape": np.array(shape)} for i, shape in enumerate(shapes, 1)]

    def set_tensor(self, index, value):
        assert value.dtype == np.float32 and value.flags.c_contiguous
        self.image = value[0]

    def invoke(self):
        self.out = (_detect if self.detects else _joints)(self.image)

    def get_tensor(self, index):
        return self.out[index][None]


def _boxes(image, threshold):
    """(N, 4) left, top, right, bottom of the white boxes."""
    import cv2

    white = (image.mean(axis=2) > threshold).astype(np.uint8)
    _, _, found, _ = cv2.connectedComponentsWithStats(white)
    found = found[1:].astype(float)
    found = found[found[:, 4] > 20]
    return np.concatenate([found[:, :2], found[:, :2] + found[:, 2:4]], axis=1)


def _detect(image):
    raw, logits = np.zeros((2254, 12), np.float32), np.full((2254, 1), -9, np.float32)
    for left, top, right, bottom in _boxes(image, 0.0):
        hips, head = ((left + right) / 2, (top + bottom) / 2), ((left + right) / 2, top)
        centre = 224 * anchors()
        nearest = np.abs(centre - hips).sum(axis=1).argmin()
        points = [p - centre[nearest] for p in (hips, hips, head, hips, head)]
        size = [right - left, bottom - top]
        raw[nearest] = np.concatenate([points[0], size, *points[1:]])
        logits[nearest] = 4
    return {1: raw, 2: logits}


def _joints(image):
    found = _boxes(image, 0.5)
    numbers = np.zeros((39, 5), np.float32)
    score = np.array([0.02 if not len(found) else 0.97], np.float32)
    if len(found):
        middle = (found[:, :2] + found[:, 2:]) / 2
        left, top, right, bottom = found[np.abs(middle - 128).sum(axis=1).argmin()]
        for i, joint in enumerate(BLAZEPOSE.joints):
            x, y = place(joint)
            numbers[i, :2] = left + x * (right - left), top + y * (bottom - top)
        numbers[33, :2] = (left + right) / 2, (top + bottom) / 2
        numbers[34, :2] = (left + right) / 2, top
        numbers[:, 3] = 5
    return {1: score, 2: np.zeros(64, np.float32), 3: numbers.ravel()}
