"""CASIA-B poses for tensorflow-datasets: see `gaitjax.data.builders`."""

from gaitjax.data.builders.common import PoseBuilder


class Builder(PoseBuilder):
    """CASIA-B poses, from the prepared folder."""
