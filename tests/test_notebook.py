"""Both notebooks, run from top to bottom: on the CPU, briefly, with a stand-in for the hub."""

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from docs import make_kaggle
from gaitjax.config import load
from tests.helpers import tiny_sets
from tests.helpers.hub import environment, serving

DOCS = Path(__file__).parents[1] / "docs"
NOTEBOOK, KAGGLE = DOCS / "colab.ipynb", DOCS / "kaggle.ipynb"
RELEASED = "gaitgraph2_gait3d"
FOLDER = "Gait3D/GaitGraph2/GaitGraph2"


@pytest.mark.parametrize("notebook", [NOTEBOOK, KAGGLE], ids=lambda path: path.stem)
def test_no_outputs_are_kept(notebook):
    for cell in json.loads(notebook.read_text())["cells"]:
        assert cell["cell_type"] == "markdown" or not (cell["outputs"] or cell["execution_count"])


def test_kaggles_is_made_from_colabs():
    def sources(text: str) -> list[str]:
        return ["".join(cell["source"]) for cell in json.loads(text)["cells"]]

    made = sources(make_kaggle.notebook())
    assert sources(KAGGLE.read_text()) == made, "run python docs/make_kaggle.py"
    assert not any("colab" in cell.lower() or "google" in cell for cell in made)


def test_a_clone_beside_it_is_not_taken_for_the_package(tmp_path):
    """Without the package but with a folder of its name, the install cell installs, or asks."""
    cells = ["".join(c["source"]) for c in json.loads(NOTEBOOK.read_text())["cells"]]
    (install,) = (source for source in cells if "find_spec" in source)
    (tmp_path / "gaitjax").mkdir()
    alone = [sys.executable, "-S", "-c", f'SOURCE = ""\n{install}']
    run = subprocess.run(alone, cwd=tmp_path, env={}, capture_output=True, text=True)
    assert "Set SOURCE above to gaitjax" in run.stderr, run.stdout


@pytest.fixture
def hub(tmp_path):
    """The hub with one checkpoint, made here; without PyTorch, which reads it, an empty one."""
    pytest.importorskip("huggingface_hub")
    released = {}
    if importlib.util.find_spec("torch"):
        from tests.helpers.torch_files import opengait_state, save

        file = save(tmp_path / "model.pt", opengait_state(RELEASED), iteration=2000)
        released[f"{FOLDER}/checkpoints/GaitGraph2-02000.pt"] = file.read_bytes()
    with serving(released) as server:
        yield server


@pytest.mark.slow  # compiles a training step and three networks
def test_runs_from_top_to_bottom(tmp_path, hub, monkeypatch):
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    pytest.importorskip("flatbuffers")
    data = tiny_sets.generate(tmp_path / "gait3d", load(RELEASED).data)
    settings = dict(STEPS=2, FOLDER=tmp_path / "drive", RELEASED=RELEASED, DATA=data)
    variables = {f"GAITJAX_NOTEBOOK_{name}": str(value) for name, value in settings.items()}
    variables |= dict(JAX_DISABLE_MOST_OPTIMIZATIONS="1", XLA_FLAGS="", HOME=str(tmp_path))
    wanted = environment(hub.url, tmp_path / "hub", **variables)
    del wanted["JAX_COMPILATION_CACHE_DIR"]  # the notebook's own
    for name in set(os.environ) - set(wanted):
        monkeypatch.delenv(name)
    for name, value in wanted.items():
        monkeypatch.setenv(name, value)

    def run(path: Path) -> str:
        notebook = nbformat.read(path, 4)
        where = {"metadata": {"path": str(tmp_path)}}
        nbclient.NotebookClient(notebook, timeout=300, resources=where).execute()
        outputs = [o for cell in notebook.cells for o in cell.get("outputs", ())]
        assert sum("image/png" in o.get("data", {}) for o in outputs) >= 4
        return "".join(o.get("text", "") for o in outputs)

    text = run(NOTEBOOK)
    assert "step 2/2" in text and "untrained: Rank-1" in text
    if hub.files:
        assert f"350,822 parameters> from opengait/OpenGait/{FOLDER}" in text
        assert "published: Rank-1 11.00, ours" in text
    assert text.count("skipped:") == (0 if hub.files else 2)
    assert "these are made-up walks" in text and "nearest to person" in text
    assert "checked: made-up walks differ by" in text and "from gaitjax, the largest is" in text
    assert float(re.search(r"differ by (\S+) from gaitjax", text)[1]) < 1e-3
    assert "enrolled as ann" in text and re.search("has a name|is unknown", text)
    workdir = tmp_path / "drive" / "walkers_2_steps"
    saved = sorted((workdir / "checkpoints").iterdir())
    assert any((tmp_path / "drive" / "xla").iterdir())

    # A second session, in the other notebook, finds it all there; without hub and data it says so
    # and goes on.
    poses = ",".join(map(str, sorted(tmp_path.glob("person*.json"))[:2]))
    for name, value in dict(DATA="", RELEASED="gaittr_gait3d", POSES=poses).items():
        monkeypatch.setenv(f"GAITJAX_NOTEBOOK_{name}", value)
    text = run(KAGGLE)
    assert "at step 2" in text and "step 1/2" not in text
    assert text.count("skipped:") == 3 and "nearest to person" in text
    assert sorted((workdir / "checkpoints").iterdir()) == saved
