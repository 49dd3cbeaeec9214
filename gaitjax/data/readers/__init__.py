"""Results of pose estimators, read as sequences of poses.

`read` is the door; `FORMATS` says what it reads. `sequence` makes one of a track.
"""

from gaitjax.data.readers.reading import FORMATS, PoseSequence, read, sequence

__all__ = ["FORMATS", "PoseSequence", "read", "sequence"]
