"""One file that JAX alone runs, on a CPU, a GPU or a TPU: a zip archive of program and facts.

`program.bin` is what `jax.export` serialises, with the small package flatbuffers: StableHLO with
the weights in it, which it promises to read for six months. `about.json` says what goes in and out.
"""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import jax
from jax import export

from gaitjax.export.program import Program
from gaitjax.extras import optional

PLATFORMS = ("cpu", "cuda", "tpu")
_WRITTEN = (1980, 1, 1, 0, 0, 0)  # the same program gives the same file


def save(program: Program, path: Path) -> None:
    """Writes the file. DataError: flatbuffers is not installed."""
    optional("flatbuffers", "export", "is what jax.export writes and reads with")
    exported = export.export(jax.jit(program.run), platforms=PLATFORMS)(*program.inputs.values())
    about = {**program.about, "platforms": PLATFORMS, "jax": jax.__version__}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in (
            ("about.json", json.dumps(about, indent=1).encode()),
            ("program.bin", bytes(exported.serialize())),
        ):
            archive.writestr(zipfile.ZipInfo(name, _WRITTEN), data, zipfile.ZIP_DEFLATED)


def load(path: Path) -> Callable:
    """What was exported: the arguments of `Program.run`, arrays of the same types -> embeddings."""
    with zipfile.ZipFile(path) as archive:
        exported = export.deserialize(bytearray(archive.read("program.bin")))
    return jax.jit(exported.call)
