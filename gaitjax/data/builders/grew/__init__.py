"""GREW-Pose for tensorflow-datasets."""
