"""Gait3D-Pose for tensorflow-datasets."""
