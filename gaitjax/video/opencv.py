"""OpenCV, which reads and writes videos: imported when first needed, and quiet."""

import os
from types import ModuleType

from gaitjax.extras import optional


def load() -> ModuleType:
    """The module `cv2`. DataError: it is not installed."""
    # What it and FFmpeg print about a damaged video is said by us, once.
    os.environ.setdefault("OPENCV_LOG_LEVEL", "OFF")
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    return optional("cv2", "video", "reads and writes videos")
