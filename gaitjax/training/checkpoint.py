"""Training checkpoints in a work directory; the only file that knows orbax.

Beside the state lies `meta`: step, config, and a digest of every array, so that a flipped bit or a
cut file is refused by whoever reads the checkpoint.
"""

import contextlib
import dataclasses
import itertools
import json
import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import jax
import numpy as np
import orbax.checkpoint as ocp
from orbax.checkpoint import checkpoint_managers

from gaitjax import digest, files, sharding, weights
from gaitjax.command import origin
from gaitjax.errors import DamagedError, DataError, TrainingError, WeightsError
from gaitjax.training import vectors
from gaitjax.untrusted import safe_json

# Orbax warns of a file missing in folders that it wrote itself, and logs the traceback of each of
# its threads beside the error that it raises.
logging.getLogger("absl").setLevel(logging.CRITICAL)
# A failed save also leaves futures behind, each of which tells the error again when it is dropped.
logging.getLogger("asyncio").addFilter(
    lambda record: "exception was never retrieved" not in record.getMessage()
)
# Every device holds the whole state: the first writes it. Writing a slice from each, orbax's
# default, compiles a program for each shape, seconds for a state of a few megabytes.
ocp.type_handlers.register_type_handler(
    jax.Array, ocp.type_handlers.ArrayHandler(use_replica_parallel=False), override=True
)


def manager(workdir: str | Path, keep: int) -> ocp.CheckpointManager:
    """Asynchronous, atomic checkpoints under `workdir`/checkpoints; the last `keep` stay."""
    options = ocp.CheckpointManagerOptions(
        preservation_policy=checkpoint_managers.LatestN(keep),
        enable_async_checkpointing=True,
        cleanup_tmp_directories=True,  # what a full disk or a kill left half-written
    )
    return ocp.CheckpointManager(Path(workdir).absolute() / "checkpoints", options=options)


def save(
    checkpoints: ocp.CheckpointManager, step: int, state: dict, config, knows: dict | None = None
) -> None:
    """Start saving `state` (a pytree of arrays) as of `step`; `finish` says how it went.

    What is packed in memory (`vectors.Packed`) is stored array by array.

    Args:
      knows: what poses it was trained on, see `gaitjax.data.familiar`.
    """
    meta = {
        "step": step,
        "config": json.loads(config.to_json()),
        "knows": knows,
        "made_by": {"code": origin.commit(), **origin.versions()},
    }
    state = vectors.spread(state, _parts)
    with _stops_cleanly(checkpoints, step):
        _save(checkpoints, step, state, meta)


def _parts(packed: vectors.Packed) -> dict:
    """The arrays of a packed tree, by way of the host: nothing is compiled for each."""
    small = {dtype: np.array(_local(vector)) for dtype, vector in packed.small.items()}
    return _placed(vectors.unpack(dataclasses.replace(packed, small=small)), packed)


def _packed(tree: dict, like) -> vectors.Packed:
    """The inverse of `_parts`."""
    return _placed(vectors.pack(jax.tree.map(_local, tree), like), tree)


def _placed(tree, like):
    """A tree with its arrays of NumPy on the devices of `like`."""
    where = jax.tree.leaves(like)[0].sharding
    return jax.tree.map(
        lambda leaf: sharding.put(leaf, where) if isinstance(leaf, np.ndarray) else leaf, tree
    )


def finish(checkpoints: ocp.CheckpointManager, step: int) -> None:
    """Wait until the state of `step` is on disk."""
    with _stops_cleanly(checkpoints, step):
        checkpoints.wait_until_finished()


def close(checkpoints: ocp.CheckpointManager) -> None:
    """Close the manager; what could not be saved has been told by `finish`."""
    with contextlib.suppress(Exception):
        checkpoints.close()


@contextlib.contextmanager
def _stops_cleanly(checkpoints: ocp.CheckpointManager, step: int) -> Iterator[None]:
    """TrainingError for a state that cannot be written: the run ends with its last good one."""
    try:
        yield
    except Exception as error:
        _ignore_closed_loops()
        good = [known for known in checkpoints.all_steps(read=True) if known < step]
        last = f"the newest checkpoint is of step {max(good)}" if good else "there is none yet"
        raise TrainingError(
            f"{checkpoints.directory}: the state of step {step} cannot be saved "
            f"({_line(error)}); {last}. Make room there, then run the same command again"
        ) from error


def _ignore_closed_loops() -> None:
    """Orbax leaves tasks of a failed save behind, which complain when the process ends."""
    before = sys.unraisablehook

    def told(unraisable: "sys.UnraisableHookArgs") -> None:
        if "Event loop is closed" not in str(unraisable.exc_value):
            before(unraisable)

    sys.unraisablehook = told


def _line(error: Exception) -> str:
    return (str(error).strip().partition("\n")[0] or type(error).__name__)[:200]


def save_variables(workdir: str | Path, step: int, variables: dict, metadata: dict) -> None:
    """Write `variables` as the one checkpoint of a new `workdir`, for `load_variables`."""
    with manager(workdir, keep=1) as checkpoints:
        _save(checkpoints, step, variables, metadata)


def _save(checkpoints: ocp.CheckpointManager, step: int, state: dict, meta: dict) -> None:
    meta = digest.sealed(meta, jax.tree.map(_local, state))
    args = ocp.args.Composite(state=ocp.args.StandardSave(state), meta=ocp.args.JsonSave(meta))
    checkpoints.save(step, args=args, force=True)


def _local(leaf) -> np.ndarray:
    """A leaf that every device holds whole, on this host."""
    return np.asarray(leaf.addressable_data(0) if isinstance(leaf, jax.Array) else leaf)


