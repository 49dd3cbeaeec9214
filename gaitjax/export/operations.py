"""How each operation of JAX that our networks use is written in ONNX."""

import string
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from gaitjax.export import faster
from gaitjax.export.graph import Graph, Value, alike, multiple


def _elementwise(kind: str, graph: Graph, given: list[Value], out: Any, **_) -> Value:
    # ONNX broadcasts the thin ones.
    return _broadcast(graph, graph.node(kind, list(map(graph.name, given)))[0], given, out)


def _foldable(kind: str, graph: Graph, given: list[Value], out: Any, **_) -> Value:
    return faster.folded(kind, given, out) or _elementwise(kind, graph, given, out)


def _max(graph: Graph, given: list[Value], out: Any, **_) -> Value:
    x, zero = given
    if zero.array is None or zero.dtype != np.float32 or zero.array.any() or zero.array.size != 1:
        return _elementwise("Max", graph, given, out)
    return _broadcast(graph, graph.node("Relu", [graph.name(x)])[0], [x], out)


def _broadcast(graph: Graph, name: str, given: list[Value], out: Any) -> Value:
    """The result of an elementwise operation: thin unless one operand has the whole shape."""
    whole = any(alike(v.shape, out.shape) and not v.thin for v in given for v in given)
    return Value(name, out.shape, np.dtype(out.dtype), thin=not whole)


def _negated(kind: str, graph: Graph, given: list[Value], out: Any, **_) -> Value:
    value = _elementwise(kind, graph, given, out)
    return value._replace(name=graph.node("Not", [value.name])[0])


def _integer_pow(graph: Graph, given: list[Value], out: Any, y: int, **_) -> Value:
    result = name = graph.name(given[0])
    assert y > 0
    for _i in range(y - 1):
        (result,) = graph.node("Mul", [result, name])
    return _broadcast(graph, result, given, out)


def _rsqrt(graph: Graph, given: list[Value], out: Any, **_) -> Value:
    (root,) = graph.node("Sqrt", [graph.name(given[0])])
    return _broadcast(graph, graph.node("Reciprocal", [root])[0], given, out)


def _atan2(graph: Graph, given: list[Value], out: Any, **_) -> Value:
    """Through the arc tangent of a number from 0 to 1."""
    y, x = map(graph.name, given)
    zero, half, pi = (graph.constant(np.float32(v)) for v in (0, np.pi / 2, np.pi))
    (ay,), (ax,) = graph.node("Abs", [y]), graph.node("Abs", [x])
    (low,), (high,) = graph.node("Min", [ay, ax]), graph.node("Max", [ay, ax])
    (nothing,) = graph.node("Equal", [high, zero])
    (high,) = graph.node("Where", [nothing, graph.constant(np.float32(1)), high])
    (angle,) = graph.node("Atan", graph.node("Div", [low, high]))
    steep, left = graph.node("Greater", [ay, ax]), graph.node("Less", [x, zero])
    (angle,) = graph.node("Where", [*steep, *graph.node("Sub", [half, angle]), angle])
    (angle,) = graph.node("Where", [*left, *graph.node("Sub", [pi, angle]), angle])
    below = graph.node("Less", [y, zero])
    (angle,) = graph.node("Where", [*below, *graph.node("Neg", [angle]), angle])
    return _broadcast(graph, angle, given, out)


def _same(graph: Graph, given: list[Value], out: Any, **_) -> Value:
    return given[0]


def _convert(graph: Graph, given: list[Value], out: Any, **_) -> Value:
    name = graph.name(given[0])
    if given[0].dtype != out.dtype:
        name = graph.cast(name, out.dtype)
    return _broadcast(graph, name, given, out)


def _select(graph: Graph, given: list[Value], out: Any, **_) -> Value:
    which, no, yes = given
    assert which.dtype == bool
    name = graph.node("Where", [graph.name(which), graph.name(yes), graph.name(no)])[0]
    return _broadcast(graph, name, given, out)


def _broadcast_in_dim(
    graph: Graph, given: list[Value], out: Any, shape: tuple, broadcast_dimensions: tuple, **_
) -> Value:
    """Axes put where they belong; lengths stay 1 until somebody needs them."""
    value = given[0]
    places = set(broadcast_dimensions)
    missing = [axis for axis in range(len(shape)) if axis not in places]
    if value.array is not None:
        array = np.expand_dims(value.array, tuple(missing))
        if all(multiple(size) is None for size in shape):
            array = np.broadcast_to(array, shape)
        return Value("", shape, value.dtype, array, thin=not alike(array.shape, shape))
    name = graph.name(value)
    if missing:
        (name,) = graph.node("Unsqueeze", [name, graph.integers(*missing)])
    kept = all(
        str(value.shape[i]) == str(shape[axis]) for i, axis in enumerate(broadcast_dimensions)
    )
    ones = all(str(shape[axis]) == "1" for axis in missing)
    return Value(name, shape, value.dtype, thin=value.thin or not (kept and ones))


