"""Results of pose estimators, read as sequences of poses.

`read` gives one person, `read_people` all; `FORMATS` says what they read. `sequence` makes one of a
track. `VIDEOS` are endings of what `gaitjax.video` reads instead.
"""

from gaitjax.data.readers.reading import (
    FORMATS,
    RATES,
    VIDEOS,
    PoseSequence,
    read,
    read_people,
    sequence,
)

__all__ = ["FORMATS", "RATES", "VIDEOS", "PoseSequence", "read", "read_people", "sequence"]
