"""An ONNX graph in the making: its arrays, of which one axis may be open, and its nodes."""

import itertools
import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from gaitjax.extras import optional

OPSET, IR = 18, 9  # of 2022: onnxruntime 1.14 and later read them
Shape = tuple


class Linear(NamedTuple):
    """A product or convolution with constants, written by `emit(kernel, bias or None)`.

    Attributes:
      kernel: (..., C) float64; of `several` products (S, ..., C).
      bias: to be added, float64.
    """

    emit: Callable[[np.ndarray, np.ndarray | None], str]
    kernel: np.ndarray
    bias: np.ndarray
    several: bool


class Value(NamedTuple):
    """An array of the graph.

    Attributes:
      name: in the graph; "" where `array` is known.
      shape: as JAX has it; one dimension may be a multiple of n.
      dtype: NumPy's.
      array: its numbers, where they depend on no input.
      thin: some of its axes have length 1 in the graph, to be broadcast.
      linear: how it was made, if what is done with it next may be folded in.
    """

    name: str
    shape: Shape
    dtype: np.dtype
    array: np.ndarray | None = None
    thin: bool = False
    linear: Linear | None = None


def multiple(size: Any) -> int | None:
    """c of a dimension c n; None for a plain number."""
    if isinstance(size, int | np.integer):
        return None
    found = re.fullmatch(r"(?:(\d+)\*)?n", str(size))
    assert found, f"dimension {size}: expected a multiple of n"
    return int(found[1] or 1)


def alike(a: Shape, b: Shape) -> bool:
    """Whether shapes are equal; of dimensions whose size is open, written alike."""
    return [*map(str, a)] == [*map(str, b)]


def known(array: Any) -> Value:
    array = np.asarray(array)
    return Value("", array.shape, array.dtype, array)


class Graph:
    """An ONNX graph that is being written."""

    def __init__(self):
        self.onnx = optional("onnx", "export", "writes ONNX files")
        self.nodes: list = []
        self.initializers: list = []
        self._number = itertools.count()
        self._known: dict[tuple, str] = {}
        self._count: str | None = None  # the name of n, int64 (1,)
        self.first_input = ""

    def node(self, kind: str, inputs: Sequence[str], outputs: int = 1, **attributes) -> list[str]:
        names = [f"v{next(self._number)}" for _ in range(outputs)]
        self.nodes.append(self.onnx.helper.make_node(kind, inputs, names, **attributes))
        return names

    def constant(self, array: np.ndarray | np.generic) -> str:
        array = np.asarray(array, order="C")
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._known:
            self._known[key] = f"c{next(self._number)}"
            tensor = self.onnx.numpy_helper.from_array(array, self._known[key])
            self.initializers.append(tensor)
        return self._known[key]

    def integers(self, *values: int) -> str:
        return self.constant(np.array(values, np.int64))

    def name(self, value: Value) -> str:
        """The value as it is, perhaps thin."""
        return value.name if value.array is None else self.constant(value.array)

    def full(self, value: Value) -> str:
        """The value with its whole shape."""
        name = self.name(value)
        known = value.array is not None and alike(value.array.shape, value.shape)
        if known or not value.thin:
            return name
        return self.node("Expand", [name, self.shape(value.shape)])[0]

    def shape(self, shape: Shape) -> str:
        """A shape as an array of the graph."""
        if all(multiple(size) is None for size in shape):
            return self.integers(*shape)
        if self._count is None:
            (self._count,) = self.node("Shape", [self.first_input], start=0, end=1)
        parts = [
            self.integers(size)
            if (c := multiple(size)) is None
            else self._count
            if c == 1
            else self.node("Mul", [self._count, self.integers(c)])[0]
            for size in shape
        ]
        return self.node("Concat", parts, axis=0)[0]

    def reshaped(self, name: str, shape: Shape) -> str:
        sizes = [-1 if multiple(size) is not None else size for size in shape]
        assert sizes.count(-1) <= 1
        return self.node("Reshape", [name, self.integers(*sizes)])[0]

    def type_of(self, dtype: np.dtype) -> int:
        return self.onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))

    def cast(self, name: str, dtype: Any) -> str:
        return self.node("Cast", [name], to=self.type_of(dtype))[0]

    def prune(self, output: str) -> None:
        """Leaves out what `output` does not need, such as logits and their matrix."""
        needed, nodes = {output}, []
        for node in reversed(self.nodes):
            if needed.intersection(node.output):
                nodes.append(node)
                needed.update(node.input)
        self.nodes = nodes[::-1]
        self.initializers = [each for each in self.initializers if each.name in needed]
