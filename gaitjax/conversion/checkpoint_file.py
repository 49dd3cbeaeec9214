"""PyTorch checkpoint files: read as NumPy arrays, and written. The only file that knows torch.

Nothing in a file is run: torch reads it with `weights_only=True`, and a file that names any
other Python object is refused.
"""

import hashlib
import os
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import ml_dtypes
import numpy as np
from tqdm import tqdm

from gaitjax.errors import DataError
from gaitjax.extras import optional

ZIP, PICKLE = b"PK\x03\x04", b"\x80\x02"  # first bytes of torch's two file formats


class Checkpoint(NamedTuple):
    """What a file holds: arrays by torch key, iteration if it says so, SHA-256 of the file."""

    state: dict[str, np.ndarray]
    iteration: int | None
    sha256: str


class _Blank:
    """Stands for an object of the training program that we do not need: keeps nothing."""

    def __init__(self, *args):
        pass

    def __setstate__(self, state):
        pass


def _nothing(*args):
    """Stands for `getattr`, which older torch stores to name a function of its scheduler."""


# What training programs leave beside the weights; each is read as nothing instead.
STAND_INS = (
    (_nothing, "builtins.getattr"),
    (_Blank, "torch.optim.lr_scheduler.OneCycleLR"),  # its function, in files of torch < 2
    (_Blank, "argparse.Namespace"),  # command-line options, in GaitGraph's own files
)


def _torch():
    return optional("torch", "convert", "reads and writes PyTorch's checkpoint files")


def read(path: str | Path) -> Checkpoint:
    """The weights in a checkpoint, a bare state dict, or a Lightning checkpoint.

    Arrays are views of the mapped file where its format allows it, so optimiser state is
    never read.

    Raises:
      DataError: no such file, not a whole PyTorch file, other Python objects in it, or no
        weights; says how to mend it.
    """
    torch = _torch()
    path = Path(path)
    _check_kind(path)
    try:
        with torch.serialization.safe_globals(list(STAND_INS)):
            content = torch.load(path, map_location="cpu", weights_only=True, mmap=_mappable(path))
    except pickle.UnpicklingError as error:
        raise DataError(_refusal(path, str(error))) from error
    except Exception as error:  # a damaged file fails in as many ways as it has bytes
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise DataError(
            f"{path}: a damaged PyTorch file ({reason}); download or copy it again"
        ) from error
    state, iteration = _find_state(path, content)
    return Checkpoint(_arrays(torch, path, state), iteration, _sha256(path))


def _check_kind(path: Path) -> None:
    if not path.is_file():
        raise DataError(f"{path}: no such checkpoint file")
    if path.suffix == ".npz":
        raise DataError(f"{path}: already a weights .npz; python -m gaitjax.evaluate reads it")
    with path.open("rb") as file:
        start = file.read(16)
    if not start:
        raise DataError(f"{path}: an empty file; download or copy it again")
    if start.startswith(b"version https://"):
        raise DataError(f"{path}: a Git LFS pointer, not the file itself; run git lfs pull")
    if not start.startswith((ZIP, PICKLE)):
        raise DataError(
            f"{path}: not a PyTorch file (starts with {start!r}); expected what torch.save writes"
        )


def _mappable(path: Path) -> bool:
    """Whether arrays can be read in place: a zip archive, not compressed."""
    with path.open("rb") as file:
        if file.read(4) != ZIP:
            return False
    with zipfile.ZipFile(path) as archive:
        return all(member.compress_type == zipfile.ZIP_STORED for member in archive.infolist())


def _refusal(path: Path, message: str) -> str:
    _, found, rest = message.partition("GLOBAL ")
    reason = message.partition("WeightsUnpickler error: ")[2] or message
    what = f"the Python object {rest.split()[0]}" if found else reason.strip().partition("\n")[0]
    saved = path.with_name(f"{path.stem}-weights.pt").name
    return (
        f"{path}: refused, for it holds more than arrays and plain values: {what}.\n"
        "Reading that could run code. Where the file is trusted, save its weights alone with\n"
        f"  import torch; file = torch.load({path.name!r}, 'cpu', weights_only=False)\n"
        "  torch.save({k: file[k] for k in ('model', 'state_dict', 'iteration') if k in file}, "
        f"{saved!r})\n"
        "and convert that."
    )


def _find_state(path: Path, content) -> tuple[Mapping, int | None]:
    """The state dict in what was read, and the iteration beside it."""
    if not isinstance(content, Mapping):
        raise DataError(f"{path}: holds a {type(content).__name__}; expected a dict of weights")
    for name in ("model", "state_dict"):
        if isinstance(content.get(name), Mapping):
            counts = (content.get(key) for key in ("iteration", "global_step"))
            return content[name], next((n for n in counts if isinstance(n, int)), None)
    return content, None


def _arrays(torch, path: Path, state: Mapping) -> dict[str, np.ndarray]:
    other = [str(key) for key, value in state.items() if not isinstance(value, torch.Tensor)]
    if other or not state:
        raise DataError(
            f"{path}: no state dict: expected one under `model` or `state_dict`, or bare; "
            + (f"not arrays: {', '.join(other[:8])}" if other else "it is empty")
        )
    arrays = {}
    for key, value in state.items():
        try:
            if value.dtype is torch.bfloat16:  # NumPy has no such type of its own
                arrays[str(key)] = value.detach().view(torch.int16).numpy().view(ml_dtypes.bfloat16)
            else:
                arrays[str(key)] = value.detach().numpy()
        except (TypeError, RuntimeError) as error:
            kind = f"{value.dtype} ({value.layout})"
            raise DataError(f"{path}: {key} is of type {kind}; save it as plain float32") from error
    return arrays


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with (
        path.open("rb") as file,
        tqdm(
            total=path.stat().st_size,
            desc="checksum",
            unit="B",
            unit_scale=True,
            disable=None,
            leave=False,
        ) as bar,
    ):
        while block := file.read(1 << 20):
            digest.update(block)
            bar.update(len(block))
    return digest.hexdigest()


def write(path: str | Path, state: Mapping[str, np.ndarray], iteration: int) -> Path:
    """A checkpoint that the reference loads strictly: `model` and `iteration`; atomic."""
    torch = _torch()
    path = Path(path)
    model = OrderedDict(
        (key, torch.from_numpy(np.require(value, requirements="W"))) for key, value in state.items()
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        torch.save({"model": model, "iteration": iteration}, temporary)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return path
