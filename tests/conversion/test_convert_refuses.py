"""Hostile, broken and wrong checkpoint files: one clear error each, and nothing written."""

import builtins
import os
import pickle
import shutil
import sys
import zipfile

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from converters import opengait  # noqa: E402
from gaitjax import files  # noqa: E402
from gaitjax.conversion import hub  # noqa: E402
from gaitjax.conversion.checkpoint_file import read  # noqa: E402
from gaitjax.errors import DataError  # noqa: E402
from tests.helpers.torch_files import opengait_state, save, small, tensors  # noqa: E402

SMALL = "gaitgraph2_gait3d"


class Runs:
    """Pickled as a call."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """A whole checkpoint."""
    return save(tmp_path_factory.mktemp("good") / "m.pt", opengait_state(SMALL), iteration=7)


@pytest.fixture
def refusal(tmp_path, capsys):
    """The one error of converting a file, after checking that nothing was written."""

    def refusal(file, *more, config=SMALL):
        before = set(tmp_path.rglob("*"))
        for output in ("w.npz", "folder"):
            arguments = ["--config", config, "--checkpoint", str(file), *more]
            assert opengait.main([*arguments, "--output", str(tmp_path / output)]) == 1
        assert set(tmp_path.rglob("*")) == before
        said = capsys.readouterr().err
        assert said.count("error: ") == 2
        return said[: said.index("error: ", 1)]

    return refusal


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize(
    ("function", "arguments", "named"),
    [
        (os.system, ("touch {mark}",), "posix.system"),
        (builtins.eval, ("open({mark!r}, 'w')",), "eval"),
        (shutil.rmtree, ("{mark}",), "shutil.rmtree"),
    ],
)
def test_code_is_not_run(function, arguments, named, zipped, tmp_path, refusal):
    mark = tmp_path / "mark"
    hostile = Runs(function, *(a.format(mark=str(mark)) for a in arguments))
    content = {"model": tensors(opengait_state(SMALL)), "scheduler": hostile}
    torch.save(content, tmp_path / "m.pt", _use_new_zipfile_serialization=zipped)
    error = refusal(tmp_path / "m.pt")
    assert (
        "m.pt: refused, for it holds more than arrays and plain values: the Python object " in error
    )
    assert named in error
    assert "torch.load('m.pt', 'cpu', weights_only=False)" in error
    assert not mark.exists()


class Whole(torch.nn.Module):
    """A network saved as a whole: its class is named in the file."""

    def __init__(self, state):
        super().__init__()
        self.held = state

    def state_dict(self):
        return self.held


ARRAYS = opengait_state(SMALL)
REFUSED = {
    "other objects": {"model": tensors(ARRAYS), "iteration": 9, "path": os.getcwd},
    "model_state_dict": {"model_state_dict": tensors(ARRAYS), "iteration": 9, "path": os.getcwd},
    "whole module": Whole(tensors(ARRAYS)),
    "module beside": {"state_dict": Whole(tensors(ARRAYS)), "iteration": 9},
    "numpy": {"model": ARRAYS, "iteration": 9},
    "bare, with others": {**tensors(ARRAYS), "path": os.getcwd},
}


@pytest.mark.parametrize("kind", REFUSED)
def test_the_remedy_works(kind, tmp_path, monkeypatch, refusal):
    torch.save(REFUSED[kind], tmp_path / "m.pt")
    snippet = [line for line in refusal(tmp_path / "m.pt").splitlines() if line.startswith("  ")]
    assert len(snippet) == 6
    monkeypatch.chdir(tmp_path)
    exec("\n".join(line.strip() for line in snippet), {})
    saved = read("m-weights.pt")
    assert saved.state.keys() == ARRAYS.keys()
    assert opengait.main(["--config", SMALL, "--checkpoint", "m-weights.pt", "--output", "w"]) == 0


@pytest.mark.parametrize(
    ("calls", "named"),
    [
        (b"cos\nsystem\nX\x08\0\0\0__call__tR.", "os.system"),
        (b"cos.path\njoin\nX\x08\0\0\0__call__tR.", "os.path.join"),
        (b"ctorch.optim.lr_scheduler\nOneCycleLR\nX\x01\0\0\0xtR(K\1K\2tR.", "None"),
    ],
)
def test_getattr_leads_nowhere(calls, named, tmp_path, refusal):
    with zipfile.ZipFile(tmp_path / "m.pt", "w") as archive:
        archive.writestr("m/data.pkl", b"\x80\x02cbuiltins\ngetattr\n(" + calls)
        archive.writestr("m/version", "3\n")
        archive.writestr("m/byteorder", "little")
    error = refusal(tmp_path / "m.pt")
    assert "refused, for it holds more than arrays and plain values" in error
    assert named in error


def test_damaged(good, tmp_path, refusal):
    data, file = good.read_bytes(), tmp_path / "m.pt"
    for length in (len(data) - 10, len(data) // 2, 100):
        file.write_bytes(data[:length])
        assert "m.pt: a damaged PyTorch file (" in refusal(file)
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("README", "not weights")
    assert "m.pt: a damaged PyTorch file (" in refusal(file)
    file.write_bytes(pickle.dumps({"model": 1}, protocol=2))
    assert "m.pt: a damaged PyTorch file (" in refusal(file)


def test_no_checkpoint(tmp_path, refusal):
    file = tmp_path / "m.pt"
    assert "m.pt: no such checkpoint file" in refusal(file)
    file.write_bytes(b"")
    assert "m.pt: an empty file" in refusal(file)
    file.write_text("<!DOCTYPE html><title>Not found</title>")
    assert "m.pt: not a PyTorch file (starts with b'<!DOCTYPE html>" in refusal(file)
    file.write_text("version https://git-lfs.github.com/spec/v1\n")
    assert "m.pt: a Git LFS pointer" in refusal(file)
    np.savez(tmp_path / "a.npz", x=1)
    assert "a.npz: already a weights .npz" in refusal(tmp_path / "a.npz")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([1, 2], "holds a list; expected a dict of weights"),
        ({}, "no state dict: .* it is empty"),
        ({"model": {}}, "no state dict: .* it is empty"),
        ({"iteration": 3, "note": "x"}, "no state dict: .* not arrays: iteration, note"),
        ({"model": {"w": 1}}, "no state dict: .* not arrays: w"),
        ({"w": torch.eye(2).to_sparse()}, r"w is of type torch.float32 \(torch.sparse_coo\)"),
    ],
)
def test_no_weights_in_it(content, message, tmp_path):
    torch.save(content, tmp_path / "m.pt")
    with pytest.raises(DataError, match=f"m.pt: {message}"):
        read(tmp_path / "m.pt")


def test_wrong_network(good, refusal):
    error = refusal(good, config="gaittr_gait3d")
    assert "m.pt: not gaittr of opengait: none of its 329 keys (" in error
    hint = "\nIts keys are those of: gaitgraph2_casiab (opengait), "
    assert hint in error
    error = refusal(good, config="gaitgraph1_gait3d")
    assert "the state dict does not fit this network (" in error
    assert "missing torch key ResGCN.head.0.layers.2.edge" in error
    assert "unused torch key ResGCN.head.1.A" in error
    assert hint in error


def test_missing_and_extra_keys(tmp_path, refusal):
    state = opengait_state(SMALL)
    del state["ResGCN.fcn.bias"]
    state["ResGCN.fcn.scale"] = np.ones(128, np.float32)
    error = refusal(save(tmp_path / "m.pt", state))
    assert "m.pt: the state dict does not fit this network (2 problems):" in error
    assert "missing torch key ResGCN.fcn.bias (for params/resgcn/fc/bias)" in error
    assert "unused torch key ResGCN.fcn.scale" in error


def test_wrong_joints_and_types(tmp_path, refusal):
    state = opengait_state(SMALL)
    error = refusal(save(tmp_path / "m.pt", state), "--config.model.joints=alphapose")
    assert "ResGCN.head.0.A has shape (4, 17, 17); ours is (4, 18, 18)" in error
    state["ResGCN.fcn.bias"] = np.zeros(128, np.int64)
    state["ResGCN.head.1.A"] = state["ResGCN.head.1.A"].astype(np.int32)
    error = refusal(save(tmp_path / "m.pt", state))
    assert "ResGCN.fcn.bias is of type int64; expected floats" in error
    assert "ResGCN.head.1.A is of type int32; expected floats" in error


def test_wrong_class_count(tmp_path, refusal):
    name = "skeletongait_oumvlp17"
    file = save(tmp_path / "m.pt", opengait_state(name, small(name)))
    error = refusal(file, config=name)
    assert "(1 problems)" in error
    assert "BNNecks.fc_bin has shape (16, 256, 8)" in error
    assert "needs (16, 256, 5153)" in error
    assert error.strip().endswith("It has 8 classes: --config.model.classes=8")
    arguments = ["--config", name, "--config.model.classes=8", "--checkpoint", str(file)]
    assert opengait.main([*arguments, "--output", str(tmp_path / "w.npz")]) == 0


def test_weights_that_are_not_numbers(tmp_path, capsys):
    state = opengait_state(SMALL)
    state["ResGCN.fcn.bias"] = np.full(128, np.nan, np.float32)
    file = save(tmp_path / "m.pt", state)
    arguments = ["--config", SMALL, "--checkpoint", str(file)]
    assert opengait.main([*arguments, "--output", str(tmp_path / "w.npz")]) == 0
    said = capsys.readouterr().out
    assert "note: 1 arrays hold NaN or infinity: params/resgcn/fc/bias" in said


def test_wrong_output(good, tmp_path, refusal, capsys):
    arguments = ["--config", SMALL, "--checkpoint", str(good)]
    assert opengait.main([*arguments, "--output", str(tmp_path / "w.pt")]) == 1
    assert "w.pt: expected *.npz, *.safetensors or a folder" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_wrong_arguments(capsys):
    for arguments, message in (
        ([], "one of the arguments --checkpoint --zoo is required"),
        (["--checkpoint", "m.pt"], "--checkpoint needs --config"),
        (["--checkpoint", "m.pt", "--zoo", "x"], "not allowed with argument"),
        (["--checkpoint", "m.pt", "--config", SMALL, "--revision", "x"], "takes no --revision"),
    ):
        with pytest.raises(SystemExit):
            opengait.main([*arguments, "--output", "w.npz"])
        assert message in capsys.readouterr().err
    assert opengait.main(["--zoo", "gaitgraph2", "--output", "w.npz"]) == 1
    assert "no zoo entry 'gaitgraph2'; did you mean" in capsys.readouterr().err


def test_missing_packages(good, monkeypatch, refusal):
    monkeypatch.setitem(sys.modules, "torch", None)
    assert "pip install 'gaitjax[convert]'" in refusal(good)
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(DataError, match=r"pip install 'gaitjax\[hub\]'"):
        hub.fetch("a/b", "c")


def test_interrupted_writing_leaves_nothing(good, tmp_path, monkeypatch, capsys):
    def full(*_, **__):
        raise OSError("No space left on device")

    monkeypatch.setattr(files.os, "replace", full)
    arguments = ["--config", SMALL, "--checkpoint", str(good)]
    assert opengait.main([*arguments, "--output", str(tmp_path / "w.npz")]) == 1
    assert "error: no space left on the disk; free some" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
