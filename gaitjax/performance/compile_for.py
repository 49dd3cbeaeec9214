"""A step compiled for an accelerator that is not there, in a process of its own.

Compilers crash, hang and run out of the device's memory: what they do is a result, and harms
nothing here. `python -m gaitjax.performance.compile_for` is that process: a job as JSON on its
input, what was found as JSON on its output.
"""

import hashlib
import json
import re
import sys
import time
from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax import ShapeDtypeStruct
from jax.sharding import Mesh
from ml_collections import ConfigDict

from gaitjax import sharding
from gaitjax.evaluation import batches, budget
from gaitjax.performance import children, cost, devices, memory
from gaitjax.training import setup

WHAT = ("train", "embed")
LIMIT = 900  # seconds for one program
RESIDENT = 1_000_000  # frames of poses on the device, 194 MiB
MANY = 10**6  # clips of a test set
LONGEST = 720  # frames of a whole sequence, where the config has no limit
_COUNTED = {
    "fusions": r" fusion\(",
    "convolutions": r"__cudnn\$conv| convolution\(",
    "products": r"__cublas| dot\(",
    "transposes": r" transpose\(",
    "copies": r" copy\(",
    "callbacks": r"python_\w*callback",
    "float64": r"\bf64\[",
}


def compile_for(
    config: ConfigDict,
    device: str,
    what: str = "train",
    limit: float = LIMIT,
    known: dict[str, str] | None = None,
) -> dict:
    """Compile the training step or the embedding of a batch for a device of `devices.DEVICES`.

    Args:
      known: names of programs by their "program", not to be compiled again.
    Returns:
      "program", which is that of another if they differ in constants alone; "batch" and "frames"
      of its clips; seconds of lowering
      and compiling, of the clock and of all processors together; "stablehlo_bytes",
      "program_bytes", counts of kernels (see `_COUNTED`), "memory" (bytes held in all: arguments
      and scratch), "scratch". Of a known one: "program" and "same", its name.
      If it did not come to that: "error", one line, and, where the device's memory is too small
      and the compiler says so, "memory" that it would take.
    """
    job = {"config": json.loads(config.to_json()), "device": device, "what": what}
    job["known"] = known or {}
    said = children.lines("gaitjax.performance.compile_for", job, limit)
    return [{"error": "nothing said"}, *said][-1]


def _compile(job: dict) -> dict:
    """What `compile_for` returns, found in this process."""
    config, what = children.config_of(job), job["what"]
    made = setup.make(config, devices.mesh(job["device"]))
    lower = {"train": _lower_training, "embed": _lower_embedding}[what]
    begin = time.perf_counter()
    lowered, (size, length) = lower(made)
    middle, processors = time.perf_counter(), time.process_time()
    given = lowered.as_text()
    shape: dict[str, Any] = {
        "program": hashlib.sha256(re.sub(r"dense<[^>]*>", "", given).encode()).hexdigest()
    }
    shape |= {"batch": size, "frames": length}
    if same := job["known"].get(shape["program"]):
        return shape | {"same": same}
    try:
        program = lowered.compile()
    except jax.errors.JaxRuntimeError as error:
        line = str(error).strip().splitlines()[0][:300]
        needs = memory.asked(str(error)) if "RESOURCE_EXHAUSTED" in str(error) else 0
        return shape | {"error": line} | ({"memory": needs} if needs else {})
    end, processors = time.perf_counter(), time.process_time() - processors
    text, estimate = program.as_text() or "", cost.of(program)
    counts = {name: len(re.findall(pattern, text)) for name, pattern in _COUNTED.items()}
    return shape | {
        "lower_seconds": round(middle - begin, 1),
        "compile_seconds": round(end - middle, 1),
        "processor_seconds": round(processors, 1),
        "stablehlo_bytes": len(given),
        "program_bytes": len(text),
        **counts,
        "memory": estimate.arguments + estimate.scratch,
        "scratch": estimate.scratch,
    }


def _lower_training(made: setup.Setup) -> tuple[jax.stages.Lowered, tuple[int, int]]:
    state, frames, batch = setup.shapes(made, RESIDENT)
    size = made.config.train.batch_size, made.config.train.frames
    return setup.update(made).lower(state, frames, (batch,)), size


def _lower_embedding(made: setup.Setup) -> tuple[jax.stages.Lowered, tuple[int, int]]:
    """Of the largest batch that evaluation makes, see `embedding_batch`."""
    size = embedding_batch(made.config, made.model, made.mesh)
    state, frames, batch = setup.shapes(made, RESIDENT, size)
    del batch["labels"]
    if made.config.eval.clip == "all":
        batch["mask"] = ShapeDtypeStruct(size, jnp.bool_, sharding=sharding.batched(made.mesh))
    variables = {name: state[name] for name in ("params", "batch_stats")}
    return setup.embed(made).lower(variables, frames, batch), size


def embedding_batch(config: ConfigDict, model: nn.Module, mesh: Mesh) -> tuple[int, int]:
    """(N, T) of the largest batch that evaluation makes, of windows or of its longest sequences."""
    given = config.eval
    most = budget.frames_in_batch(config, model, mesh)
    frames = given.select or given.frames
    if given.clip == "all":
        frames = min(given.limit or LONGEST, most)
    bounds = batches.Bounds(most, given.batch_size, mesh.size)
    return bounds.fitting(frames, MANY), frames


if __name__ == "__main__":
    print(json.dumps(_compile(json.load(sys.stdin))))
