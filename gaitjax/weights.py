"""Weights as one file of plain arrays, for sharing: .npz, which NumPy reads, or .safetensors.

Keys are `params/...` and `batch_stats/...` paths; `metadata` is a JSON text that records
where the weights came from, with a digest of every array.
"""

import json
import zipfile
from pathlib import Path

import jax
import numpy as np
from flax import traverse_util

from gaitjax import digest, files
from gaitjax.errors import DamagedError, DataError, WeightsError
from gaitjax.untrusted import reading, safe_json, safe_npz, safe_tensors

SUFFIXES = (".npz", ".safetensors")


def save(path: str | Path, variables: dict, metadata: dict) -> Path:
    """Write `variables` ({"params", "batch_stats"}) and `metadata` atomically; returns the path."""
    path = Path(path)
    flat = traverse_util.flatten_dict(variables, sep="/")
    arrays = {key: np.asarray(jax.device_get(value)) for key, value in flat.items()}
    text = json.dumps(digest.sealed(metadata, variables))
    if path.suffix == ".safetensors":
        safe_tensors.save(path, arrays, {"metadata": text})
    else:
        files.write_npz(path, {"metadata": np.array(text), **arrays})
    return path


def load(path: str | Path) -> tuple[dict, dict]:
    """(variables, metadata) of a weights file.

    Raises:
      WeightsError: missing, or not one of ours.
      DamagedError: cut short, or an array is not what was written.
    """
    path = Path(path)
    if not path.is_file():
        raise WeightsError(f"{path}: no such weights file")
    _check_kind(path)
    try:
        if path.suffix == ".safetensors":
            arrays, texts = safe_tensors.load(path)
        else:
            arrays = safe_npz.load(path)
            texts = {"metadata": str(arrays.pop("metadata"))} if "metadata" in arrays else {}
        metadata = safe_json.parse(texts.get("metadata", "null").encode(), f"{path}: metadata")
    except DataError as error:
        raise DamagedError(str(error)) from error
    if not isinstance(metadata, dict) or not any(key.startswith("params/") for key in arrays):
        raise WeightsError(
            f"{path}: holds no `metadata` and `params/...`; expected a file written by "
            "gaitjax.train or by python -m converters.opengait"
        )
    metadata, digests = digest.opened(metadata, str(path))
    try:
        variables = traverse_util.unflatten_dict(arrays, sep="/")
    except (KeyError, TypeError, IndexError, AttributeError) as error:  # "a" beside "a/b"
        raise WeightsError(f"{path}: one array is named as a branch of another") from error
    digest.check(variables, digests, str(path))
    return variables, metadata


def _check_kind(path: Path) -> None:
    """WeightsError for a file of another kind, with what to do."""
    try:
        with path.open("rb") as file:
            start = file.read(16)
    except OSError as error:
        raise WeightsError(str(reading.unreadable(path, error))) from error
    if start.startswith(b"version https://"):
        raise WeightsError(f"{path}: a Git LFS pointer, not the file itself; run git lfs pull")
    if is_torch(path):
        raise WeightsError(
            f"{path}: a PyTorch file; with pip install 'gaitjax[convert]' it is converted where "
            "its config is given. Or convert it first: python -m converters.opengait --config NAME "
            f"--checkpoint {path} --output {path.stem}.npz"
        )


def is_torch(path: Path) -> bool:
    """Whether a file is what torch.save writes, now or before version 1.6."""
    try:
        with path.open("rb") as file:
            if file.read(2) == b"\x80\x02":
                return True
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith("/data.pkl") for name in archive.namelist())
    except Exception:  # no file, no archive, or damaged in any way: said by who reads it
        return False


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
