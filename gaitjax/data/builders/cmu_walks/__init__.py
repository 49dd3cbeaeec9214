"""Walks of the CMU motion-capture database for tensorflow-datasets."""
