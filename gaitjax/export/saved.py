"""TensorFlow's SavedModel: a folder that TensorFlow runs.

TensorFlow runs the program of `jax.export` by an operation of its own, XlaCallModule, compiled
anew for each number of walks that it meets. `jax2tf` would write the same operation around a newer
form of the program than the newest TensorFlow reads; here the form is an old one.
"""

import json
from collections.abc import Callable
from pathlib import Path

import jax
import numpy as np
from jax import export
from jax.extend.mlir.dialects import stablehlo
from jax.interpreters import mlir

from gaitjax.export.program import Program
from gaitjax.export.stablehlo import PLATFORMS
from gaitjax.extras import optional

OUTPUT, SIGNATURE = "embedding", "serving_default"
_OF_PROGRAM = "1.9.0"  # of StableHLO: TensorFlow 2.20 and later read it


def save(program: Program, path: Path) -> None:
    """Writes the folder. DataError: TensorFlow is not installed."""
    tf = _tensorflow()
    exported = export.export(jax.jit(program.run), platforms=PLATFORMS)(*program.inputs.values())
    calling = dict(
        version=exported.calling_convention_version,
        module=_older(exported),
        Sout=[tf.TensorShape([None, *exported.out_avals[0].shape[1:]])],
        Tout=[tf.float32],
        platforms=[platform.upper() for platform in PLATFORMS],
    )
    operations = optional("tensorflow.compiler.tf2xla.ops.gen_xla_ops", "saved", "runs programs")
    inputs = [
        tf.TensorSpec([None, *spec.shape[1:]], spec.dtype, name)
        for name, spec in program.inputs.items()
    ]

    @tf.function(input_signature=inputs, autograph=False)
    def embed(*arrays):
        (found,) = operations.xla_call_module(arrays, **calling)
        return {OUTPUT: found}

    @tf.function(input_signature=[], autograph=False)
    def about():
        return {"about": tf.constant(json.dumps(program.about))}

    module = tf.Module()
    module.embed, module.about = embed, about
    signatures = {SIGNATURE: embed, "about": about}
    tf.saved_model.save(module, str(path), signatures=signatures)


def load(path: Path) -> Callable:
    """What was exported: the arguments of `Program.run` as NumPy arrays -> embeddings."""
    tf = _tensorflow()
    loaded = tf.saved_model.load(str(path))
    names = [spec.name for spec in loaded.embed.input_signature]

    def run(*arrays: np.ndarray) -> np.ndarray:
        given = dict(zip(names, map(tf.constant, arrays), strict=True))
        return loaded.signatures[SIGNATURE](**given)[OUTPUT].numpy()

    return run


def _tensorflow():
    return optional("tensorflow", "saved", "writes and runs SavedModels")


def _older(exported: export.Exported) -> bytes:
    """The program in a form that older readers know."""
    context = mlir.make_ir_context()
    with context:
        module = stablehlo.deserialize_portable_artifact(context, exported.mlir_module_serialized)
        return stablehlo.serialize_portable_artifact(module, _OF_PROGRAM)
