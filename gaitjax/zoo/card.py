"""The model card of shared weights, from what is recorded with them: Markdown for a hub."""

import json
import shlex
from collections.abc import Mapping
from typing import Any

from flax.traverse_util import flatten_dict

from gaitjax import config as configs
from gaitjax import digest
from gaitjax.command import origin, tables
from gaitjax.data import sets
from gaitjax.data.familiar import HIGH, LOW, MIDDLE
from gaitjax.evaluation.record import number
from gaitjax.skeleton import joint_format

_LOCAL = ("data.root", "data.partition", "data.cache_dir", "init_from")
KNOWN = {  # of `gaitjax.data.familiar.measure`: what a reader calls it
    "height": "body height, pixels",
    "x": "middle of the body, x, pixels",
    "y": "middle of the body, y, pixels",
    "speed": "its speed, pixels a frame",
    "motion": "motion of the joints, body heights a frame",
    "frames": "frames of a sequence",
    "confidence": "confidence of the joints",
}
METRICS = {  # of `gaitjax.evaluation.distances`
    "euc": "the Euclidean distance of their embeddings, part by part",
    "cos": "the cosine distance of their embeddings, part by part",
}
RESPONSIBLE = """\
Gait is biometric data: it identifies people at a distance, without their cooperation. Use these
weights on people who consented, and not for surveillance. A small distance means alike, not the
same person: set a threshold on people whom you know, allow "unknown" as an answer, and expect
errors to differ between groups of people, clothes, cameras and pose estimators. The data set's
terms may reach to what was trained on it."""


def markdown(
    repo: str, licence: str, variables: dict, metadata: Mapping[str, Any], record: dict | None
) -> str:
    """The card.

    Args:
      metadata: of the weights, with their config.
      record: of `gaitjax.evaluate`, of these weights; None: not evaluated.
    """
    config = metadata["config"]
    model, data = config["model"], config["data"]
    tags = ["gaitjax", "gait-recognition", "biometrics", "skeleton", model["name"].split(":")[-1]]
    head = ["---", f"license: {licence}", "library_name: gaitjax", "tags:"]
    head += [f"- {tag}" for tag in tags] + ["---", ""]
    parts = [
        "\n".join(head) + f"# {repo.rpartition('/')[2]}",
        f"Weights of `{model['name']}` for gaitjax: poses of a "
        "walk in, an embedding out that is near to those of other walks of the same person.",
        f'```python\nimport gaitjax\n\nmodel = gaitjax.load("hf://{repo}")\n'
        "embeddings = model.embed(walks)  # a list of (T, V, 3): x, y in pixels, confidence\n```",
        f"Walks are compared by `{config['eval']['metric']}`: {METRICS[config['eval']['metric']]}.",
        "## Trained on\n\n" + _listed(_training(metadata)),
        "## Poses that it knows\n\n" + _poses(metadata),
        "## Results\n\n" + _results(record),
        "## Made by\n\n" + _made_by(variables, metadata),
        f"## Responsible use\n\n{RESPONSIBLE}",
        f"## Licence\n\n`{licence}` for the weights, as their publisher states it. gaitjax is "
        "under Apache-2.0; the data keep their own terms"
        + (f" ({terms})." if (terms := _terms(data["name"])) else "."),
        "<details><summary>Whole config</summary>\n\n```json\n"
        f"{json.dumps(config, indent=1)}\n```\n\n</details>",
    ]
    return "\n\n".join(parts) + "\n"


def _terms(name: str) -> str:
    record = sets.SETS.get(name.removeprefix("tfds:"))
    return f"{record.title}: {record.terms}" if record else ""


def _training(metadata: Mapping[str, Any]) -> list[tuple[str, str]]:
    config = metadata["config"]
    data, train = config["data"], config["train"]
    record = sets.SETS.get(data["name"].removeprefix("tfds:"))
    rows = [("data set", record.title if record else data["name"] or "not said")]
    if record and record.identities:
        published = "{:,} to train on, {:,} to test".format(*record.identities)
        rows.append(("identities, as published", published))
    if record:
        rows.append(("poses found by", record.estimator))
    if "converted_from" in metadata:
        rows.append(("trained by", f"others; converted from {metadata['converted_from']}"))
    if "step" in metadata:
        rows.append(("steps", f"{metadata['step']:,} of {train['batch_size']} sequences"))
    rows.append(("seed", str(config["seed"])))
    rows.append(("losses", ", ".join(config["loss"]) or "not said"))
    return rows