def _reshape(graph: Graph, given: list[Value], out: Any, dimensions: Any = None, **_) -> Value:
    value, name = given[0], graph.full(given[0])
    if dimensions is not None:  # of the axes, before
        (name,) = graph.node("Transpose", [name], perm=dimensions)
        value = value._replace(linear=None)
    return faster.reshaped(graph, value, graph.reshaped(name, out.shape), out)


def _squeeze(graph: Graph, given: list[Value], out: Any, dimensions: tuple, **_) -> Value:
    (name,) = graph.node("Squeeze", [graph.name(given[0]), graph.integers(*dimensions)])
    return Value(name, out.shape, given[0].dtype, thin=given[0].thin)


def _transpose(graph: Graph, given: list[Value], out: Any, permutation: tuple, **_) -> Value:
    (name,) = graph.node("Transpose", [graph.name(given[0])], perm=permutation)
    return Value(name, out.shape, given[0].dtype, thin=given[0].thin)


def _sliced(graph: Graph, name: str, shape: tuple, starts, limits, strides=None) -> str:
    axes = [
        axis
        for axis, size in enumerate(shape)
        if str(limits[axis]) != str(size) or starts[axis] or (strides and strides[axis] != 1)
    ]
    if not axes:
        return name
    chosen = ([int(values[axis]) for axis in axes] for values in (starts, limits))
    steps = [int(strides[axis]) if strides else 1 for axis in axes]
    lists = [graph.integers(*values) for values in (*chosen, axes, steps)]
    return graph.node("Slice", [name, *lists])[0]


def _slice(
    graph: Graph, given: list[Value], out: Any, start_indices, limit_indices, strides, **_
) -> str:
    value = given[0]
    return _sliced(graph, graph.full(value), value.shape, start_indices, limit_indices, strides)


def _split(graph: Graph, given: list[Value], out: list, sizes: tuple, axis: int, **_) -> list[str]:
    if multiple(sizes[0]) is None:
        lengths = graph.integers(*map(int, sizes))
        return graph.node("Split", [graph.full(given[0]), lengths], len(sizes), axis=axis)
    return graph.node(
        "Split", [graph.full(given[0])], len(sizes), axis=axis, num_outputs=len(sizes)
    )


def _concatenate(graph: Graph, given: list[Value], out: Any, dimension: int, **_) -> str:
    return graph.node("Concat", [graph.full(value) for value in given], axis=dimension)[0]


def _stack(graph: Graph, given: list[Value], out: Any, axis: int, **_) -> str:
    at = graph.integers(axis)
    parts = [graph.node("Unsqueeze", [graph.full(value), at])[0] for value in given]
    return graph.node("Concat", parts, axis=axis)[0]


def _pad(graph: Graph, given: list[Value], out: Any, padding_config: tuple, **_) -> str:
    value, filler = given
    assert not any(inside for _, _, inside in padding_config)
    lows, highs = ([side[i] for side in padding_config] for i in (0, 1))
    cut = [max(-high, 0) for high in highs]
    limits = [size if not c else size - c for size, c in zip(value.shape, cut, strict=True)]
    starts = [max(-low, 0) for low in lows]
    name = _sliced(graph, graph.full(value), value.shape, starts, limits)
    sides = [max(side, 0) for side in (*lows, *highs)]
    if not any(sides):
        return name
    return graph.node("Pad", [name, graph.integers(*sides), graph.name(filler)])[0]


def _rev(graph: Graph, given: list[Value], out: Any, dimensions: tuple, **_) -> str:
    last, first, axes, back = (
        graph.integers(*values)
        for values in (
            [-1] * len(dimensions),
            [-(2**62)] * len(dimensions),
            dimensions,
            [-1] * len(dimensions),
        )
    )
    return graph.node("Slice", [graph.full(given[0]), last, first, axes, back])[0]


def _reduce(kind: str, graph: Graph, given: list[Value], out: Any, axes: tuple, **_) -> str:
    name = graph.full(given[0])
    if given[0].dtype == bool:
        name = graph.cast(name, np.int32)
    (name,) = graph.node(kind, [name, graph.integers(*axes)], keepdims=0)
    return graph.cast(name, bool) if given[0].dtype == bool else name


