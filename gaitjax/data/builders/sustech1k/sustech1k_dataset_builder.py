"""SUSTech1K poses for tensorflow-datasets: see `gaitjax.data.builders`."""

from gaitjax.data.builders.common import PoseBuilder


class Builder(PoseBuilder):
    """SUSTech1K poses, from the prepared folder."""
