"""JAX's operations as ONNX's: a graph from a traced function whose first axis is open.

Functions within functions are inlined, and what depends on no input is computed here. Arrays are
broadcast as late as possible: ONNX's operations do it themselves.
"""

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jax.extend import core

from gaitjax.errors import DataError
from gaitjax.export.faster import FUNCTIONS
from gaitjax.export.graph import Graph, Value, alike, known, multiple
from gaitjax.export.operations import OPERATIONS

_INNER = ("jaxpr", "call_jaxpr")  # the parameter that holds the function that is called


def lower(
    graph: Graph, jaxpr: core.Jaxpr, consts: Sequence, inputs: Sequence[Value]
) -> list[Value]:
    """The values of a jaxpr in `graph`."""
    values = dict(zip(jaxpr.constvars, map(known, consts), strict=True))
    values |= dict(zip(jaxpr.invars, inputs, strict=True))

    def read(variable: Any) -> Value:
        if isinstance(variable, core.Literal):
            return known(np.asarray(variable.val, getattr(variable.aval, "dtype", None)))
        return values[variable]

    for eqn in jaxpr.eqns:
        given = [read(variable) for variable in eqn.invars]
        values |= dict(zip(eqn.outvars, _lower(graph, eqn, given), strict=True))
    return [read(variable) for variable in jaxpr.outvars]


def _lower(graph: Graph, eqn: Any, given: list[Value]) -> list[Value]:
    inner = next((eqn.params[name] for name in _INNER if name in eqn.params), None)
    if inner is not None:
        closed = inner if isinstance(inner, core.ClosedJaxpr) else core.ClosedJaxpr(inner, ())
        function = getattr(getattr(closed.jaxpr, "debug_info", None), "func_name", "")
        if shortcut := FUNCTIONS.get(function):
            return [shortcut(graph, given, eqn.outvars[0].aval)]
        return lower(graph, closed.jaxpr, closed.consts, given)
    avals = [variable.aval for variable in eqn.outvars]
    static = all(multiple(size) is None for aval in avals for size in aval.shape)
    if static and all(v.array is not None and alike(v.array.shape, v.shape) for v in given):
        found = eqn.primitive.bind(*(v.array for v in given), **eqn.params)
        found = found if eqn.primitive.multiple_results else [found]
        return [known(jax.device_get(value)) for value in found]
    kind = eqn.primitive.name
    if kind not in OPERATIONS:
        raise DataError(
            f"the network's operation {kind} has no counterpart in ONNX yet; write one in "
            "gaitjax/export/operations.py, or export with --to stablehlo"
        )
    made = OPERATIONS[kind](graph, given, avals[0] if len(avals) == 1 else avals, **eqn.params)
    made = made if isinstance(made, list) else [made]
    return [
        m if isinstance(m, Value) else Value(m, aval.shape, np.dtype(aval.dtype))
        for m, aval in zip(made, avals, strict=True)
    ]
