"""Results of pose estimators, read as sequences of poses.

`read` is the door; `FORMATS` says what it reads.
"""

from gaitjax.data.readers.reading import FORMATS, PoseSequence, read

__all__ = ["FORMATS", "PoseSequence", "read"]
