"""Which identities train and which test, and where each data set comes from.

A partition is OpenGait's JSON (`TRAIN_SET`, `TEST_SET`, for Gait3D also `PROBE_SET`):
the file named in `data.partition`, else `partition.json` in the root, else the data
set's own rule. Sets of tensorflow-datasets ("tfds:<name>") keep the partition they were
built with. Sources: specification sections 2, 9.3-9.5 and 10; the numbering of OUMVLP
(Takemura et al., 2018) and CASIA-B (Yu et al., 2006).
"""

import difflib
import json
import os
from pathlib import Path
from typing import NamedTuple

from ml_collections import ConfigDict

from gaitjax.data import builders
from gaitjax.errors import DataError

PARTITION_FILE = "partition.json"
BUILT_IN = ("oumvlp", "casiab", "grew")  # data sets whose partition is a rule, see `load`
UNFINISHED = ".prepare/journal.jsonl"  # in the root until `gaitjax.prepare` is done

_SUSTECH = "the SUSTech1K project page of Southern University of Science and Technology"
_ORIGINS = {
    "oumvlp": "OUMVLP-Pose: request it with the release agreement on the OU-ISIR biometric "
    "database site of Osaka University's SANKEN (ISIR)",
    "grew": "GREW: request it with the agreement form on the GREW benchmark site",
    "gait3d": "Gait3D: request it with the agreement form on the Gait3D project page",
    "casiab": "CASIA-B: request it from the Center for Biometrics and Security Research (CBSR) "
    "of the Chinese Academy of Sciences",
    "ccpg": "CCPG: request it with the agreement form on the CCPG project page",
    "sustech1k": f"SUSTech1K: request it with the agreement form on {_SUSTECH}",
    "cmu_walks": "walks of the CMU Graphics Lab Motion Capture Database: free at mocap.cs.cmu.edu",
    "walkers": "synthetic walkers: made here",
    "own": "a data set of your own, with a partition.json",
}
_READERS = {"own": "opengait"}  # data set -> its name in gaitjax.prepare, if another


class Partition(NamedTuple):
    """Identities in order; `probe` holds Gait3D's names "id-type-view", else nothing."""

    train: tuple[str, ...]
    test: tuple[str, ...]
    probe: tuple[str, ...] = ()


def origin(name: str) -> str:
    """Where the data set comes from, in a few words."""
    return _ORIGINS[name]


def how_to_get(name: str, root: str = "DIR") -> str:
    """One sentence: where the data set comes from and the command that prepares it."""
    if name.startswith(builders.PREFIX):
        return (
            "Build it from the prepared folder with: python -m gaitjax.data.builders "
            f"{name.removeprefix(builders.PREFIX)} --data.root DIR --data_dir {root}"
        )
    if name == "walkers":
        return f"Make it with: python -m gaitjax.data.walkers --output {root}"
    if name == "cmu_walks":
        return (
            f"{_ORIGINS[name]}; fetch and prepare it with: "
            f"python -m gaitjax.prepare {name} --output {root}"
        )
    return (
        f"{_ORIGINS[name]}; then prepare it with: "
        f"python -m gaitjax.prepare {_READERS.get(name, name)} "
        f"--source DOWNLOADED_DIR --output {root}"
    )


def check_root(data: ConfigDict) -> Path:
    """`data.root` as a path. DataError: unknown data set name, no root, no such folder."""
    from_tfds = data.name.startswith(builders.PREFIX)
    if data.name.removeprefix(builders.PREFIX) not in (builders.NAMES if from_tfds else _ORIGINS):
        near = difflib.get_close_matches(data.name, _ORIGINS, n=3, cutoff=0.4)
        hint = f"did you mean {' or '.join(near)}? " if near else ""
        raise DataError(
            f"unknown data set {data.name!r} (data.name): {hint}Known: {', '.join(_ORIGINS)}, "
            f"and of tensorflow-datasets {builders.PREFIX}<name>."
        )
    holds = "the tensorflow-datasets" if from_tfds else "<id>/<type>/<view>/*.pkl"
    if not data.root:
        raise DataError(
            f"no folder given for {data.name}: set data.root to the folder that holds {holds}. "
            f"{how_to_get(data.name)}"
        )
    root = Path(data.root).expanduser()
    if not root.is_dir():
        found = "is not a folder" if root.exists() else "does not exist"
        raise DataError(f"{root} (data.root of {data.name}) {found}. {how_to_get(data.name, root)}")
    if from_tfds and not (home := builders.folder(root, data.name)).is_dir():
        raise DataError(f"{home} does not exist. {how_to_get(data.name, root)}")
    if (root / UNFINISHED).exists():
        raise DataError(
            f"{root} (data.root): its preparation was cut short; run it again with --resume"
        )
    return root


