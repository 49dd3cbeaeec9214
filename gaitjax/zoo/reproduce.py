"""A zoo entry from its released weights to a number beside the published one."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from flax.traverse_util import flatten_dict
from ml_collections import ConfigDict

from gaitjax import digest, files, weights, zoo
from gaitjax.command import origin, tables
from gaitjax.config import load, override_all
from gaitjax.conversion import convert, hub
from gaitjax.data import listing, partitions, sets
from gaitjax.errors import DataError
from gaitjax.evaluation.of_checkpoint import Wishes, evaluate_checkpoint
from gaitjax.prepare import preparation
from gaitjax.skeleton import joint_format
from gaitjax.untrusted import safe_json

_NAMED = 20  # absent identities named
# Fields that say where things lie and how much is held at once, not what is computed.
LOCAL = (
    "data.root data.partition data.links data.cache_dir data.device_budget_gb "
    "data.image_cache_gb eval.batch_size eval.memory_gb"
).split()
SERVER = "grew_submission"  # scored by the challenge's server, not here


def config_of(name: str, overrides: Sequence[str] = ()) -> ConfigDict:
    """The entry's config, with the reference's rounding and its protocol."""
    entry = zoo.entry(name)
    config = load(name)
    config.eval.embedding = entry.embedding
    config.eval.protocol = next(iter(entry.published))
    config.compat = True
    return override_all(config, list(overrides))


def prepare_arguments(config: ConfigDict, source: str, options: Sequence[str] = ()) -> list[str]:
    """Arguments of `gaitjax.prepare` that make the data the published number is of.

    Frames in the reference's order and, of several people, its choice: `--compat`.
    """
    joints = joint_format(config.data.joints).num_joints
    published = [o.format(joints=joints) for o in _preparation(config).as_published]
    return ["--source", source, "--output", config.data.root, "--resume", *options, *published]


def _preparation(config: ConfigDict) -> sets.Preparation:
    preparation = sets.get(config.data.name).preparation
    assert preparation, f"{config.data.name} has published numbers"
    return preparation


def _to_prepare(config: ConfigDict, source: str) -> bool:
    root = Path(config.data.root).expanduser()
    return bool(source and config.data.root) and (
        not root.is_dir() or (root / partitions.UNFINISHED).exists()
    )


def needs(
    name: str, config: ConfigDict, workdir: Path, source: str = "", options: Sequence[str] = ()
) -> list[tuple[str, bool, str]]:
    """What `reproduce` needs: (what, is there, where it comes from or what else to know).

    Args:
      source, options: as of `reproduce`.
    """
    entry = zoo.entry(name)
    converted = workdir / "weights.npz"
    hub = (
        f"fetched from {zoo.REPO}/{entry.folder}/checkpoints on the Hugging Face hub and converted"
    )
    found = [(str(converted), converted.is_file(), hub)]
    if _to_prepare(config, source):
        arguments, which = prepare_arguments(config, source, options), _preparation(config).command
        command = f"python -m gaitjax.prepare {which} {shlex.join(arguments)}"
        try:
            _, plan = preparation.listed(which, arguments)
        except DataError as error:
            return [*found, (source, False, str(error))]
        have = f"{len(plan.jobs)} sequences in {source}"
        found.append((have, True, f"to be prepared with: {command}"))
        if not (plan.partition or config.data.partition or sets.get(config.data.name).split):
            where = partitions.json_origin(config.data.name)
            found.append(("the partition", False, f"give --prepare='--partition FILE'. {where}"))
        return found
    root = config.data.root or f"the prepared {config.data.name} data (--config.data.root)"
    try:
        partitions.check_root(config.data.name, config.data.root)
        found.append((root, True, ""))
        ids = partitions.load(config.data).test
        found.append((f"the partition, {len(ids)} test identities", True, ""))
        listed = listing.scan(partitions.open_split(config.data, "test"))
    except DataError as error:
        return [*found, (root if len(found) == 1 else "the test set", False, str(error))]
    present = set(listed.labels)
    absent = [label for label in ids if label not in present]
    more = f" and {len(absent) - _NAMED} more" if len(absent) > _NAMED else ""
    note = f"not on disk, left out: {' '.join(absent[:_NAMED])}{more}" if absent else ""
    found.append((f"{len(listed.labels)} sequences of {len(present)} of them", True, note))
    return found


def reproduce(
    name: str,
    config: ConfigDict,
    workdir: str | Path,
    seeds: int = 10,
    revision: str | None = None,
    ground_truth: str | None = None,
    source: str = "",
    options: Sequence[str] = (),
) -> dict:
    """Fetch, convert, evaluate and compare one entry; writes reproduction.json.

    Networks that test a window are scored over `seeds` random ones, as the reference draws it.
    Where there is no prepared data yet, it is made from `source`, the raw data set, with
    `options` added to those of `prepare_arguments`.

    Raises:
      DataError, WeightsError: what is missing and where it comes from.
    """
    workdir = Path(workdir)
    if _to_prepare(config, source):
        _demand(needs(name, config, workdir, source, options))
        preparation.prepare(
            _preparation(config).command, prepare_arguments(config, source, options)
        )
    _demand(needs(name, config, workdir))
    entry, converted = zoo.entry(name), workdir / "weights.npz"
    if not converted.is_file():
        path, commit = hub.fetch(zoo.REPO, entry.folder, revision)
        convert.convert(
            config,
            "opengait",
            path,
            str(converted),
            {"hub": f"{zoo.REPO}/{entry.folder}", "commit": commit},
        )
    protocol = config.eval.protocol
    wishes = Wishes(
        random_windows=seeds if config.eval.clip == "ordered" and protocol != SERVER else 0,
        ground_truth=ground_truth,
        published=entry.published.get(protocol),
    )
    result = evaluate_checkpoint(config, converted, workdir, wishes)
    row = {"name": name, "protocol": protocol, "published": entry.published.get(protocol)}
    row |= (
        {key: result["published"][key] for key in ("ours", "spread", "within")}
        if ("published" in result)
        else {"ours": None, "spread": None, "within": None}
    )
    score = next(iter(result["headline"]), "Rank-1")
    row |= {"score": score, "interval": result["interval"].get(score)}
    row["seeds"] = list(range(wishes.random_windows))
    metadata = weights.load(converted)[1]
    row["checkpoint"] = metadata.get("sha256")
    row["weights"] = {key: metadata.get(key) for key in ("hub", "commit", "file", "sha256")}
    row["scores"] = _scores(result)
    row |= {"changed": changed(name, config), "data": _of_data(config)}
    row |= {"versions": origin.versions(), "commit": origin.commit()}
    row |= {key: origin.machine()[key] for key in ("device", "processor")}
    files.write_json(workdir / "reproduction.json", row)
    if row["ours"] is None:
        print("upload the zip above to the GREW server: it alone knows the answers")
    return row


def _scores(result: dict) -> dict:
    """Every headline number with its interval, chance and, where drawn, random windows."""
    windows = result.get("random_windows", {})
    return {
        name: {
            "value": value,
            "interval": result["interval"].get(name),
            "chance": result["chance"].get(name),
            "random_windows": windows.get(name, {}).get("runs"),
        }
        for name, value in result["headline"].items()
    }


def _of_data(config: ConfigDict) -> dict:
    """Which test set it was: counts, and hashes that tell it from another."""
    listed = listing.scan(partitions.open_split(config.data, "test"))
    names = sorted(zip(listed.labels, listed.types, listed.views, strict=True))
    path = config.data.partition
    return {
        "name": config.data.name,
        "identities": len(set(listed.labels)),
        "sequences": len(names),
        "names": digest.of_json(names),
        "partition": digest.of_file(files.expanded(path)) if path else None,
    }


def changed(name: str, config: ConfigDict) -> dict:
    """Fields in which `config` is not what `config_of` gives, but for `LOCAL`."""
    usual, own = (flatten_dict(c.to_dict(), sep=".") for c in (config_of(name), config))
    keys = sorted((usual.keys() | own.keys()) - set(LOCAL))
    return {key: own.get(key) for key in keys if own.get(key) != usual.get(key)}


def _demand(found: list[tuple[str, bool, str]]) -> None:
    """DataError for the first thing missing beside the weights."""
    for what, there, where in found[1:]:
        if not there:
            raise DataError(f"{what}: {where}")


def report(folders: list[str]) -> str:
    """Finished runs under `folders` as a Markdown table; DataError if there are none."""
    paths = sorted({p for f in folders for p in Path(f).rglob("reproduction.json")})
    if not paths:
        raise DataError(
            f"no reproduction.json under {', '.join(folders)}; run "
            "python -m gaitjax.zoo reproduce NAME --config.data.root=DIR first"
        )
    rows = [("config", "protocol", "published Rank-1", "reproduced", "spread", "within")]
    for path in paths:
        row = safe_json.load(path)
        try:
            ours, spread = (
                "-" if row[key] is None else f"{row[key]:.2f}" for key in ("ours", "spread")
            )
            verdict = {True: "yes", False: "no", None: "-"}[row["within"]]
            published = f"{row['published']:.2f}"
            rows.append(
                (f"`{row['name']}`", f"`{row['protocol']}`", published, ours, spread, verdict)
            )
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(
                f"{path}: not what `zoo reproduce` writes ({error}); run it again"
            ) from None
    return "\n".join(tables.markdown(rows, left=(0, 1, 5)))
