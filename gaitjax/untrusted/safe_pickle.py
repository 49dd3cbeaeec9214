"""Pickled numpy arrays, read as data: nothing in the file can run.

OpenGait's layout stores each sequence as a pickle, and a pickle is a program. Here its
opcodes are walked one by one by a small interpreter that knows only those which numpy
writes for a plain array. It never imports a name or calls one, and since every value is
cut out of the bytes of the file, it never takes much more memory than the file has bytes.
"""

import math
import os
import pickletools
from pathlib import Path

import numpy as np

from gaitjax.errors import DataError

RESAVE = (
    "Re-save it, where you trust its origin, with "
    "pickle.dump(numpy.asarray(array, dtype='float32'), file)."
)


def load(path: str | os.PathLike) -> np.ndarray:
    """The numeric array pickled in `path` (protocols 2 to 5).

    A list of arrays of one shape and type is stacked along a new first axis. The
    result may be read-only.

    Raises:
      DataError: the file cannot be read, is empty, damaged or cut short, or holds
        anything but a plain array of numbers.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    if not data:
        raise DataError(f"{path}: the file is empty (0 bytes); write it again.")
    try:
        return _plain(_interpret(data), data)
    except _Refused as refused:
        raise DataError(f"{path}: {refused}. Nothing in it was run. {RESAVE}") from None
    except Exception as error:  # whatever a malformed program provokes
        raise DataError(
            f"{path}: not a pickle, or damaged or cut short after {len(data)} bytes ({error})."
            " Copy or write it again."
        ) from error


class _Refused(Exception):
    """The pickle is well formed but asks for more than a plain array."""


class _Dtype:
    """What `numpy.dtype(code)` stands for; BUILD sets the byte order."""

    def __init__(self, code, align=False, copy=True):
        try:
            self.dtype = np.dtype(code) if isinstance(code, str) else None
        except TypeError:
            self.dtype = None
        if self.dtype is None or self.dtype.kind not in "fiub":
            raise _Refused(f"holds elements of type {str(code)[:60]!r}, not numbers")

    def build(self, state):
        self.dtype = self.dtype.newbyteorder(state[1])


class _Array:
    """What `_reconstruct(ndarray, (0,), b"b")` stands for; BUILD fills it."""

    def __init__(self, kind, shape=(0,), code=b"b"):
        if kind is not _NDARRAY:
            raise _Refused("holds a subclass of numpy.ndarray")

    def build(self, state):
        _, shape, dtype, fortran, data = state
        self.value = _frombuffer(data, dtype, shape, "F" if fortran else "C").value


def _frombuffer(data, dtype, shape, order):
    array = _Array(_NDARRAY)
    if len(data) != math.prod(shape) * dtype.dtype.itemsize:
        raise ValueError(f"{len(data)} bytes of data for shape {shape}")
    array.value = np.ndarray(shape, dtype.dtype, data, order=order)
    return array


def _encode(text, encoding):
    """Protocol 2 writes bytes as `_codecs.encode(text, "latin1")`."""
    return text.encode("latin1")


_NDARRAY = object()
_GLOBALS = {
    "numpy ndarray": _NDARRAY,
    "numpy dtype": _Dtype,
    "numpy.core.multiarray _reconstruct": _Array,
    "numpy._core.multiarray _reconstruct": _Array,
    "numpy.core.numeric _frombuffer": _frombuffer,
    "numpy._core.numeric _frombuffer": _frombuffer,
    "_codecs encode": _encode,
    "__builtin__ bytes": bytes,
    "builtins bytes": bytes,
}
_CALLABLE = {_Dtype: 3, _Array: 3, _frombuffer: 4, _encode: 2, bytes: 0}  # numbers of arguments
_LITERALS = frozenset(
    "BININT BININT1 BININT2 LONG1 BINUNICODE SHORT_BINUNICODE"
    " BINBYTES SHORT_BINBYTES BINBYTES8 BYTEARRAY8".split()
)
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


def _interpret(data: bytes):
    """The value that the pickle `data` describes, in `_Array`s and plain lists."""
    stack, marks, memo, encoded = [], [], {}, 0

    def pop_to_mark():
        start = marks.pop()
        items = stack[start:]
        del stack[start:]
        return items

    for opcode, argument, _ in pickletools.genops(data):
        name = opcode.name
        if name in _LITERALS:
            stack.append(argument)
        elif name in _CONSTANTS:
            stack.append(_CONSTANTS[name])
        elif name in ("MEMOIZE", "BINPUT", "LONG_BINPUT"):
            memo[len(memo) if argument is None else argument] = stack[-1]
        elif name in ("BINGET", "LONG_BINGET"):
            stack.append(memo[argument])
        elif name == "MARK":
            marks.append(len(stack))
        elif name == "TUPLE":
            stack.append(tuple(pop_to_mark()))
        elif name in _TUPLES:
            count = _TUPLES[name]
            stack[-count:] = [tuple(stack[-count:])]
        elif name == "EMPTY_LIST":
            stack.append([])
        elif name == "APPEND":
            item = stack.pop()
            _list(stack[-1]).append(item)
        elif name == "APPENDS":
            items = pop_to_mark()
            _list(stack[-1]).extend(items)
        elif name in ("GLOBAL", "STACK_GLOBAL"):
            if name == "STACK_GLOBAL":
                argument = f"{stack.pop(-2)} {stack.pop()}"
            if argument not in _GLOBALS:
                name = argument.replace(" ", ".")[:80]
                raise _Refused(f"asks for {name}, which no plain numpy array needs")
            stack.append(_GLOBALS[argument])
        elif name == "REDUCE":
            arguments, function = stack.pop(), stack.pop()
            if function not in _CALLABLE or len(arguments) != _CALLABLE[function]:
                raise _Refused("makes a call that no plain numpy array needs")
            stack.append(function(*arguments))
            if function is _encode:  # the one call that makes new bytes
                encoded += len(stack[-1])
                _check_total(encoded, data)
        elif name == "BUILD":
            state = stack.pop()
            stack[-1].build(state)
        elif name == "STOP":
            return stack.pop()
        elif name not in ("PROTO", "FRAME"):
            raise _Refused(f"holds something else than one numpy array (opcode {name})")


def _list(value) -> list:
    if not isinstance(value, list):
        raise TypeError("appends to something that is not a list")
    return value


def _check_total(total: int, data: bytes) -> None:
    """One object may be named many times, at two bytes each."""
    if total > len(data):
        raise _Refused(f"unfolds to more than its {len(data)} bytes")


def _plain(value, data: bytes) -> np.ndarray:
    """The array itself, or the stacked list of arrays."""
    if isinstance(value, _Array):
        return value.value
    if not isinstance(value, list) or not value:
        raise _Refused(f"holds {'an empty list' if value == [] else type(value).__name__}")
    if not all(isinstance(item, _Array) for item in value):
        raise _Refused("holds a list of something else than arrays")
    arrays = [item.value for item in value]
    if len({(a.shape, a.dtype) for a in arrays}) > 1:
        raise _Refused("holds a list of arrays of different shapes or types")
    _check_total(sum(a.nbytes for a in arrays), data)
    return np.stack(arrays)
