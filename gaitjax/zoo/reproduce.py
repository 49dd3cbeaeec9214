"""A zoo entry from its released weights to a number beside the published one."""

import json
import os
from pathlib import Path

from ml_collections import ConfigDict

from gaitjax import evaluate, weights, zoo
from gaitjax.config import load, override_all
from gaitjax.data import partitions
from gaitjax.errors import DataError

SERVER = "grew_submission"  # scored by the challenge's server, not here


def config_of(name: str, data_root: str, overrides: list[str] = ()) -> ConfigDict:
    """The entry's config on `data_root`, with the reference's rounding and its protocol."""
    entry = zoo.entry(name)
    config = load(name)
    config.data.root = data_root
    config.eval.embedding = entry.embedding
    config.eval.protocol = next(iter(entry.published))
    config.compat = True
    return override_all(config, list(overrides))


def needs(name: str, config: ConfigDict, workdir: Path) -> list[tuple[str, bool, str]]:
    """What `reproduce` needs: (what, is there, where it comes from)."""
    entry = zoo.entry(name)
    found = []
    converted = workdir / "weights.npz"
    source = f"fetched from {zoo.REPO}/{entry.folder} on the Hugging Face hub and converted"
    found.append((str(converted), converted.is_file(), source))
    root = config.data.root or f"the prepared {config.data.name} data (--data_root)"
    try:
        partitions.check_root(config.data)
        found.append((root, True, ""))
    except DataError as error:
        found.append((root, False, str(error)))
        return found
    try:
        ids = partitions.split_ids(config.data, "test")
        found.append((f"{len(ids)} test identities", True, ""))
    except DataError as error:
        found.append(("the test set", False, str(error)))
    return found


def reproduce(
    name: str,
    config: ConfigDict,
    workdir: str | Path,
    seeds: int = 10,
    revision: str | None = None,
    ground_truth: str | None = None,
) -> dict:
    """Fetch, convert, evaluate and compare one entry; writes reproduction.json.

    Networks that test a window are scored over `seeds` random ones, as the reference draws it.

    Raises:
      DataError, WeightsError: what is missing and where it comes from.
    """
    workdir = Path(workdir)
    for what, there, source in needs(name, config, workdir)[1:]:
        if not there:
            raise DataError(f"{what}: {source}")
    entry, converted = zoo.entry(name), workdir / "weights.npz"
    if not converted.is_file():
        from converters import hub
        from converters.convert import convert

        path, commit = hub.fetch(zoo.REPO, entry.folder, revision)
        convert(
            config,
            "opengait",
            path,
            str(converted),
            {"hub": f"{zoo.REPO}/{entry.folder}", "commit": commit},
        )
    protocol = config.eval.protocol
    result = evaluate.evaluate(
        config,
        converted,
        workdir,
        seeds=seeds if config.eval.clip == "ordered" and protocol != SERVER else 0,
        ground_truth=ground_truth,
        published=entry.published.get(protocol),
    )
    row = {"name": name, "protocol": protocol, "published": entry.published.get(protocol)}
    row |= (
        {key: result["published"][key] for key in ("ours", "spread", "within")}
        if ("published" in result)
        else {"ours": None, "spread": None, "within": None}
    )
    row["checkpoint"] = weights.load(converted)[1].get("sha256")
    temporary = workdir / ".reproduction.json"
    temporary.write_text(json.dumps(row, indent=1) + "\n")
    os.replace(temporary, workdir / "reproduction.json")
    if row["ours"] is None:
        print("upload the zip above to the GREW server: it alone knows the answers")
    return row


def report(folders: list[str]) -> str:
    """Finished runs under `folders` as a Markdown table; DataError if there are none."""
    paths = sorted({p for f in folders for p in Path(f).rglob("reproduction.json")})
    if not paths:
        raise DataError(
            f"no reproduction.json under {', '.join(folders)}; run "
            "python -m gaitjax.zoo reproduce NAME --data_root=DIR first"
        )
    lines = [
        "| config | protocol | published Rank-1 | reproduced | spread | within |",
        "| --- | --- | ---: | ---: | ---: | --- |",
    ]
    for path in paths:
        row = json.loads(path.read_text())
        ours, spread = (
            "-" if row[key] is None else f"{row[key]:.2f}" for key in ("ours", "spread")
        )
        verdict = {True: "yes", False: "no", None: "-"}[row["within"]]
        lines.append(
            f"| `{row['name']}` | `{row['protocol']}` | {row['published']:.2f} | {ours} | "
            f"{spread} | {verdict} |"
        )
    return "\n".join(lines)
