"""OUMVLP-Pose for tensorflow-datasets: see `gaitjax.data.builders`."""

from gaitjax.data.builders.common import PoseBuilder


class Builder(PoseBuilder):
    """OUMVLP-Pose, from the prepared folder."""