def _listed(facts: list[tuple[str, str]]) -> str:
    return "\n".join(f"- {name}: {value}" for name, value in facts)


def _poses(metadata: Mapping[str, Any]) -> str:
    config = metadata["config"]
    fmt, data = joint_format(config["model"]["joints"]), config["data"]
    lines = [
        f"- joint format: `{fmt.name}`, {fmt.num_joints} joints: {', '.join(fmt.joints)}",
        f"- missing joints: filled in by `{data['impute_test'] or data['impute']}`",
        f"- normalisation: `{data['normalise'] or 'none'}`",
    ]
    if not (known := metadata.get("knows")):
        return "\n".join([*lines, "- size and place that it was trained on: not recorded"])
    rows = [["", "5 %", "median", "95 %"]]
    rows += [
        [about, *(f"{known[name][place]:.3g}" for place in (LOW, MIDDLE, HIGH))]
        for name, about in KNOWN.items()
        if name in known
    ]
    return "\n".join([*lines, "", "What it was trained on:", "", *tables.markdown(rows)])


def _results(record: dict | None) -> str:
    if not record:
        return "No evaluation was recorded with these weights."
    rows = [("%", "value", "95 % interval", "chance")]
    for name, value in record["headline"].items():
        bounds = record["interval"].get(name)
        interval = f"{number(bounds[0])} to {number(bounds[1])}" if bounds else "-"
        rows.append((name, number(value), interval, number(record["chance"].get(name))))
    verified = record.get("verification")
    if verified:
        rows.append(("equal error rate", number(verified["eer"]), "-", "50.00"))
    of = [
        "{probes} probes and {gallery} gallery sequences of {identities} identities".format(
            **condition["counts"]
        )
        for condition in record.get("conditions", {}).values()
    ]
    lines = [f"{record['title']} (`{record['protocol']}`, metric `{record['metric']}`)."]
    lines += [f"{'; '.join(of)}.", ""] if of else [""]
    lines += tables.markdown(rows)
    lines += ["", "Intervals: bootstrap over identities, the gallery fixed."]
    lines += [f"* {note}" for note in record.get("notes", ())]
    return "\n".join(lines)


def _made_by(variables: dict, metadata: Mapping[str, Any]) -> str:
    facts = [("written with", f"gaitjax {origin.version('gaitjax')}")]
    made = dict(metadata.get("made_by") or {})
    if commit := made.pop("code", ""):
        facts.append(("commit", f"`{commit}`"))
    if made:
        facts.append(("versions", ", ".join(f"{name} {value}" for name, value in made.items())))
    for key in ("hub", "commit", "file", "sha256"):
        if key in metadata:
            facts.append((f"source: {key}", f"`{metadata[key]}`"))
    facts.append(("digest of all arrays", f"`{digest.of_json(digest.of_tree(variables))}`"))
    if "converted_from" in metadata:
        return _listed(facts)
    lines = command(metadata["config"]).replace(" --", " \\\n    --")
    return f"{_listed(facts)}\n\n```\n{lines}\n```"


def command(config: Mapping[str, Any]) -> str:
    """What trains with this config: the nearest packaged one, and the fields that differ."""

    def flat(config: Mapping[str, Any]) -> dict[str, Any]:
        values = flatten_dict({**config}, sep=".")
        return {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}

    own, nearest = flat(config), ("FILE", {})
    for name in configs.names():
        packaged = flat(configs.load(name).to_dict())
        if packaged["model.name"] != own["model.name"]:
            continue
        differs = {k: v for k, v in own.items() if packaged.get(k, v) != v and k not in _LOCAL}
        if nearest[0] == "FILE" or len(differs) < len(nearest[1]):
            nearest = name, differs
    words = ["python -m gaitjax.train --config", nearest[0], "--workdir out --config.data.root=DIR"]
    for key, value in nearest[1].items():
        text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
        words.append(shlex.quote(f"--config.{key}={text}"))
    return " ".join(words)