def _argmax(graph: Graph, given: list[Value], out: Any, axes: tuple, **_) -> str:
    name = graph.full(given[0])
    if given[0].dtype == bool:
        name = graph.cast(name, np.int32)
    (name,) = graph.node("ArgMax", [name], axis=axes[0], keepdims=0)
    return graph.cast(name, out.dtype)


def _dot_general(
    graph: Graph, given: list[Value], out: Any, dimension_numbers: tuple, **_
) -> Value | str:
    (contract_a, contract_b), (batch_a, batch_b) = dimension_numbers
    a, b = given
    rank_a, rank_b = len(a.shape), len(b.shape)
    # The batch comes first in both, and then rows times columns: of one matrix, or of each.
    first = tuple(range(len(batch_a)))
    plain = tuple(batch_a) == tuple(batch_b) == first and tuple(contract_a) == (rank_a - 1,)
    plain &= tuple(contract_b) == (len(first),) and rank_b == len(first) + 2
    if plain and (rank_a == rank_b or not first):
        x = graph.full(a)

        def product(kernel: np.ndarray, bias: np.ndarray | None) -> str:
            (name,) = graph.node("MatMul", [x, graph.constant(kernel)])
            return name if bias is None else graph.node("Add", [name, graph.constant(bias)])[0]

        if b.array is not None and len(first) < 2:
            return faster.linear(product, b.array, out, several=bool(first))
        return graph.node("MatMul", [x, graph.full(b)])[0]
    letters = iter(string.ascii_lowercase)
    of_a = [next(letters) for _ in range(rank_a)]
    of_b = [next(letters) for _ in range(rank_b)]
    pairs = zip((*contract_a, *batch_a), (*contract_b, *batch_b), strict=True)
    for i, j in pairs:
        of_b[j] = of_a[i]
    result = [of_a[i] for i in batch_a]
    result += [c for i, c in enumerate(of_a) if i not in (*contract_a, *batch_a)]
    result += [c for j, c in enumerate(of_b) if j not in (*contract_b, *batch_b)]
    equation = f"{''.join(of_a)},{''.join(of_b)}->{''.join(result)}"
    return graph.node("Einsum", [graph.full(a), graph.full(b)], equation=equation)[0]


def _convolution(
    graph: Graph,
    given: list[Value],
    out: Any,
    dimension_numbers: Any,
    window_strides: tuple,
    padding: tuple,
    feature_group_count: int,
    lhs_dilation: tuple,
    rhs_dilation: tuple,
    batch_group_count: int = 1,
    **_,
) -> Value | str:
    assert set(lhs_dilation) <= {1} and batch_group_count == 1
    x, kernel = given
    (x_name,) = graph.node("Transpose", [graph.full(x)], perm=dimension_numbers.lhs_spec)
    back = np.argsort(dimension_numbers.out_spec).tolist()

    def convolution(*constants: str) -> str:
        (y,) = graph.node(
            "Conv",
            [x_name, *constants],
            strides=window_strides,
            pads=[low for low, _ in padding] + [high for _, high in padding],
            dilations=rhs_dilation,
            group=feature_group_count,
        )
        return graph.node("Transpose", [y], perm=back)[0]

    if kernel.array is None:
        order = dimension_numbers.rhs_spec
        return convolution(*graph.node("Transpose", [graph.full(kernel)], perm=order))

    def known(kernel: np.ndarray, bias: np.ndarray | None) -> str:
        turned = np.transpose(kernel, dimension_numbers.rhs_spec)
        return convolution(*(graph.constant(c) for c in (turned, bias) if c is not None))

    # Its channels come last in the kernel and in what is made of it.
    if dimension_numbers.rhs_spec[0] == kernel.array.ndim - 1 and back[-1] == 1:
        return faster.linear(known, kernel.array, out)
    return known(kernel.array, None)


