"""Whose walk is this? A gallery of enrolled people, and answers about others, "unknown" among them.

`python -m gaitjax.identify` is the command; `gaitjax.Gallery` the same in Python.
"""
