"""CASIA-B poses for tensorflow-datasets."""