def _gather(
    graph: Graph, given: list[Value], out: Any, dimension_numbers: Any, slice_sizes: tuple, **_
) -> str:
    """Single places, rows of one axis, and grids of several."""
    d, (value, index) = dimension_numbers, given
    axes = d.start_index_map
    assert not d.operand_batching_dims
    assert index.array is not None, "only known places are gathered"
    places = index.array.reshape(-1, len(axes))
    gone = d.collapsed_slice_dims
    # Axes that keep a length are cut, at one place for all.
    starts, limits = [0] * len(value.shape), list(value.shape)
    for axis in set(range(len(value.shape))) - set(gone):
        if axis in axes:
            of_axis = places[:, axes.index(axis)]
            assert (of_axis == of_axis[0]).all(), "cut at one place"
            starts[axis] = int(of_axis[0])
        if multiple(slice_sizes[axis]) is None:
            limits[axis] = starts[axis] + slice_sizes[axis]
    name = _sliced(graph, graph.full(value), value.shape, starts, limits)
    grid = index.array.shape[:-1]
    if not grid:
        for axis in sorted(gone, reverse=True):
            place = graph.constant(np.int64(places[0, axes.index(axis)]))
            (name,) = graph.node("Gather", [name, place], axis=axis)
        return name
    assert len(grid) == len(gone), "one axis of places for each axis gathered"
    for i, axis in enumerate(gone):
        of_axis = index.array[..., axes.index(axis)]
        along = of_axis[(0,) * i + (slice(None),) + (0,) * (len(grid) - 1 - i)]
        column = along.reshape(-1, *(1,) * (len(grid) - 1 - i))
        assert (np.broadcast_to(column, grid) == of_axis).all(), "a grid"
        name = graph.node("Gather", [name, graph.constant(along.astype(np.int64))], axis=axis)[0]
    rank = len(out.shape)
    batch = [axis for axis in range(rank) if axis not in d.offset_dims]
    offset = [axis for axis in range(len(value.shape)) if axis not in gone]
    order = [0] * rank
    for place, axis in zip((*d.offset_dims, *batch), (*offset, *gone), strict=True):
        order[place] = axis
    if order != list(range(rank)):
        (name,) = graph.node("Transpose", [name], perm=order)
    return name


def _iota(graph: Graph, given: list[Value], out: Any, shape: tuple, dimension: int, **_) -> Value:
    sizes = [size if axis == dimension else 1 for axis, size in enumerate(shape)]
    array = np.arange(sizes[dimension]).reshape(sizes).astype(out.dtype)
    return Value("", out.shape, array.dtype, array, thin=True)


def _clamp(graph: Graph, given: list[Value], out: Any, **_) -> Value:
    low, x, high = map(graph.name, given)
    (name,) = graph.node("Min", [*graph.node("Max", [x, low]), high])
    return _broadcast(graph, name, given[1:2], out)


def _square(graph: Graph, given: list[Value], out: Any, **_) -> Value:
    return _integer_pow(graph, given, out, y=2)


def _rem(graph: Graph, given: list[Value], out: Any, **_) -> Value:
    (name,) = graph.node("Mod", list(map(graph.name, given)), fmod=1)
    return _broadcast(graph, name, given, out)


_ALIKE = {
    "div": "Div", "min": "Min", "and": "And", "or": "Or", "not": "Not", "eq": "Equal",
    "lt": "Less", "gt": "Greater", "ge": "GreaterOrEqual", "le": "LessOrEqual", "neg": "Neg",
    "abs": "Abs", "sign": "Sign", "exp": "Exp", "log": "Log", "sqrt": "Sqrt", "floor": "Floor",
    "ceil": "Ceil", "logistic": "Sigmoid", "tanh": "Tanh", "pow": "Pow",
}  # fmt: skip

OPERATIONS: dict[str, Callable] = {
    **{name: partial(_elementwise, kind) for name, kind in _ALIKE.items()},
    **{
        name: partial(_reduce, kind)
        for name, kind in {
            "reduce_sum": "ReduceSum",
            "reduce_max": "ReduceMax",
            "reduce_min": "ReduceMin",
            "reduce_and": "ReduceMin",
            "reduce_or": "ReduceMax",
        }.items()
    },
    **{name.lower(): partial(_foldable, name) for name in ("Add", "Sub", "Mul")},
    "max": _max,
    "ne": partial(_negated, "Equal"),
    "integer_pow": _integer_pow,
    "square": _square,
    "rsqrt": _rsqrt,
    "atan2": _atan2,
    "rem": _rem,
    "stop_gradient": _same,
    "copy": _same,
    "convert_element_type": _convert,
    "select_n": _select,
    "clamp": _clamp,
    "broadcast_in_dim": _broadcast_in_dim,
    "reshape": _reshape,
    "squeeze": _squeeze,
    "transpose": _transpose,
    "slice": _slice,
    "split": _split,
    "concatenate": _concatenate,
    "stack": _stack,
    "pad": _pad,
    "rev": _rev,
    "argmax": _argmax,
    "dot_general": _dot_general,
    "conv_general_dilated": _convolution,
    "gather": _gather,
    "iota": _iota,
}
