"""OUMVLP-Pose for tensorflow-datasets."""
