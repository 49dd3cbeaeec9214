"""A trained network as a file that runs without gaitjax: `python -m gaitjax.export` is the command.

`program` makes one function of raw poses; `stablehlo` and `onnx` write it, `check` holds what was
written against `gaitjax.evaluate`. docs/export.md shows how each file is used.
"""
