"""Fetching with the real client, from a local server that answers as the hub does."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.helpers.hub import COMMITS, REPO, environment, python, serving

pytest.importorskip("huggingface_hub")

FOLDER = "GREW/GaitGraph2/GaitGraph2"


@pytest.fixture
def hub():
    data = np.random.default_rng(0).bytes
    files = {
        f"{FOLDER}/checkpoints/GaitGraph2-{n:05}.pt": data(100_000 + n)
        for n in (5_000, 50_000, 10_000)
    }
    files[f"{FOLDER}/checkpoints/GaitGraph2-90000.txt"] = b"not a checkpoint"
    files["GREW/GaitTR/GaitTR/checkpoints/notes.txt"] = b"not a checkpoint either"
    with serving(files) as server:
        yield server


def fetch(endpoint, cache, folder=FOLDER, repo=REPO, revision=None, **extra):
    """`hub.fetch` in a process of its own, for the client reads its settings on import."""
    script = (
        "import sys, json, time; time.sleep = lambda s: None; from gaitjax.conversion import hub\n"
        f"print(json.dumps([str(x) for x in hub.fetch({repo!r}, {folder!r}, {revision!r})]))"
    )
    run = python(script, endpoint, cache, **extra)
    if run.returncode:
        raise RuntimeError(run.stderr.strip().splitlines()[-1])
    path, commit = json.loads(run.stdout.splitlines()[-1])
    return Path(path), commit, run.stdout


def test_newest_is_fetched_once_then_cached(hub, tmp_path):
    newest = f"{FOLDER}/checkpoints/GaitGraph2-50000.pt"
    path, commit, _ = fetch(hub.url, tmp_path)
    assert path.name == "GaitGraph2-50000.pt"
    assert path.read_bytes() == hub.files[newest]
    assert commit == COMMITS["main"]
    assert len(hub.downloads()) == 1

    again, commit, _ = fetch(hub.url, tmp_path)
    assert (again, commit) == (path, COMMITS["main"])
    assert len(hub.downloads()) == 1

    hub.files[f"{FOLDER}/checkpoints/GaitGraph2-60000.pt"] = b"newer"
    offline, commit, said = fetch(hub.url, tmp_path, HF_HUB_OFFLINE="1")
    assert (offline, commit) == (path, COMMITS["main"])
    assert "taking GaitGraph2-50000.pt from the cache" in said
    unreachable, _, _ = fetch("http://127.0.0.1:9", tmp_path)
    assert unreachable == path
    assert fetch(hub.url, tmp_path)[0].read_bytes() == b"newer"


def test_a_file_that_is_not_what_the_hub_lists_is_refused(hub, tmp_path):
    hub.stated = {f"{FOLDER}/checkpoints/GaitGraph2-50000.pt": "0" * 64}
    with pytest.raises(RuntimeError, match=r"50000\.pt: damaged: its SHA-256 is .*says 0000"):
        fetch(hub.url, tmp_path)


def test_revision(hub, tmp_path):
    path, commit, _ = fetch(hub.url, tmp_path, revision="old")
    assert commit == COMMITS["old"]
    assert all("main" not in seen[1] for seen in hub.seen)
    assert fetch(hub.url, tmp_path, revision="old", HF_HUB_OFFLINE="1")[0] == path
    assert fetch(hub.url, tmp_path, revision=COMMITS["old"], HF_HUB_OFFLINE="1")[0] == path
    with pytest.raises(RuntimeError, match="cache has no checkpoint"):
        fetch(hub.url, tmp_path, revision="main", HF_HUB_OFFLINE="1")


def test_broken_download_is_resumed(hub, tmp_path):
    name = f"{FOLDER}/checkpoints/GaitGraph2-70000.pt"
    hub.files[name] = np.random.default_rng(1).bytes(24 << 20)
    hub.cuts = 1
    path, _, _ = fetch(hub.url, tmp_path)
    assert path.read_bytes() == hub.files[name]
    # The client writes 10 MiB at a time: that much of the first 12 is kept.
    assert [asked for _, _, asked in hub.downloads()] == [None, f"bytes={10 << 20}-"]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (dict(folder="GREW/GaitTR/GaitTR_2"), "the hub has no folder GREW/GaitTR/GaitTR_2/check"),
        (dict(folder="GREW/GaitTR/GaitTR"), "no <name>-<iteration>.pt in its folder checkpoints"),
        (dict(revision="v9"), "at v9: the hub has no such revision"),
        (dict(repo="opengait/Other"), "shows no repository opengait/Other without a login"),
    ],
)
def test_what_is_not_there(hub, tmp_path, asked, message):
    with pytest.raises(RuntimeError, match=f"DataError: .*{message}"):
        fetch(hub.url, tmp_path, **asked)


def test_no_network_and_empty_cache(tmp_path):
    message = "hub cannot be reached .*Connection refused.*cache has no checkpoint.*--checkpoint"
    with pytest.raises(RuntimeError, match=message):
        fetch("http://127.0.0.1:9", tmp_path)


def test_zoo_command(hub, tmp_path):
    pytest.importorskip("torch")
    from gaitjax import weights
    from tests.helpers.torch_files import opengait_state, save

    state = opengait_state("gaitgraph2_gait3d")
    file = save(tmp_path / "m.pt", state, iteration=2_000)
    name = "Gait3D/GaitGraph2/GaitGraph2/checkpoints/GaitGraph2-02000.pt"
    hub.files[name] = file.read_bytes()
    output = tmp_path / "w.npz"
    run = subprocess.run(
        [sys.executable, "-m", "converters.opengait", "--zoo", "gaitgraph2_gait3d"]
        + ["--revision", "old", "--output", str(output), "--config.eval.window=mean"],
        env=environment(hub.url, tmp_path / "cache"),
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
        timeout=100,
    )
    assert f"fetching {REPO}/{name}" in run.stdout
    assert run.stdout.endswith(
        f"next: python -m gaitjax.evaluate --config gaitgraph2_gait3d --checkpoint {output} "
        "--config.eval.window=mean --config.data.root=DIR\n"
    )
    variables, metadata = weights.load(output)
    fc = variables["params"]["resgcn"]["fc"]["kernel"]
    np.testing.assert_array_equal(fc, state["ResGCN.fcn.weight"].T)
    assert metadata["sha256"] == hashlib.sha256(hub.files[name]).hexdigest()
    assert metadata["hub"] == f"{REPO}/Gait3D/GaitGraph2/GaitGraph2"
    assert (metadata["commit"], metadata["step"]) == (COMMITS["old"], 2_000)
