"""The .safetensors format: a JSON header and raw arrays. Read as data of bounded size.

8 bytes, little endian: length of the header. Header: {name: {"dtype", "shape", "data_offsets"},
..., "__metadata__": {text: text}}. Then the bytes of the arrays, one after the other.
(github.com/huggingface/safetensors#format)
"""

import json
import math
import os
import struct
from collections.abc import Mapping
from typing import Any

import ml_dtypes
import numpy as np

from gaitjax import files
from gaitjax.errors import DataError
from gaitjax.untrusted import reading, safe_json

_HEADER = 100 * 2**20  # bytes, as the format's own reader allows
_DTYPES = {
    name: np.dtype(dtype)
    for name, dtype in {
        "BOOL": "?", "U8": "u1", "I8": "i1", "U16": "<u2", "I16": "<i2", "F16": "<f2",
        "BF16": ml_dtypes.bfloat16, "U32": "<u4", "I32": "<i4", "F32": "<f4", "U64": "<u8",
        "I64": "<i8", "F64": "<f8",
    }.items()
}  # fmt: skip


def load(path: str | os.PathLike) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The arrays by name, as read-only views of the mapped file, and the metadata.

    Raises:
      DataError: no ordinary file, unreadable, damaged or cut short, or not of this format.
    """
    size = reading.check_plain(path)
    try:
        with open(path, "rb") as file:
            (length,) = struct.unpack("<Q", file.read(8).ljust(8, b"\0"))
            text = file.read(length) if 2 <= length <= min(_HEADER, size - 8) else b""
            data = np.memmap(file, np.uint8, "r") if size else np.zeros(0, np.uint8)
    except OSError as error:
        raise reading.unreadable(path, error) from error
    if text[:1] != b"{":
        raise DataError(f"{path}: not a .safetensors file, or damaged; copy it again")
    header = safe_json.parse(text, path)
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise DataError(f"{path}: __metadata__ is no object of texts; the file is damaged")
    data, arrays, end = data[8 + length :], {}, 0
    for name, entry in sorted(header.items(), key=lambda item: _begin(item[1])):
        dtype, shape, (begin, stop) = _entry(path, name, entry)
        if begin != end or stop > len(data) or stop - begin != math.prod(shape) * dtype.itemsize:
            raise DataError(
                f"{path}: {name[:80]} lies at bytes {begin} to {stop} of {len(data)}, expected "
                f"{dtype} {tuple(shape)} from {end} on; the file is damaged or cut short"
            )
        arrays[name], end = data[begin:stop].view(dtype).reshape(shape), stop
    if end != len(data):
        raise DataError(f"{path}: {len(data) - end} bytes too many; the file is damaged")
    return arrays, metadata


def _begin(entry) -> int:
    offsets = entry.get("data_offsets") if isinstance(entry, dict) else None
    return offsets[0] if isinstance(offsets, list) and offsets and _length(offsets[0]) else -1


def _entry(path, name: str, entry: Any) -> tuple[np.dtype, list[int], list[int]]:
    if isinstance(entry, dict) and isinstance(kind := entry.get("dtype"), str) and kind in _DTYPES:
        shape, offsets = entry.get("shape", 0), entry.get("data_offsets", 0)
        if all(isinstance(x, list) and all(map(_length, x)) for x in (shape, offsets)):
            if len(shape) <= 32 and len(offsets) == 2:
                return _DTYPES[kind], shape, offsets
    raise DataError(
        f"{path}: {name[:80]} is {safe_json.describe(entry)}; expected a dtype "
        f"({', '.join(_DTYPES)}), a shape and two offsets"
    )


def _length(value) -> bool:
    return type(value) is int and 0 <= value < 2**48


def save(path: str | os.PathLike, arrays: Mapping[str, np.ndarray], metadata: dict) -> None:
    """Writes `arrays` and `metadata` (texts by name) whole or not at all."""
    kinds = {dtype: name for name, dtype in _DTYPES.items()}
    header, end = {"__metadata__": metadata}, 0
    arrays = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    for name, array in arrays.items():
        span = [end, end := end + array.nbytes]
        kind = kinds[array.dtype.newbyteorder("<")]
        header[name] = {"dtype": kind, "shape": list(array.shape), "data_offsets": span}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)  # the arrays begin at a multiple of 8
    with files.whole(path) as temporary, open(temporary, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for array in arrays.values():
            file.write(array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes())
