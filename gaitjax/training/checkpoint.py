"""Training checkpoints in a work directory; the only file that knows orbax."""

import json
import logging
from pathlib import Path

import jax
import numpy as np
import orbax.checkpoint as ocp
from orbax.checkpoint import checkpoint_managers

from gaitjax import weights

# Orbax warns of a file missing in folders that it wrote itself.
logging.getLogger("absl").setLevel(logging.ERROR)
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
    )
    return ocp.CheckpointManager(Path(workdir).absolute() / "checkpoints", options=options)


def save(checkpoints: ocp.CheckpointManager, step: int, state: dict, config) -> None:
    """Start saving `state` (a pytree of arrays) as of `step`."""
    args = ocp.args.Composite(
        state=ocp.args.StandardSave(state),
        meta=ocp.args.JsonSave({"step": step, "config": json.loads(config.to_json())}),
    )
    checkpoints.save(step, args=args, force=True)


def save_variables(workdir: str | Path, step: int, variables: dict, metadata: dict) -> None:
    """Write `variables` as the one checkpoint of a new `workdir`, for `load_variables`."""
    args = ocp.args.Composite(
        state=ocp.args.StandardSave(variables), meta=ocp.args.JsonSave(metadata)
    )
    with manager(workdir, keep=1) as checkpoints:
        checkpoints.save(step, args=args, force=True)


def restore(checkpoints: ocp.CheckpointManager, template: dict) -> dict:
    """The newest state, laid out on devices as `template` (arrays or shapes with shardings)."""
    abstract = jax.tree.map(
        lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=leaf.sharding), template
    )
    args = ocp.args.Composite(state=ocp.args.StandardRestore(abstract))
    return checkpoints.restore(checkpoints.latest_step(), args=args)["state"]


def load_variables(path: str | Path) -> tuple[dict, dict]:
    """({"params", "batch_stats"}, metadata) from a weights .npz or a work directory.

    A work directory gives its newest checkpoint, with the averaged parameters if the run
    kept an average. Arrays are NumPy, so any number of devices can read any checkpoint.

    Raises WeightsError if there is nothing to load.
    """
    path = Path(path)
    if not path.is_dir():
        return weights.load(path)
    folder = path if path.name == "checkpoints" else path / "checkpoints"
    if not folder.is_dir():
        raise weights.WeightsError(
            f"{path}: no checkpoints/ in this folder; expected the --workdir of a training run "
            "or a weights .npz"
        )
    with ocp.CheckpointManager(folder.absolute()) as checkpoints:
        step = checkpoints.latest_step()
        if step is None:
            raise weights.WeightsError(f"{path}: training has not saved a checkpoint yet")
        root = folder.absolute() / str(step)
        meta = json.loads((root / "meta" / "metadata").read_text())
    with ocp.Checkpointer(ocp.PyTreeCheckpointHandler()) as reader:
        tree = reader.metadata(root / "state").item_metadata.tree
        wanted = {k: tree[k] for k in ("params", "batch_stats", "ema") if k in tree}
        host = jax.tree.map(lambda _: ocp.RestoreArgs(restore_type=np.ndarray), wanted)
        state = reader.restore(
            root / "state",
            args=ocp.args.PyTreeRestore(item=wanted, restore_args=host, partial_restore=True),
        )
    variables = {"params": state.get("ema", state["params"]), "batch_stats": state["batch_stats"]}
    return variables, {"source": str(path), **meta}
