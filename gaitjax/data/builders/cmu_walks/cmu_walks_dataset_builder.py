"""Walks of the CMU motion-capture database for tensorflow-datasets: see `gaitjax.data.builders`."""

from gaitjax.data.builders.common import PoseBuilder


class Builder(PoseBuilder):
    """Walks of the CMU motion-capture database, from the prepared folder."""
