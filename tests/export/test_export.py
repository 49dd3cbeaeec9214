"""From weights to files that run without gaitjax, each held against evaluation."""

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import jax
import numpy as np
import pytest

from gaitjax import config as configs
from gaitjax import models, weights
from gaitjax.data import sampling
from gaitjax.export import program
from gaitjax.export.__main__ import main
from gaitjax.training import step

DOCS = Path(__file__).parents[2] / "docs" / "export.md"
TINY = {  # of each kind of network: windows, whole sequences, maps
    "gaitgraph2_walkers": "model.branch=5,4 model.main=4,8 model.reduction=2 model.embedding_dim=4 "
    "eval.frames=8 eval.window=mean data.impute=knn",
    "gaittr_gait3d": "model.widths=10,32 model.embedding_dim=4 eval.limit=10 "
    "data.impute=interpolate",
    "gpgait_gait3d": "model.widths=8,8 model.shared=1 model.classes=3",
    "skeletongait_gait3d": "model.layers=1,1,1,1 model.channels=4,4,4,64 model.classes=3",
}
FRAMES = {"skeletongait_gait3d": 3}


def arguments(name: str, *more: str) -> list[str]:
    fields = [f"--config.{field}" for field in (*TINY[name].split(), *more)]
    return ["--config", name, f"--frames={FRAMES.get(name, 12)}", *fields]


def saved(name: str, path: Path) -> Path:
    """Weights at random of a tiny network."""
    config = configs.from_arguments(name, arguments(name)[3:])
    model, clips = models.build(config), step.example_clips(config)
    shapes = jax.eval_shape(lambda: step.init_variables(config, model, jax.random.key(0), clips))
    rng = np.random.default_rng(0)
    variables = jax.tree.map(lambda s: rng.uniform(-0.5, 0.9, s.shape).astype(s.dtype), shapes)
    variables["batch_stats"] = jax.tree.map(np.abs, variables["batch_stats"])
    return weights.save(path, variables, {"config": config.to_dict(), "step": 7})


def export(name: str, form: str, folder: Path, capsys) -> tuple[Path, float]:
    """The file, and how far it is from evaluation as the command prints it."""
    checkpoint, output = saved(name, folder / "weights.npz"), folder / f"walk.{form}"
    options = ["--checkpoint", str(checkpoint), "--to", form, "--output", str(output)]
    status = main([*arguments(name), *options])
    said = capsys.readouterr()
    assert status == 0, said.err
    return output, float(re.search(r"differ by (\S+) of", said.out)[1])


@pytest.mark.parametrize("name", list(TINY))
def test_stablehlo_gives_what_evaluation_gives(name, tmp_path, capsys, quick):
    pytest.importorskip("flatbuffers")
    output, error = export(name, "stablehlo", tmp_path, capsys)
    assert error < 1e-5
    about = json.loads(zipfile.ZipFile(output).read("about.json"))
    assert about["platforms"] == ["cpu", "cuda", "tpu"] and about["weights"]["step"] == 7
    assert about["inputs"]["poses"] == ["float32", "n", str(about["frames"]), "17", "3"]
    if name == "gaittr_gait3d":
        _runs_alone("import json", "gaittr.stablehlo", output)


def _runs_alone(first: str, name: str, output: Path) -> None:
    """The lines of the page that begin with `first`, where gaitjax cannot be imported."""
    (lines,) = re.findall(rf"```python\n({first}\n.*?)```", DOCS.read_text(), re.S)
    assert len(list(filter(None, lines.splitlines()))) <= 10
    script = f"import sys; sys.modules['gaitjax'] = None\n{lines}\nprint(walks.shape, found.shape)"
    command = [sys.executable, "-c", script.replace(f'"{name}"', f'"{output}"')]
    run = subprocess.run(command, cwd=output.parent, capture_output=True, text=True, timeout=100)
    assert run.stdout.splitlines()[-1:] == ["(2, 12, 17, 3) (2, 4, 1)"], run.stderr


@pytest.mark.parametrize("name", list(TINY))
def test_onnx_gives_what_evaluation_gives(name, tmp_path, capsys, quick):
    pytest.importorskip("onnxruntime", reason="the extra export is not installed")
    onnx = pytest.importorskip("onnx")
    output, error = export(name, "onnx", tmp_path, capsys)
    # Maps are of whole grey levels, and where a sum rounds otherwise a pixel is one level off.
    assert error < (1e-4 if name == "skeletongait_gait3d" else 1e-5)
    (entry,) = onnx.load(output).metadata_props
    assert json.loads(entry.value)["network"] == configs.load(name).model.name


def test_a_saved_model_gives_what_evaluation_gives(tmp_path, capsys, quick):
    pytest.importorskip("tensorflow", reason="the extra saved is not installed")
    output, error = export("gaittr_gait3d", "saved", tmp_path, capsys)
    assert error < 1e-5
    _runs_alone("import tensorflow as tf", "gaittr", output)


@pytest.mark.parametrize(
    "form, module, extra", [("onnx", "onnx", "export"), ("saved", "tensorflow", "saved")]
)
def test_an_extra_that_is_missing_is_one_line(form, module, extra, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    checkpoint = saved("gaitgraph2_walkers", tmp_path / "weights.npz")
    options = [f"--checkpoint={checkpoint}", f"--to={form}", f"--output={tmp_path / 'walk'}"]
    assert main([*arguments("gaitgraph2_walkers"), *options]) == 1
    assert f"pip install 'gaitjax[{extra}]'" in capsys.readouterr().err
    assert [p.name for p in tmp_path.iterdir()] == ["weights.npz"]


def test_weights_of_the_hub_are_named_by_their_commit(tmp_path, capsys, monkeypatch, quick):
    pytest.importorskip("flatbuffers")
    local, address = saved("gaittr_gait3d", tmp_path / "weights.npz"), f"hf://ann/walks@{'1' * 40}"
    monkeypatch.setattr("gaitjax.zoo.shared.local", lambda place: (local, address))
    output = tmp_path / "walk"
    options = ["--checkpoint=hf://ann/walks", "--to=stablehlo", f"--output={output}"]
    assert main([*arguments("gaittr_gait3d"), *options]) == 0, capsys.readouterr().err
    about = json.loads(zipfile.ZipFile(output).read("about.json"))
    assert about["weights"]["fetched"] == address and "weights.npz" not in json.dumps(about)


@pytest.mark.parametrize(
    "field, message",
    [
        ("eval.window=random", "eval.window=random draws windows by the place"),
        ("data.rescale=fit", "data.rescale=fit is done on the host"),
    ],
)
def test_what_depends_on_more_than_the_walk_is_refused(field, message, tmp_path, capsys):
    checkpoint = saved("gaitgraph2_walkers", tmp_path / "weights.npz")
    options = [f"--checkpoint={checkpoint}", "--to=stablehlo", f"--output={tmp_path / 'w'}"]
    assert main([*arguments("gaitgraph2_walkers", field), *options]) == 1
    assert message in capsys.readouterr().err and not (tmp_path / "w").exists()


def test_windows_lie_where_evaluation_has_them():
    config = configs.load("gaitgraph1_gait3d")
    config.eval.update(frames=10, select=6)
    lengths = np.arange(1, 70)
    for window in ("center", "mean"):
        config.eval.window = window
        starts = sampling.eval_starts(lengths, 10, window, 0)
        expected = (starts[..., None] + 2 + np.arange(6)) % lengths[:, None, None]
        found = program._windows(jax.numpy.asarray(lengths, jax.numpy.int32), config)
        np.testing.assert_array_equal(found, expected)
