"""A work directory belongs to one config and, while it runs, to one process (or its hosts)."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import jax
from ml_collections import ConfigDict

from gaitjax import files, models
from gaitjax.config import free_keys, stored
from gaitjax.errors import DataError, TrainingError
from gaitjax.untrusted import safe_json


@contextlib.contextmanager
def held(workdir: Path, config: ConfigDict) -> Iterator[None]:
    """`workdir`, made if missing, is this run's alone inside the block, and holds its config.json.

    Raises:
      TrainingError: it holds a run of another config; every field that differs is named.
      DataError: another training runs in it.
    """
    if workdir.exists() and not workdir.is_dir():
        raise TrainingError(f"--workdir {workdir} is a file; name a folder")
    _check_same_run(workdir, config)
    if jax.process_index() > 0:  # the first process holds it for all
        yield
        return
    with files.lock(workdir):
        _check_same_run(workdir, config)  # again: another run may have claimed it meanwhile
        files.write_json(workdir / "config.json", json.loads(config.to_json()))
        yield


def _check_same_run(workdir: Path, config: ConfigDict) -> None:
    path = workdir / "config.json"
    if not path.exists():
        return
    try:
        theirs = stored(safe_json.load(path), str(path))
    except DataError as error:
        raise TrainingError(
            f"{str(error).removesuffix('.')}. Put the right config.json back, or delete {workdir} "
            "to start over"
        ) from error
    there, here = _comparable(theirs), _comparable(config)
    differ = sorted(
        key
        for key in there.keys() | here.keys()
        if there.get(key) != here.get(key) and key not in free_keys()
    )
    if differ == ["train.steps"] and config.schedule.name == "multistep":
        return  # the schedule is the same up to any number of steps
    if differ:
        lines = [f"{key}: {there.get(key)!r} there, {here.get(key)!r} here" for key in differ]
        lines = [f"{workdir} holds a run of another config:", *lines]
        raise TrainingError("\n  ".join(lines) + "\n" + _advice(workdir, differ, config))


def _advice(workdir: Path, differ: list[str], config: ConfigDict) -> str:
    if differ != ["train.steps"]:
        return "Use another --workdir, or delete this one to start over."
    return (
        f"schedule.name={config.schedule.name} spreads the learning rate over train.steps, so a "
        "longer run is another one from its first step on (multistep can go on). Train further "
        f"from these weights with --config.init_from={workdir} and another --workdir."
    )


def _comparable(config: ConfigDict) -> dict:
    """Every field by its dotted key: one younger than the run has its default, and one left open
    what the network makes of it."""
    fields = models.class_of(config.model.name).__dataclass_fields__
    known = {f"model.{key}": field.default for key, field in fields.items()}
    known = json.loads(json.dumps(known, default=lambda _: None))
    settled = getattr(models.build(config), "centres", {})
    given = _flat(json.loads(config.to_json()))
    return known | given | {f"model.{key}": value for key, value in settled.items()}


def _flat(config: dict, prefix: str = "") -> dict:
    flat = {}
    for key, value in config.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat
