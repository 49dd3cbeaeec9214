"""Synthetic walkers for tensorflow-datasets: see `gaitjax.data.builders`."""

from gaitjax.data.builders.common import PoseBuilder


class Builder(PoseBuilder):
    """Synthetic walkers, from the prepared folder."""
