"""PyTorch checkpoint files: read as NumPy arrays, and written. The only file that knows torch.

Nothing in a file is run: torch reads it with `weights_only=True`, and a file that names any
other Python object is refused. State dicts in .safetensors are read without torch.
"""

import fnmatch
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import ml_dtypes
import numpy as np

from gaitjax import digest, files
from gaitjax.config import nearest
from gaitjax.errors import DataError
from gaitjax.extras import optional
from gaitjax.untrusted import safe_tensors

STATES = ("model", "state_dict", "model_state_dict")  # names of the weights, the first counts
ZIP, PICKLE = b"PK\x03\x04", b"\x80\x02"  # first bytes of torch's two file formats


class Checkpoint(NamedTuple):
    """What a file holds: arrays by torch key, iteration if it says so, SHA-256 of the file."""

    state: dict[str, np.ndarray]
    iteration: int | None
    sha256: str


class Selection(NamedTuple):
    """Which of a file's entries are the weights, where they are not found by themselves.

    Attributes:
      key: the state dict is the entry of this name, as "ema" or "model/net"; "": looked for.
      strip_prefix: taken away from every key that begins with it.
      ignore: patterns as of a shell; keys that match one, without the prefix, are left out.
    """

    key: str = ""
    strip_prefix: str = ""
    ignore: tuple[str, ...] = ()


EVERYTHING = Selection()


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


def read(path: str | Path, select: Selection = EVERYTHING) -> Checkpoint:
    """The weights in a checkpoint, a bare state dict, or a Lightning checkpoint.

    Arrays are views of the mapped file where its format allows it, so optimiser state is
    never read.

    Raises:
      DataError: no such file, not a whole PyTorch file, other Python objects in it, or no
        weights; nothing of what `select` names. Says how to mend it.
    """
    path = Path(path)
    _check_kind(path)
    if path.suffix == ".safetensors":
        if select.key:
            raise DataError(f"{path}: --key {select.key}: this format is one state dict; leave it")
        state, _ = safe_tensors.load(path)
        return Checkpoint(_selected(path, state, select), None, digest.of_file(path))
    torch = _torch()
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
    state, iteration = _find_state(path, content, select.key)
    state = _arrays(torch, path, _selected(path, state, select))
    return Checkpoint(state, iteration, digest.of_file(path))


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
    if path.suffix != ".safetensors" and not start.startswith((ZIP, PICKLE)):
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
        "  file = file if isinstance(file, dict) else {'model': file}\n"
        f"  state = next((file[k] for k in {STATES} if k in file), file)\n"
        "  state = state.state_dict() if hasattr(state, 'state_dict') else state\n"
        "  state = {k: torch.as_tensor(v) for k, v in state.items() if hasattr(v, 'shape')}\n"
        "  torch.save({'model': state, 'iteration': file.get('iteration')}, "
        f"{saved!r})\n"
        "and convert that."
    )


def _find_state(path: Path, content, key: str) -> tuple[Mapping, int | None]:
    """The state dict in what was read, and the iteration beside it."""
    if not isinstance(content, Mapping):
        raise DataError(f"{path}: holds a {type(content).__name__}; expected a dict of weights")
    counts = (content.get(key) for key in ("iteration", "global_step"))
    iteration = next((n for n in counts if isinstance(n, int)), None)
    if key:
        state = content
        for name in key.split("/"):
            inner = {str(k): v for k, v in state.items() if isinstance(v, Mapping)}
            if name not in inner:
                hint = nearest(name, inner) if inner else "there is none"
                raise DataError(f"{path}: no state dict {key!r} (--key): {name}; {hint}")
            state = inner[name]
        return state, iteration
    for name in STATES:
        if isinstance(content.get(name), Mapping):
            return content[name], iteration
    return content, None


def _selected(path: Path, state: Mapping, select: Selection) -> dict:
    """`state` without prefix and ignored keys; DataError for what is on no key."""
    state, prefix = {str(key): value for key, value in state.items()}, select.strip_prefix
    if prefix:
        if not any(key.startswith(prefix) for key in state):
            starts = {key[: key.index(".") + 1] for key in state if "." in key}
            hint = nearest(prefix, starts) if starts else "keys have no prefix"
            raise DataError(f"{path}: no key begins with {prefix!r} (--strip_prefix); {hint}")
        state = {key.removeprefix(prefix): value for key, value in state.items()}
    for pattern in select.ignore:
        if not fnmatch.filter(state, pattern):
            hint = nearest(pattern, state) if state else "there are no keys"
            raise DataError(f"{path}: no key matches {pattern!r} (--ignore); {hint}")
        state = {k: v for k, v in state.items() if not fnmatch.fnmatchcase(k, pattern)}
    return state


def _arrays(torch, path: Path, state: Mapping) -> dict[str, np.ndarray]:
    other = [str(key) for key, value in state.items() if not isinstance(value, torch.Tensor)]
    if other or not state:
        raise DataError(
            f"{path}: no state dict: expected one under {', '.join(STATES)} or the name that "
            "--key gives, or bare; "
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


def write(path: str | Path, state: Mapping[str, np.ndarray], iteration: int) -> Path:
    """A checkpoint that the reference loads strictly: `model` and `iteration`; atomic."""
    torch = _torch()
    path = Path(path)
    model = OrderedDict(
        (key, torch.from_numpy(np.require(value, requirements="W"))) for key, value in state.items()
    )
    # Through a file of ours: by itself torch does not tell a full disk from a fault of its own.
    with files.whole(path) as temporary, open(temporary, "wb") as file:
        torch.save({"model": model, "iteration": iteration}, file)
    return path
