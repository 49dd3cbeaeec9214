"""Weights as one .npz file of plain arrays, for sharing: readable with NumPy alone.

Keys are `params/...` and `batch_stats/...` paths; `metadata` is a JSON text that records
where the weights came from.
"""

import json
import os
import zipfile
from pathlib import Path

import jax
import numpy as np
from flax import traverse_util

from gaitjax.errors import WeightsError


def save(path: str | Path, variables: dict, metadata: dict) -> Path:
    """Write `variables` ({"params", "batch_stats"}) and `metadata` atomically; returns the path."""
    path = Path(path)
    flat = traverse_util.flatten_dict(variables, sep="/")
    arrays = {key: np.asarray(jax.device_get(value)) for key, value in flat.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.npz")
    try:
        np.savez(temporary, metadata=np.array(json.dumps(metadata)), **arrays)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return path


def load(path: str | Path) -> tuple[dict, dict]:
    """(variables, metadata) of a weights file.

    Raises WeightsError if the file is missing, truncated or not one of ours.
    """
    path = Path(path)
    if not path.is_file():
        raise WeightsError(f"{path}: no such weights file")
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {key: file[key] for key in file.files}
    except (ValueError, OSError, zipfile.BadZipFile, EOFError) as error:
        raise WeightsError(f"{path}: not a readable .npz weights file ({error})") from error
    if "metadata" not in arrays or not any(key.startswith("params/") for key in arrays):
        raise WeightsError(
            f"{path}: an .npz without `metadata` and `params/...`; expected a file written by "
            "gaitjax.train or by python -m converters.opengait"
        )
    metadata = json.loads(str(arrays.pop("metadata")))
    return traverse_util.unflatten_dict(arrays, sep="/"), metadata


def fit(variables: dict, template: dict, source: str, strict: bool = True):
    """`variables` in the structure of `template`, with a report of what was left out.

    With `strict` every leaf must be there with its shape. Otherwise leaves that do not fit
    keep the template's value (so `template` must hold arrays).

    Returns:
      (variables, report): report lists "path: reason" for each leaf not loaded or not used.
    Raises:
      WeightsError: strict, and something does not fit; all problems are listed.
    """
    have = traverse_util.flatten_dict(variables, sep="/")
    want = traverse_util.flatten_dict(template, sep="/")
    out, report = {}, []
    for key, leaf in want.items():
        found = have.get(key)
        if found is None:
            report.append(f"{key}: not in the file")
        elif tuple(found.shape) != tuple(leaf.shape):
            report.append(f"{key}: shape {tuple(found.shape)}, the network has {leaf.shape}")
        else:
            out[key] = np.asarray(found, leaf.dtype)
            continue
        out[key] = leaf
    report += [f"{key}: not in the network" for key in have if key not in want]
    if strict and report:
        shown = "\n  ".join(report[:20] + ([f"and {len(report) - 20} more"] if report[20:] else []))
        raise WeightsError(f"{source} does not fit the network of this config:\n  {shown}")
    return traverse_util.unflatten_dict(out, sep="/"), report
