"""A PyTorch checkpoint to a weights .npz or a work directory: what the commands share."""

import argparse
import importlib.util
import json
import warnings
from collections.abc import Mapping
from pathlib import Path

import jax
import numpy as np
from flax import traverse_util
from ml_collections import ConfigDict

from gaitjax import config as configs
from gaitjax import digest, files, models, weights
from gaitjax.conversion import checkpoint_file, core
from gaitjax.conversion.checkpoint_file import EVERYTHING, Checkpoint, Selection
from gaitjax.conversion.rules import SOURCES, rules
from gaitjax.data import packing
from gaitjax.errors import DataError
from gaitjax.training import checkpoint, step

OUTPUT = "weights .npz or .safetensors, or a new work directory"  # help of the option


def convert(
    config: ConfigDict,
    source: str,
    path: str | Path,
    output: str,
    origin: dict | None = None,
    select: Selection = EVERYTHING,
) -> None:
    """Convert the checkpoint at `path` to `output`, a weights file or a new work directory.

    Prints what it does. Nothing is written unless everything fits.

    Args:
      source: whose checkpoint: "opengait" or "tteepe".
      origin: more about where the file came from, for the metadata.
      select: which of the file's entries are the weights.

    Raises:
      DataError: the file cannot be read or does not fit the network of `config`.
    """
    path, target = files.expanded(path), _target(output)
    table = rules(config, source)
    print(f"reading {path}", flush=True)
    file = checkpoint_file.read(path, select)
    variables, notes = _variables(config, source, path, file)
    metadata = {
        "converted_from": source,
        "file": path.name,
        "sha256": file.sha256,
        **(origin or {}),
        "embedding": config.eval.embedding,
        "config": json.loads(config.to_json()),
        "torch_buffers": core.kept_buffers(file.state, table),
    }
    if file.iteration is not None:
        metadata["step"] = file.iteration

    leaves = jax.tree.leaves(variables["params"])
    print(
        f"converted {len(file.state)} torch entries: {sum(x.size for x in leaves):,} parameters "
        f"of {config.model.name}"
        + ("" if file.iteration is None else f", iteration {file.iteration}")
    )
    for note in notes:
        print(f"note: {note}")
    if target.suffix in weights.SUFFIXES:
        weights.save(target, variables, metadata)
    else:
        checkpoint.save_variables(target, file.iteration or 0, variables, metadata)
    print(f"wrote {target}")


def readable(config: ConfigDict, path: str | Path) -> Path:
    """`path`, or for a PyTorch file, where torch is installed, the weights file made of it.

    That one is kept in the cache folder, under the file's SHA-256 and that of the network.

    Raises:
      DataError: the PyTorch file cannot be read or does not fit the network of `config`.
    """
    path = files.expanded(path)
    if not weights.is_torch(path) or importlib.util.find_spec("torch") is None:
        return path
    network = digest.of_json(json.loads(config.model.to_json()))
    name = f"{path.stem}-{digest.of_file(path)[:16]}-{network[:8]}.npz"
    target = packing.cache_folder(config.data.cache_dir) / "converted" / name
    if not target.is_file():
        keys = set(core.without_prefix(checkpoint_file.read(path).state))
        source = max(SOURCES, key=lambda source: len(_keys(config, source) & keys))
        convert(config, source, path, str(target))
    return target


def add_selection(parser: argparse.ArgumentParser) -> None:
    """The options that say which of a file's entries are the weights, for `selection`."""
    add = parser.add_argument
    add("--key", default="", help="entry that is the state dict, as ema or model/net")
    add("--strip_prefix", default="", metavar="PREFIX", help="taken away from the keys, as net.")
    add(
        "--ignore",
        action="append",
        default=[],
        metavar="PATTERN",
        help="leave out keys that match, as 'head.*'; may be given again",
    )


def selection(args: argparse.Namespace) -> Selection:
    """What the options of `add_selection` say."""
    return Selection(args.key, args.strip_prefix, tuple(args.ignore))


def _target(output: str) -> Path:
    path = files.expanded(output)
    if path.suffix in weights.SUFFIXES:
        return path
    if path.suffix and not output.endswith("/") and not path.is_dir():
        raise DataError(f"--output {output}: expected *.npz, *.safetensors or a folder")
    if (path / "checkpoints").exists():
        raise DataError(f"--output {output}: holds checkpoints already; name a new folder")
    return path


def _variables(
    config: ConfigDict, source: str, path: Path, file: Checkpoint
) -> tuple[dict, list[str]]:
    """Variables of the network, and what the user should know about them."""
    template = step.variable_shapes(config, models.build(config))
    state = core.without_prefix(file.state)
    if not _keys(config, source) & set(state):
        raise DataError(
            f"{path}: not {config.model.name} of {source}: none of its {len(state)} keys "
            f"({next(iter(state))}, ...) belongs to that network{_hint(config, source, state)}"
        )
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            variables = core.to_flax(state, rules(config, source), template)
    except DataError as error:
        raise DataError(f"{path}: {error}{_hint(config, source, state)}") from error
    notes = [str(warning.message) for warning in caught]
    leaves = traverse_util.flatten_dict(variables)
    broken = ["/".join(leaf) for leaf, value in leaves.items() if not np.isfinite(value).all()]
    if broken:
        notes.append(f"{len(broken)} arrays hold NaN or infinity: {', '.join(broken[:4])}")
    return variables, notes


def _keys(config: ConfigDict, source: str) -> set[str]:
    """Torch keys of the network; empty if `source` has no such network."""
    try:
        return {rule.torch_key for rule in rules(config, source)}
    except DataError:
        return set()


def _hint(config: ConfigDict, source: str, state: Mapping) -> str:
    """What may be wrong with a state dict that does not fit."""
    if _keys(config, source) != set(state):
        fitting = [
            f"{name} ({origin})"
            for origin in SOURCES
            for name in configs.names()
            if name.endswith("_tteepe") == (origin == "tteepe")
            and _keys(configs.load(name), origin) == set(state)
        ]
        more = [f"{len(fitting) - 4} more"] if fitting[4:] else []
        return f"\nIts keys are those of: {', '.join(fitting[:4] + more)}" if fitting else ""
    head = state.get("BNNecks.fc_bin")
    if head is not None and head.ndim == 3 and head.shape[2] != config.model.classes:
        return f"\nIt has {head.shape[2]} classes: --config.model.classes={head.shape[2]}"
    return ""


def evaluate_command(config: str, output: str, overrides: list[str]) -> str:
    """The command that scores what was converted."""
    words = ["--config", config, "--checkpoint", output, *overrides, "--config.data.root=DIR"]
    return "next: python -m gaitjax.evaluate " + " ".join(words)
