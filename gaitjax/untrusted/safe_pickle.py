"""Pickles read as data: nothing in the file can run.

OpenGait's layout stores each sequence as a pickle, and a pickle is a program. Here its opcodes
are walked one by one by a small interpreter that knows only those which write NumPy arrays,
lists, tuples, dictionaries, texts and numbers. It never imports a name or calls one.

Time and memory are bounded by the size of the file: every value is cut out of its bytes; what is
looked up, hashed, multiplied or printed is checked to be short first; and one value named many
times may not unfold to more than the file could hold.
"""

import math
import os
import pickletools
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from gaitjax.errors import DataError
from gaitjax.untrusted import reading

TREE_LIMIT = 4 * 2**30  # bytes of a file with many sequences
RESAVE = (
    "Re-save it, where you trust its origin, with "
    "pickle.dump(numpy.asarray(array, dtype='float32'), file)."
)

_TEXT = 200  # characters of a name or a key
_AXES = 8
_DEPTH = 40  # of lists within lists
_DTYPE = re.compile(r"[<>=|]?[fiub][1248]")
# What the interpreter itself allocates: bytes for a container and for an entry of the memo,
# and how many of them a byte of the file may cost. Real files stay below 10.
_CONTAINER, _ENTRY, _COST, _SLACK = 64, 100, 32, 2**20


def load(path: str | os.PathLike) -> np.ndarray:
    """The numeric array pickled in `path` (protocols 2 to 5).

    A list of arrays of one shape and type is stacked along a new first axis. The
    result may be read-only.

    Raises:
      DataError: the file cannot be read, is empty, damaged or cut short, or holds
        anything but a plain array of numbers.
    """
    return _read(path, reading.read(path), _one_array, RESAVE)


def load_tree(path: str | os.PathLike, limit: int = TREE_LIMIT):
    """What is pickled in `path`, of dicts, lists, tuples, texts, bytes, numbers, None and arrays.

    Keys are texts and whole numbers; NumPy's scalars become Python's. Arrays may be read-only.

    Raises:
      DataError: the file cannot be read, is larger than `limit` bytes, is empty, damaged or
        cut short, or holds anything else.
    """
    return parse_tree(reading.read(path, limit), path)


def parse_tree(data: bytes, name: str | os.PathLike):
    """`load_tree` of bytes; errors begin with `name`."""
    advice = "Re-save it, where you trust its origin, as lists, dicts, texts, numbers and arrays."
    return _read(name, data, lambda value: value, advice)


class _Refused(Exception):
    """The pickle is well formed but asks for more than plain values."""


def _read(path: str | os.PathLike, data: bytes, finish: Callable, advice: str):
    if not data:
        raise DataError(f"{path}: the file is empty (0 bytes); write it again.")
    try:
        return finish(_unfolded(_interpret(data), len(data)))
    except _Refused as refused:
        raise DataError(f"{path}: {refused}. Nothing in it was run. {advice}") from None
    except Exception as error:  # whatever a malformed program provokes
        raise DataError(
            f"{path}: not a pickle, or damaged or cut short after {len(data)} bytes "
            f"({str(error)[:_TEXT]}). Copy or write it again."
        ) from error


############################################################ what a pickle may name


class _Dtype:
    """What `numpy.dtype(code)` stands for; BUILD sets the byte order."""

    def __init__(self, code, align=False, copy=True):
        if not (_short(code) and _DTYPE.fullmatch(code)):
            raise _Refused(f"holds elements of type {_named(code)}, not numbers")
        self.dtype = np.dtype(code)

    def build(self, state):
        if not (isinstance(state, tuple) and _short(state[1]) and state[1] in "<>=|"):
            raise ValueError("a byte order that is none")
        self.dtype = self.dtype.newbyteorder(state[1])


class _Array:
    """What `_reconstruct(ndarray, (0,), b"b")` stands for; BUILD fills it."""

    def __init__(self, kind, shape=(0,), code=b"b"):
        if kind is not _NDARRAY:
            raise _Refused("holds a subclass of numpy.ndarray")
        self.value: Any = None

    def build(self, state):
        _, shape, dtype, fortran, data = state
        if not isinstance(fortran, bool):
            raise ValueError("an order that is neither C nor Fortran")
        self.value = _frombuffer(data, dtype, shape, "F" if fortran else "C").value


