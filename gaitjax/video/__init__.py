"""People in a video or before a camera, found, followed and brought to COCO's joints.

    for track in video.read("walk.mp4"):              # the most present first
        poses = track.sequence().poses                # without holes in time, to embed

    for frame in video.follow(0):                     # a camera, while it runs
        print(frame.seconds, list(frame.people))      # name -> (17, 3) joints

Needs `gaitjax[video]` and the pose model (`python -m gaitjax.prepare pose_model`), which is looked
for in the folder that GAITJAX_POSE_MODEL of the environment names, else in
~/.cache/gaitjax/pose_model.
"""

from gaitjax.video.drawing import skeletons
from gaitjax.video.following import Frame
from gaitjax.video.reading import Track, follow, read

__all__ = ["Frame", "Track", "follow", "read", "skeletons"]