def load(data: ConfigDict) -> Partition:
    """The partition of the data set that `data` (`config.data`) describes.

    Raises:
      DataError: no root, no or an unreadable JSON, a set missing from it.
    """
    root = check_root(data)
    if data.name.startswith(builders.PREFIX):
        if data.partition:
            raise DataError(
                f"data.partition is {data.partition}, but the sets of {data.name} were fixed when "
                "it was built; leave data.partition empty, or build it anew with --data.partition"
            )
        return read(builders.folder(root, data.name) / PARTITION_FILE)
    if data.partition:
        return read(Path(data.partition).expanduser())
    if (root / PARTITION_FILE).is_file():
        return read(root / PARTITION_FILE)
    if data.name == "oumvlp":  # odd ids train; 10307, the last, tests
        ids = [f"{i:05d}" for i in range(1, 10308)]
        return Partition(tuple(ids[:-1:2]), tuple(ids[1::2] + ids[-1:]))
    if data.name == "casiab":
        ids = [f"{i:03d}" for i in range(1, 125)]
        return Partition(tuple(ids[:74]), tuple(ids[74:]))
    if data.name == "grew":
        ids = _folders(root)
        return Partition(
            tuple(i for i in ids if i.endswith("train")),
            tuple(i for i in ids if i == "probe" or (len(i) == 5 and i.isdigit())),
        )
    raise DataError(
        f"{data.name} has no built-in partition and {root / PARTITION_FILE} does not exist: set "
        f"data.partition to its JSON with TRAIN_SET and TEST_SET. {json_origin(data.name)}"
    )


def split_ids(data: ConfigDict, split: str) -> tuple[str, ...]:
    """Identities of the split ("train" or "test") that are on disk, in partition order.

    Listed identities without a folder are left out, as the reference does, and counted
    in a printed note.

    Raises:
      DataError: as `load`; or the split is empty, or none of its identities is on disk.
    """
    if split not in ("train", "test"):
        raise DataError(f"split is {split!r}; expected 'train' or 'test'")
    root = check_root(data)
    listed = getattr(load(data), split)
    folders = listed if data.name.startswith(builders.PREFIX) else _folders(root)
    if not listed:
        raise DataError(
            f"the {split} set of {data.name} is empty. Folders in {root}: {_some(folders)}. "
            "Check data.root and data.partition."
        )
    on_disk = set(folders)
    missing = [i for i in listed if i not in on_disk]
    if len(missing) == len(listed):
        raise DataError(
            f"none of the {len(listed)} {split} ids of {data.name} ({_some(listed)}) is a folder "
            f"in {root}, which holds {_some(folders)}. Check data.root and data.partition."
        )
    if missing:
        print(
            f"{data.name} {split}: {len(missing)} of {len(listed)} listed ids are not on disk "
            f"and left out ({_some(missing)})"
        )
    return tuple(i for i in listed if i in on_disk)


def read(path: Path) -> Partition:
    """The partition in OpenGait's JSON `path`; DataError names what is wrong with it."""
    expected = 'expected {"TRAIN_SET": [ids], "TEST_SET": [ids]} in OpenGait\'s form'
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(
            f"{path} (data.partition): cannot be read: {error.strerror}; {expected}"
        ) from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} (data.partition): not JSON ({error}); {expected}") from error
    if not isinstance(content, dict) or not {"TRAIN_SET", "TEST_SET"} <= content.keys():
        found = f"the keys {_some(content)}" if isinstance(content, dict) else "no object"
        raise DataError(f"{path} (data.partition): found {found}; {expected}")
    sets = [content[key] for key in ("TRAIN_SET", "TEST_SET")] + [content.get("PROBE_SET", [])]
    for key, ids in zip(("TRAIN_SET", "TEST_SET", "PROBE_SET"), sets, strict=True):
        if not isinstance(ids, list) or not all(isinstance(i, str) for i in ids):
            raise DataError(f"{path} (data.partition): {key} is not a list of texts; {expected}")
        if len(set(ids)) < len(ids):
            raise DataError(f"{path} (data.partition): {key} lists an id twice; remove it")
    return Partition(*map(tuple, sets))


def json_origin(name: str) -> str:
    """One sentence: where the partition of a data set without a rule comes from."""
    if name == "own":
        return "List the identities of either set in it."
    if name in ("walkers", "cmu_walks"):
        return f"The command that makes the data set writes it. {how_to_get(name)}"
    return "OpenGait publishes it under datasets/ in its repository."


def _folders(root: Path) -> list[str]:
    with os.scandir(root) as entries:
        return sorted(e.name for e in entries if e.is_dir() and not e.name.startswith("."))


def _some(names) -> str:
    names = list(names)
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "") if names else "nothing"
