"""CCPG poses for tensorflow-datasets: see `gaitjax.data.builders`."""

from gaitjax.data.builders.common import PoseBuilder


class Builder(PoseBuilder):
    """CCPG poses, from the prepared folder."""
