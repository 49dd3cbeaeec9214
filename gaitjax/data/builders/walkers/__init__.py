"""Synthetic walkers for tensorflow-datasets."""
