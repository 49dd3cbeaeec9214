"""Which identities train and which test, and which of them are on disk.

A partition is OpenGait's JSON (`TRAIN_SET`, `TEST_SET`, for Gait3D also `PROBE_SET`):
the file named in `data.partition`, else `partition.json` in the root, else the data
set's own rule. Sets of tensorflow-datasets ("tfds:<name>") keep the partition they were
built with.
"""

import os
from pathlib import Path
from typing import NamedTuple, Protocol

from gaitjax.data import sets
from gaitjax.errors import DataError
from gaitjax.untrusted import links, safe_json

PARTITION_FILE = "partition.json"
UNFINISHED = ".prepare/journal.jsonl"  # in the root until `gaitjax.prepare` is done


class Partition(NamedTuple):
    """Identities in order; `probe` holds Gait3D's names "id-type-view", else nothing."""

    train: tuple[str, ...]
    test: tuple[str, ...]
    probe: tuple[str, ...] = ()


class Split(NamedTuple):
    """The training or the test identities of a data set on disk.

    Attributes:
      name: of the data set, as in `data.name`.
      root: its folder.
      side: "train" or "test".
      ids: identities that have a folder, in partition order.
      probe: as of `Partition`.
    """

    name: str
    root: Path
    side: str
    ids: tuple[str, ...]
    probe: tuple[str, ...]


class Place(Protocol):
    """Where a data set lies: `config.data` is one."""

    name: str
    root: str
    partition: str
    links: str


def check_root(name: str, root: str) -> Path:
    """The folder of a data set. DataError: unknown name, no root, no such folder."""
    stored, how = name.startswith(sets.PREFIX), sets.how_to_get(name)
    holds = "the tensorflow-datasets" if stored else "<id>/<type>/<view>/*.pkl"
    if not root:
        raise DataError(
            f"no folder given for {name}: set data.root to the folder that holds {holds}. {how}"
        )
    path = Path(root).expanduser()
    if not path.is_dir():
        found = "is not a folder" if path.exists() else "does not exist"
        raise DataError(f"{path} (data.root of {name}) {found}. {sets.how_to_get(name, path)}")
    if stored and not (home := sets.stored_folder(path, name)).is_dir():
        raise DataError(f"{home} does not exist. {sets.how_to_get(name, path)}")
    if (path / UNFINISHED).exists():
        raise DataError(
            f"{path} (data.root): its preparation was cut short; run it again with --resume"
        )
    return path


def load(place: Place) -> Partition:
    """The partition of a data set.

    Raises:
      DataError: as `check_root`; no or an unreadable JSON, a set missing from it.
    """
    return _load(place.name, check_root(place.name, place.root), place.partition)


def _load(name: str, root: Path, partition: str) -> Partition:
    if name.startswith(sets.PREFIX):
        if partition:
            raise DataError(
                f"data.partition is {partition}, but the sets of {name} were fixed when it was "
                "built; leave data.partition empty, or build it anew with --config.data.partition"
            )
        return read(sets.stored_folder(root, name) / PARTITION_FILE)
    if partition:
        return read(Path(partition).expanduser())
    if (root / PARTITION_FILE).is_file():
        return read(root / PARTITION_FILE)
    if rule := sets.get(name).split:
        return Partition(*rule(_folders(root)))
    raise DataError(
        f"{name} has no built-in partition and {root / PARTITION_FILE} does not exist: set "
        f"data.partition to its JSON with TRAIN_SET and TEST_SET. {json_origin(name)}"
    )


def open_split(place: Place, side: str) -> Split:
    """The training or test identities that are on disk.

    Listed identities without a folder are left out, as the reference does, and counted
    in a printed note.

    Args:
      side: "train" or "test".

    Raises:
      DataError: as `load`; or the set is empty, or none of its identities is on disk.
    """
    if side not in ("train", "test"):
        raise DataError(f"split is {side!r}; expected 'train' or 'test'")
    name, folder = place.name, check_root(place.name, place.root)
    if place.links == "refuse":
        links.refuse(folder, "data.links=refuse")
    found = _load(name, folder, place.partition)
    listed = getattr(found, side)
    folders = listed if name.startswith(sets.PREFIX) else _folders(folder)
    if not listed:
        raise DataError(
            f"the {side} set of {name} is empty. Folders in {folder}: {_some(folders)}. "
            "Check data.root and data.partition."
        )
    on_disk = set(folders)
    missing = [i for i in listed if i not in on_disk]
    if len(missing) == len(listed):
        raise DataError(
            f"none of the {len(listed)} {side} ids of {name} ({_some(listed)}) is a folder "
            f"in {folder}, which holds {_some(folders)}. Check data.root and data.partition."
        )
    if missing:
        print(
            f"{name} {side}: {len(missing)} of {len(listed)} listed ids are not on disk "
            f"and left out ({_some(missing)})"
        )
    return Split(name, folder, side, tuple(i for i in listed if i in on_disk), found.probe)


def read(path: Path) -> Partition:
    """The partition in OpenGait's JSON `path`; DataError names what is wrong with it."""
    expected = 'expected {"TRAIN_SET": [ids], "TEST_SET": [ids]} in OpenGait\'s form'
    try:
        content = safe_json.load(path)
    except DataError as error:
        raise DataError(f"{error} (data.partition; {expected})") from error
    if not isinstance(content, dict) or not {"TRAIN_SET", "TEST_SET"} <= content.keys():
        found = f"the keys {_some(content)}" if isinstance(content, dict) else "no object"
        raise DataError(f"{path} (data.partition): found {found}; {expected}")
    lists = [content[key] for key in ("TRAIN_SET", "TEST_SET")] + [content.get("PROBE_SET", [])]
    for key, ids in zip(("TRAIN_SET", "TEST_SET", "PROBE_SET"), lists, strict=True):
        if not isinstance(ids, list) or not all(isinstance(i, str) for i in ids):
            raise DataError(f"{path} (data.partition): {key} is not a list of texts; {expected}")
        if len(set(ids)) < len(ids):
            raise DataError(f"{path} (data.partition): {key} lists an id twice; remove it")
    return Partition(*map(tuple, lists))


def json_origin(name: str) -> str:
    """One sentence: where the partition of a data set without a rule comes from."""
    source = sets.get(name).partition_from
    return f"{source} {sets.how_to_get(name)}" if source == sets.WRITTEN else source


def _folders(root: Path) -> list[str]:
    with os.scandir(root) as entries:
        return sorted(e.name for e in entries if e.is_dir() and not e.name.startswith("."))


def _some(names) -> str:
    names = list(names)
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "") if names else "nothing"
