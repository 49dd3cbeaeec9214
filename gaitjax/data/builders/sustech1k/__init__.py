"""SUSTech1K poses for tensorflow-datasets."""