def _frombuffer(data, dtype, shape, order):
    if not isinstance(dtype, _Dtype):
        raise _Refused("holds an array without a type of numbers")
    if not isinstance(data, bytes | bytearray):
        raise _Refused(f"holds an array made of {_named(data)}")
    if not isinstance(shape, tuple) or len(shape) > _AXES or not all(map(_length, shape)):
        raise ValueError("a shape that is not a few lengths")
    if len(data) != math.prod(shape) * dtype.dtype.itemsize:
        raise ValueError(f"{len(data)} bytes of data for shape {shape}")
    if not (_short(order) and order in ("C", "F")):
        raise ValueError("an order that is neither C nor Fortran")
    array = _Array(_NDARRAY)
    array.value = np.ndarray(shape, dtype.dtype, data, order=order)
    return array


def _scalar(dtype, data):
    return _frombuffer(data, dtype, (), "C").value.item()


def _encode(text, encoding):
    """Protocol 2 writes bytes as `_codecs.encode(text, "latin1")`."""
    if not isinstance(text, str) or not (_short(encoding) and encoding == "latin1"):
        raise _Refused("makes a call that no plain numpy array needs")
    return text.encode("latin1")


def _short(value) -> bool:
    return isinstance(value, str) and len(value) <= _TEXT


def _length(value) -> bool:
    return type(value) is int and 0 <= value < 2**48


def _named(value) -> str:
    """A value of any size and depth in a few words."""
    return repr(value[:60]) if isinstance(value, str) else f"a {type(value).__name__}"


_NDARRAY = object()
_GLOBALS = {
    "numpy ndarray": _NDARRAY,
    "numpy dtype": _Dtype,
    "numpy.core.multiarray _reconstruct": _Array,
    "numpy._core.multiarray _reconstruct": _Array,
    "numpy.core.numeric _frombuffer": _frombuffer,
    "numpy._core.numeric _frombuffer": _frombuffer,
    "numpy.core.multiarray scalar": _scalar,
    "numpy._core.multiarray scalar": _scalar,
    "_codecs encode": _encode,
    "__builtin__ bytes": bytes,
    "builtins bytes": bytes,
}
_CALLABLE = {_Dtype: 3, _Array: 3, _frombuffer: 4, _scalar: 2, _encode: 2, bytes: 0}
_NAMED = (*_CALLABLE, _NDARRAY)  # what _GLOBALS gives; compared by identity, never hashed

############################################################ the interpreter

_LITERALS = frozenset(
    "BININT BININT1 BININT2 LONG1 BINFLOAT BINUNICODE SHORT_BINUNICODE BINUNICODE8"
    " BINBYTES SHORT_BINBYTES BINBYTES8 BYTEARRAY8".split()
)
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_EMPTY = {"EMPTY_TUPLE": tuple, "EMPTY_LIST": list, "EMPTY_DICT": dict}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


