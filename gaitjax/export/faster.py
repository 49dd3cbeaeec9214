"""Forms that onnxruntime runs faster than what JAX's operations say one by one.

What depends on constants is folded into the constants of the product or convolution before it, as
batch statistics are; and Mish is written without choices, of which each takes as long as twenty
products.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from gaitjax.export.graph import Graph, Linear, Value


def linear(
    emit: Callable[[np.ndarray, np.ndarray | None], str],
    kernel: np.ndarray,
    out: Any,
    several: bool = False,
) -> Value:
    """A product or convolution with a known kernel (..., C), which `emit` writes.

    With `several` products at once the kernel is (S, ..., C), and (S, ..., C) what is made.
    """
    known = kernel.dtype == np.float32
    made = Linear(emit, kernel.astype(np.float64), np.zeros(()), several) if known else None
    return Value(emit(kernel, None), out.shape, np.dtype(out.dtype), linear=made)


def reshaped(graph: Graph, value: Value, name: str, out: Any) -> Value:
    """`name`, a reshaped `value`, which stays a product where its channels stay."""
    of, made = value.linear, None
    ends = (0, -1) if of and of.several else (-1,)
    if of and all(str(out.shape[end]) == str(value.shape[end]) for end in ends):
        made = of._replace(emit=lambda *constants: graph.reshaped(of.emit(*constants), out.shape))
    return Value(name, out.shape, np.dtype(out.dtype), linear=made)


def folded(kind: str, given: list[Value], out: Any) -> Value | None:
    """A sum, difference or product with a constant of each channel; None where it is another."""
    for place, (value, other) in enumerate((given, given[::-1])):
        of = value.linear
        if of is None or (vector := _of_channels(other, of)) is None:
            continue
        kernel, bias = of.kernel, of.bias
        if kind == "Mul":
            kernel, bias = kernel * vector, bias * vector
        elif kind == "Add":
            bias = bias + vector
        elif place == 0:
            bias = bias - vector
        else:
            kernel, bias = -kernel, vector - bias
        bias = np.broadcast_to(bias, vector.shape[:-1] + kernel.shape[-1:])
        name = of.emit(kernel.astype(np.float32), bias.astype(np.float32))
        return Value(name, out.shape, value.dtype, linear=of._replace(kernel=kernel, bias=bias))
    return None


def _of_channels(value: Value, of: Linear) -> np.ndarray | None:
    """The number of each channel in float64, (C,), or (S, 1, C); None: it depends on more."""
    if value.array is None:
        return None
    shape, channels = (1,) * (2 - value.array.ndim) + value.array.shape, of.kernel.shape[-1]
    first, *middle, last = shape
    if any(size != 1 for size in middle) or last not in (1, channels):
        return None
    if of.several and first in (1, len(of.kernel)):
        return value.array.reshape(first, 1, last).astype(np.float64)
    return value.array.reshape(-1).astype(np.float64) if first == 1 else None


def mish(graph: Graph, given: list[Value], out: Any) -> Value:
    """x a / (a + 2) where a = e (e + 2), e = exp(x): x tanh(softplus(x)) to the last digit.

    From 20 on it is x, and e squared is far from too large.
    """
    x, dtype = graph.full(given[0]), given[0].dtype
    most, two = (graph.constant(np.asarray(v, dtype)) for v in (20, 2))
    (e,) = graph.node("Exp", graph.node("Min", [x, most]))
    (above,) = graph.node("Mul", [e, *graph.node("Add", [e, two])])
    (share,) = graph.node("Div", [above, *graph.node("Add", [above, two])])
    return Value(graph.node("Mul", [x, share])[0], out.shape, np.dtype(out.dtype))


FUNCTIONS: dict[str, Callable] = {"mish": mish}  # by the names of our own functions