def restore(checkpoints: ocp.CheckpointManager, template: dict, step: int | None = None) -> dict:
    """The state at `step`, laid out on devices as `template` (arrays or shapes with shardings).

    Args:
      step: of a checkpoint that there is; None: the newest.
    Raises:
      DamagedError: it cannot be read whole, or is not what was written; names its folder.
    """
    step = checkpoints.latest_step() if step is None else step
    folder = Path(checkpoints.directory) / str(step)
    _, digests = _read_meta(folder)
    whole = jax.tree.leaves(template)[0].sharding  # every device holds all of it
    abstract = jax.tree.map(
        lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=whole),
        jax.eval_shape(vectors.spread, template),
    )
    args = ocp.args.Composite(state=ocp.args.StandardRestore(abstract))
    with _damage_of(folder):
        state = checkpoints.restore(step, args=args)["state"]
    digest.check(jax.tree.map(_local, state), digests, str(folder))
    return vectors.gathered(state, template, _packed)


def restore_newest(
    checkpoints: ocp.CheckpointManager, template: dict, strict: bool = False, say: Callable = print
) -> dict | None:
    """The newest state that is not damaged; None if there is no checkpoint.

    A damaged one is named and, once an older one is read, moved to `damaged/` in the work
    directory: its step will be saved again.

    Args:
      strict: refuse to go on from an older one.
    Raises:
      DamagedError: the newest is damaged and `strict`, or all are.
    """
    steps = sorted(checkpoints.all_steps(), reverse=True)
    for i, step in enumerate(steps):
        try:
            state = restore(checkpoints, template, step)
        except DamagedError as error:
            if strict or step == steps[-1]:
                raise
            say(f"{error}; going on from step {steps[i + 1]}", flush=True)
            continue
        for damaged in steps[:i]:
            _put_aside(Path(checkpoints.directory), damaged)
        if i:
            checkpoints.reload()
        return state
    return None


def _put_aside(folder: Path, step: int) -> None:
    if jax.process_index() == 0:
        aside = folder.parent / "damaged"
        aside.mkdir(exist_ok=True)
        names = itertools.chain([str(step)], (f"{step}.{i}" for i in itertools.count(1)))
        (folder / str(step)).rename(next(p for p in map(aside.joinpath, names) if not p.exists()))


def load_variables(path: str | Path) -> tuple[dict, dict]:
    """({"params", "batch_stats"}, metadata) from a weights file or a work directory.

    A work directory gives its newest checkpoint, DIR/checkpoints/STEP that one, with the averaged
    parameters if the run kept an average. Arrays are NumPy, so any number of devices can read any
    checkpoint. `~` is the home folder.

    Raises:
      WeightsError: there is nothing to load.
      DamagedError: it cannot be read whole, or is not what was written.
    """
    path = files.expanded(path)
    if not path.is_dir():
        return weights.load(path)
    folder = _step_folder(path)
    meta, digests = _read_meta(folder)
    with _damage_of(folder), ocp.Checkpointer(ocp.PyTreeCheckpointHandler()) as reader:
        tree = reader.metadata(folder / "state").item_metadata.tree
        wanted = {k: tree[k] for k in ("params", "batch_stats", "ema") if k in tree}
        host = jax.tree.map(lambda _: ocp.RestoreArgs(restore_type=np.ndarray), wanted)
        state = reader.restore(
            folder / "state",
            args=ocp.args.PyTreeRestore(item=wanted, restore_args=host, partial_restore=True),
        )
        variables = {
            "params": state.get("ema", state["params"]),
            "batch_stats": state.get("batch_stats", {}),  # empty ones are not stored
        }
    digest.check(state, digests, str(folder), branches=wanted)
    return variables, {"source": str(path), **meta}


def _step_folder(path: Path) -> Path:
    """The folder of one checkpoint: `path` itself, or the newest below it."""
    if (path / "meta").is_dir():
        return path.absolute()
    folder = path if path.name == "checkpoints" else path / "checkpoints"
    if not folder.is_dir():
        raise WeightsError(
            f"{path}: no checkpoints/ in this folder; expected the --workdir of a training run "
            "or a weights .npz"
        )
    with ocp.CheckpointManager(folder.absolute()) as checkpoints:
        step = checkpoints.latest_step()
    if step is None:
        raise WeightsError(f"{path}: training has not saved a checkpoint yet")
    return folder.absolute() / str(step)


def _read_meta(folder: Path) -> tuple[dict, dict[str, str] | None]:
    """What lies beside the state in the folder of a checkpoint, and the digests of its arrays."""
    path = folder / "meta" / "metadata"
    try:
        meta = safe_json.load(path, safe_json.VIDEO_LIMIT)
    except DataError as error:
        raise DamagedError(str(error)) from error
    if not isinstance(meta, dict):
        raise DamagedError(f"{path}: {safe_json.describe(meta)}; expected an object")
    return digest.opened(meta, str(path))


@contextlib.contextmanager
def _damage_of(folder: Path) -> Iterator[None]:
    """Turns whatever orbax says of the checkpoint in `folder` into a DamagedError."""
    try:
        yield
    except (MemoryError, PermissionError):
        raise
    except Exception as error:
        if "RESOURCE_EXHAUSTED" in str(error):
            raise
        _ignore_what_still_reads()
        raise DamagedError(
            f"{folder}: the checkpoint cannot be read whole ({_line(error)}); use another one "
            "beside it"
        ) from error


def _ignore_what_still_reads() -> None:
    """Drops the tracebacks, dozens, of reads that orbax leaves running when another has failed."""
    told = sys.unraisablehook

    def hook(left) -> None:
        about = f"{left.exc_value} {left.object!r}"
        if "Event loop is closed" not in about and "_read_array_index" not in about:
            told(left)

    sys.unraisablehook = hook
