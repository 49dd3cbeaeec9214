"""Weights pushed with the real client to a local hub, and loaded from it; their card."""

import json
import subprocess
from pathlib import Path

import jax
import numpy as np
import pytest

from gaitjax import config as configs
from gaitjax import models, weights
from gaitjax.data import familiar
from gaitjax.errors import DataError, WeightsError
from gaitjax.training import step
from gaitjax.zoo import shared
from gaitjax.zoo.__main__ import main
from tests.helpers import hub as served
from tests.helpers import tiny, tiny_sets
from tests.helpers.hub import COMMITS, serving

REPO = "ann/walks"
RECORD = {
    "title": "Gallery and probes",
    "protocol": "gallery_probe",
    "metric": "cos",
    "headline": {"Rank-1": 71.25},
    "interval": {"Rank-1": [60.0, 81.5]},
    "chance": {"Rank-1": 2.5},
    "verification": None,
    "conditions": {"all": {"counts": dict(probes=120, gallery=24, identities=4)}},
    "notes": ["few people"],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Weights of a tiny network with what it was trained on, and their evaluation."""
    folder = tmp_path_factory.mktemp("shared")
    config = configs.override_all(configs.load("gaitgraph2_walkers"), [*tiny.ARGUMENTS])
    config.data.root = "/home/ann/secret"
    model, clips = models.build(config), step.example_clips(config)
    shapes = jax.eval_shape(lambda: step.init_variables(config, model, jax.random.key(0), clips))
    rng = np.random.default_rng(0)
    variables = jax.tree.map(lambda s: rng.uniform(0.1, 1, s.shape).astype(s.dtype), shapes)
    walks = [tiny_sets.poses(i, 17) for i in range(4)]
    metadata = {
        "config": json.loads(config.to_json()),
        "step": 7,
        "knows": familiar.measure(walks.__getitem__, len(walks)),
        "made_by": {"code": "0123abc", "jax": "0.10.2"},
    }
    weights.save(folder / "weights.npz", variables, metadata)
    record = RECORD | {"checkpoint": {"path": str(folder / "weights.npz"), "step": 7}}
    (folder / "evaluation.json").write_text(json.dumps(record))
    return folder


def python(script: str, url: str, cache: Path, **extra: str) -> subprocess.CompletedProcess:
    """`hub.python` with a token that may write."""
    variables = {"HF_TOKEN": "hf_write", "HF_HUB_DISABLE_XET": "1", **extra}
    return served.python(script, url, cache, **variables)


def test_pushed_and_loaded(folder, tmp_path):
    pytest.importorskip("huggingface_hub")
    push = (
        "import sys; from gaitjax.zoo.__main__ import main; sys.exit(main(['push', "
        f"{str(folder / 'weights.npz')!r}, '--repo={REPO}', '--licence=cc-by-4.0']))"
    )
    load = (
        "import sys, json, numpy as np, gaitjax; model = gaitjax.load(sys.argv[1])\n"
        "out = model.embed([np.ones((20, 17, 3))])\n"
        "print(json.dumps([model.metadata['source'], float(abs(out).sum())]))"
    )
    with serving({}, REPO) as hub:
        run = python(push, hub.url, tmp_path, HF_TOKEN="hf_read")
        assert run.returncode == 1 and f"error: {REPO}: not pushed" in run.stderr, run.stderr
        assert not hub.files and run.stderr.count("\n") == 1
        run = python(push, hub.url, tmp_path)
        assert run.returncode == 0, run.stderr
        address = f"hf://{REPO}@{COMMITS['main']}"
        assert f'gaitjax.load("{address}") reads it' in run.stdout
        assert sorted(hub.files) == ["README.md", "weights.safetensors"]
        text = hub.files["README.md"].decode()
        assert "/home/ann" not in text and b"/home/ann" not in hub.files["weights.safetensors"]

        found = []
        for asked in (f"hf://{REPO}", address, f"hf://{REPO}@old"):
            run = python(load.replace("sys.argv[1]", repr(asked)), hub.url, tmp_path)
            assert run.returncode == 0, run.stderr
            found.append(json.loads(run.stdout.splitlines()[-1]))
        assert [source for source, _ in found] == [
            address,
            address,
            f"hf://{REPO}@{COMMITS['old']}",
        ]
        assert len({value for _, value in found}) == 1 and found[0][1] > 0
    offline = python(
        load.replace("sys.argv[1]", repr(f"hf://{REPO}")), hub.url, tmp_path, HF_HUB_OFFLINE="1"
    )
    # The default branch, though the other revision was fetched later.
    assert json.loads(offline.stdout.splitlines()[-1]) == [address, found[0][1]], offline.stderr


def test_the_card_says_what_is_recorded(folder, capsys):
    source = str(folder / "weights.npz")
    assert main(["push", source, "--repo", REPO, "--licence", "cc-by-4.0", "--dry_run"]) == 0
    card = capsys.readouterr().out
    head, _, rest = card.removeprefix("---\n").partition("\n---\n")
    assert "license: cc-by-4.0" in head and rest.lstrip().startswith("# walks\n")
    for said in (
        'gaitjax.load("hf://ann/walks")',
        "| Rank-1 | 71.25 | 60.00 to 81.50 | 2.50 |",
        "- joint format: `coco`, 17 joints: nose,",
        "| body height, pixels |",
        "- seed: 0",
        "- commit: `0123abc`",
        "- versions: jax 0.10.2",
        "120 probes and 24 gallery sequences of 4 identities.",
        "python -m gaitjax.train \\\n    --config gaitgraph2_walkers",
        "--config.train.batch_size=16",
        "consented",
        "few people",
    ):
        assert said in card, said


def test_an_evaluation_of_other_weights_is_not_taken(folder, tmp_path):
    variables, metadata = weights.load(folder / "weights.npz")
    other = weights.save(tmp_path / "weights.npz", variables, metadata | {"step": 8})
    (tmp_path / "evaluation.json").write_text((folder / "evaluation.json").read_text())
    _, _, card = shared.described(other, REPO, "mit")
    assert "No evaluation was recorded" in card
    with pytest.raises(DataError, match="not of these weights"):
        shared.described(other, REPO, "mit", tmp_path / "evaluation.json")
    weights.save(other, variables, {"step": 8})
    with pytest.raises(WeightsError, match="does not say its config"):
        shared.described(other, REPO, "mit")


@pytest.mark.parametrize("text", ["hf://ann", "hf://ann/../x", "hf:/ann/walks", "hf://ann/w@"])
def test_no_address(text):
    with pytest.raises(DataError, match="expected hf://owner/name"):
        shared.Address.parse(text)
