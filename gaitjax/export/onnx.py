"""ONNX, for onnxruntime and browsers."""

import json
from collections.abc import Callable
from pathlib import Path

import jax
import numpy as np

from gaitjax.export import graph, lowering
from gaitjax.export.program import Program
from gaitjax.extras import optional
from gaitjax.models import ops

OUTPUT = "embedding"


def save(program: Program, path: Path) -> None:
    """Writes the file; `about` is in its metadata.

    Raises:
      DataError: onnx is not installed.
    """
    helper = optional("onnx", "export", "writes ONNX files").helper
    made = graph.Graph()
    with ops.only_plain():
        # A function of its own, since JAX remembers what `run` was traced to.
        traced = jax.make_jaxpr(lambda *arrays: program.run(*arrays))(*program.inputs.values())
    made.first_input = next(iter(program.inputs))
    values = [graph.Value(n, s.shape, np.dtype(s.dtype)) for n, s in program.inputs.items()]
    (result,) = lowering.lower(made, traced.jaxpr, traced.consts, values)
    made.nodes.append(helper.make_node("Identity", [made.full(result)], [OUTPUT]))
    made.prune(OUTPUT)

    def described(name: str, shape: tuple, dtype: np.dtype):
        sizes = [size if graph.multiple(size) is None else "n" for size in shape]
        return helper.make_tensor_value_info(name, made.type_of(dtype), sizes)

    model = helper.make_model(
        helper.make_graph(
            made.nodes,
            "gaitjax",
            [described(v.name, v.shape, v.dtype) for v in values],
            [described(OUTPUT, result.shape, result.dtype)],
            made.initializers,
        ),
        opset_imports=[helper.make_opsetid("", graph.OPSET)],
        ir_version=graph.IR,
        producer_name="gaitjax",
    )
    helper.set_model_props(model, {"gaitjax": json.dumps(program.about)})
    path.write_bytes(model.SerializeToString())


def load(path: Path) -> Callable:
    """What was exported: the arguments of `Program.run` as NumPy arrays -> embeddings."""
    runtime = optional("onnxruntime", "export", "runs ONNX files")
    session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [each.name for each in session.get_inputs()]

    def run(*arrays: np.ndarray) -> np.ndarray:
        return session.run([OUTPUT], dict(zip(names, map(np.asarray, arrays), strict=True)))[0]

    return run
