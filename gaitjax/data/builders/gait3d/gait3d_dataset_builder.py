"""Gait3D-Pose for tensorflow-datasets: see `gaitjax.data.builders`."""

from gaitjax.data.builders.common import PoseBuilder


class Builder(PoseBuilder):
    """Gait3D-Pose, from the prepared folder."""
