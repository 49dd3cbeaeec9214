"""CCPG poses for tensorflow-datasets."""