def _interpret(data: bytes):
    """The value that the pickle `data` describes, with `_Array`s for arrays."""
    stack: list[Any] = []
    marks, memo, encoded, containers = [], {}, 0, 0

    def pop_to_mark():
        start = marks.pop()
        items = stack[start:]
        del stack[start:]
        return items

    for opcode, argument, _ in pickletools.genops(data):
        name = opcode.name
        if name in _LITERALS:
            if type(argument) is int and not -(2**63) <= argument < 2**64:
                raise _Refused("holds a number of more than 64 bits")
            stack.append(argument)
        elif name in _CONSTANTS:
            stack.append(_CONSTANTS[name])
        elif name in ("MEMOIZE", "BINPUT", "LONG_BINPUT"):
            memo[len(memo) if argument is None else argument] = stack[-1]
        elif name in ("BINGET", "LONG_BINGET"):
            stack.append(memo[argument])
        elif name == "MARK":
            marks.append(len(stack))
        elif name in _EMPTY:
            containers += 1
            stack.append(_EMPTY[name]())
        elif name == "TUPLE":
            containers += 1
            stack.append(tuple(pop_to_mark()))
        elif name in _TUPLES:
            containers += 1
            count = _TUPLES[name]
            stack[-count:] = [tuple(stack[-count:])]
        elif name == "APPEND":
            item = stack.pop()
            _is(list, stack[-1]).append(item)
        elif name == "APPENDS":
            items = pop_to_mark()
            _is(list, stack[-1]).extend(items)
        elif name in ("SETITEM", "SETITEMS"):
            if name == "SETITEM":
                marks.append(len(stack) - 2)
            items = pop_to_mark()
            _is(dict, stack[-1]).update(zip(map(_key, items[::2]), items[1::2], strict=True))
        elif name in ("GLOBAL", "STACK_GLOBAL"):
            stack.append(
                _global(
                    f"{_name(stack.pop(-2))} {_name(stack.pop())}"
                    if name == "STACK_GLOBAL"
                    else str(argument)
                )
            )
        elif name == "REDUCE":
            arguments, function = stack.pop(), stack.pop()
            if not any(function is known for known in _CALLABLE) or (
                len(_is(tuple, arguments)) != _CALLABLE[function]
            ):
                raise _Refused("makes a call that no plain numpy array needs")
            stack.append(function(*arguments))
            if function is _encode:  # the one call that makes new bytes
                encoded += len(stack[-1])
                _check_total(encoded, len(data))
        elif name == "BUILD":
            state = stack.pop()
            _is((_Array, _Dtype), stack[-1]).build(state)
        elif name == "STOP":
            return stack.pop()
        elif name not in ("PROTO", "FRAME"):
            raise _Refused(f"holds something else than plain values (opcode {name})")
        if _CONTAINER * containers + _ENTRY * len(memo) > _SLACK + _COST * len(data):
            raise _Refused("is made of next to nothing but empty values")


def _is(kind, value):
    if not isinstance(value, kind):
        raise TypeError(f"an opcode for another value than {_named(value)}")
    return value


def _key(value):
    if not _short(value) and type(value) is not int:
        raise _Refused(f"holds a dictionary with the key {_named(value)}")
    return value


def _name(value) -> str:
    if not _short(value):
        raise _Refused(f"asks for {_named(value)}, which is no name")
    return value


def _global(argument: str):
    if argument not in _GLOBALS:
        name = argument.replace(" ", ".")[:80]
        raise _Refused(f"asks for {name}, which no plain numpy array needs")
    return _GLOBALS[argument]


############################################################ what it made


def _unfolded(value, size: int):
    """`value` with arrays for `_Array`s, of no more values and bytes of arrays than `size`."""
    values = arrays = 0

    def unfold(value, depth: int):
        nonlocal values, arrays
        values += 1
        if isinstance(value, _Array):
            arrays += value.value.nbytes
            _check_total(arrays, size)
            return value.value
        if not isinstance(value, list | tuple | dict):
            if isinstance(value, _Dtype) or any(value is known for known in _NAMED):
                raise _Refused("holds a type or a function")
            return value
        _check_total(values + len(value), size)
        if depth == _DEPTH:
            raise _Refused(f"holds values within values, {_DEPTH} deep")
        if isinstance(value, dict):
            return {key: unfold(item, depth + 1) for key, item in value.items()}
        return type(value)([unfold(item, depth + 1) for item in value])

    return unfold(value, 0)


def _check_total(total: int, size: int) -> None:
    """One object may be named many times, at two bytes each."""
    if total > size:
        raise _Refused(f"unfolds to more than its {size} bytes")


def _one_array(value) -> np.ndarray:
    """The array itself, or the stacked list of arrays."""
    if isinstance(value, np.ndarray):
        return value
    if isinstance(value, dict):
        keys = ", ".join(_named(key) for key in list(value)[:4])
        raise _Refused(f"holds a dict ({keys or 'empty'}), not one numpy array")
    if not isinstance(value, list) or not value:
        raise _Refused(f"holds {'an empty list' if value == [] else _named(value)}")
    if not all(isinstance(item, np.ndarray) for item in value):
        raise _Refused("holds a list of something else than arrays")
    if len({(a.shape, a.dtype) for a in value}) > 1:
        raise _Refused("holds a list of arrays of different shapes or types")
    return np.stack(value)
