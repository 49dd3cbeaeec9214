"""Released checkpoints in and out: files, commands, metadata, parity of the authors' networks."""

import argparse
import functools
import hashlib
import subprocess
import sys

import jax
import numpy as np
import pytest

torch = pytest.importorskip("torch")

from converters import opengait, to_opengait, tteepe  # noqa: E402
from gaitjax import config as configs  # noqa: E402
from gaitjax import models, weights  # noqa: E402
from gaitjax.conversion import convert  # noqa: E402
from gaitjax.errors import WeightsError  # noqa: E402
from gaitjax.training import checkpoint, step  # noqa: E402
from gaitjax.untrusted import safe_tensors  # noqa: E402
from tests.helpers.golden_weights import GOLDEN  # noqa: E402
from tests.helpers.torch_files import (  # noqa: E402
    SHAPES,
    TTEEPE,
    opengait_state,
    save,
    small,
    tensors,
    tteepe_state,
)

SMALL = "gaitgraph2_gait3d"


@functools.cache
def small_state():
    return opengait_state(SMALL)


def assert_same_file(path, state):
    """The file holds exactly `state`: keys, shapes, types and every bit."""
    written = torch.load(path, weights_only=True)
    assert set(written) == {"model", "iteration"}
    assert written["model"].keys() == state.keys()
    for key, value in state.items():
        ours = written["model"][key].numpy()
        assert (ours.dtype, ours.shape) == (value.dtype, value.shape), key
        assert ours.tobytes() == np.ascontiguousarray(value).tobytes(), key
    return written


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_round_trip(name, tmp_path):
    config = small(name)
    state = opengait_state(name, config)
    file = save(tmp_path / "in.pt", state, iteration=50_000)
    convert.convert(config, "opengait", file, str(tmp_path / "w.npz"))
    to_opengait.export(config, tmp_path / "w.npz", tmp_path / "out.pt")
    assert assert_same_file(tmp_path / "out.pt", state)["iteration"] == 50_000

    convert.convert(config, "opengait", tmp_path / "out.pt", str(tmp_path / "again.npz"))
    first, again = (weights.load(tmp_path / file)[0] for file in ("w.npz", "again.npz"))
    jax.tree.map(np.testing.assert_array_equal, first, again)


def test_command(tmp_path, capsys):
    file, output = tmp_path / "GaitGraph2-02000.pt", tmp_path / "new" / "w.npz"
    save(file, small_state(), iteration=2_000, optimizer={}, scheduler={})
    arguments = ["--checkpoint", str(file), "--output", str(output)]
    overrides = ["--config.eval.batch_size=8"]
    assert opengait.main(["--config", f"configs/{SMALL}.py", *arguments, *overrides]) == 0
    said = capsys.readouterr().out
    assert "converted 329 torch entries: 350,822 parameters of gaitgraph2, iteration 2000" in said
    assert said.endswith(
        f"next: python -m gaitjax.evaluate --config configs/{SMALL}.py --checkpoint {output} "
        "--config.eval.batch_size=8 --config.data.root=DIR\n"
    )
    assert [path.name for path in output.parent.iterdir()] == ["w.npz"]
    variables, metadata = weights.load(output)
    assert variables["params"]["resgcn"]["fc"]["kernel"].dtype == np.float32
    assert metadata.pop("torch_buffers") == {
        key: 7 for key in small_state() if key.endswith("num_batches_tracked")
    }
    config = metadata.pop("config")
    assert (config["model"]["name"], config["eval"]["batch_size"]) == ("gaitgraph2", 8)
    assert metadata == {
        "converted_from": "opengait",
        "file": "GaitGraph2-02000.pt",
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "embedding": "embed_1",
        "step": 2_000,
    }


def test_weights_load_without_torch(tmp_path):
    file = save(tmp_path / "m.pt", small_state())
    output = tmp_path / "w.npz"
    convert.convert(configs.load(SMALL), "opengait", file, str(output))
    script = (
        "import sys; sys.modules['torch'] = None; import converters.opengait\n"
        "from gaitjax import config, models, weights\n"
        "from gaitjax.training import checkpoint, step\n"
        f"variables, _ = checkpoint.load_variables({str(output)!r})\n"
        f"config = config.load({SMALL!r})\n"
        "weights.fit(variables, step.variable_shapes(config, models.build(config)), 'w')"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=100)


def test_work_directory(tmp_path, capsys):
    file, folder = save(tmp_path / "m.pt", small_state(), iteration=70), tmp_path / "run.1"
    arguments = ["--config", SMALL, "--checkpoint", str(file), "--output"]
    assert opengait.main([*arguments, f"{folder}/"]) == 0
    assert opengait.main([*arguments, str(tmp_path / "w.npz")]) == 0
    variables, metadata = checkpoint.load_variables(folder)
    same, plain = weights.load(tmp_path / "w.npz")
    jax.tree.map(np.testing.assert_array_equal, variables, same)
    assert {k: metadata[k] for k in plain} == plain

    assert opengait.main([*arguments, str(folder)]) == 1
    assert "holds checkpoints already; name a new folder" in capsys.readouterr().err
    out = ["--config", SMALL, "--checkpoint", str(folder), "--output", str(tmp_path / "out.pt")]
    assert to_opengait.main(out) == 0
    assert assert_same_file(tmp_path / "out.pt", small_state())["iteration"] == 70


def test_export_of_our_own_training(tmp_path):
    config = configs.load(SMALL)
    variables = jax.tree.map(
        lambda leaf: np.full(leaf.shape, 0.5, leaf.dtype),
        step.variable_shapes(config, models.build(config)),
    )
    weights.save(tmp_path / "w.npz", variables, {"step": 12})
    to_opengait.export(config, tmp_path / "w.npz", tmp_path / "out.pt")
    written = torch.load(tmp_path / "out.pt", weights_only=True)
    assert written["iteration"] == 12
    kinds = {key: (tuple(v.shape), v.dtype) for key, v in written["model"].items()}
    assert kinds == {
        key: (shape, torch.int64 if key.endswith("num_batches_tracked") else torch.float32)
        for key, shape in SHAPES[SMALL].items()
    }


def test_export_says_what_does_not_fit(tmp_path, capsys):
    file = save(tmp_path / "m.pt", small_state())
    convert.convert(configs.load(SMALL), "opengait", file, str(tmp_path / "w.npz"))
    arguments = ["--checkpoint", str(tmp_path / "w.npz"), "--output"]
    assert to_opengait.main(["--config", "gaittr_grew", *arguments, str(tmp_path / "o.pt")]) == 1
    assert "does not fit the network of this config" in capsys.readouterr().err
    assert to_opengait.main(["--config", SMALL, *arguments, str(tmp_path / "o.npz")]) == 1
    assert "o.npz: expected a file *.pt" in capsys.readouterr().err
    assert not list(tmp_path.glob("o.*"))


def as_saved(state):
    """The same weights as other programs save them."""
    model = tensors(state)
    yield "bare", model
    yield "data parallel", {"model": {f"module.{k}": v for k, v in model.items()}}
    yield "bare data parallel", {f"module.{k}": v for k, v in model.items()}
    # Older torch names the annealing function of its scheduler through getattr.
    anneal = torch.optim.lr_scheduler.OneCycleLR._annealing_cos
    yield "old scheduler", {"model": model, "scheduler": {"anneal_func": anneal}}
    parameters = {
        k: torch.nn.Parameter(v) if v.is_floating_point() else v for k, v in model.items()
    }
    yield "parameters", {"model": parameters}


@pytest.mark.parametrize("kind", [kind for kind, _ in as_saved({})])
@pytest.mark.parametrize("zipped", [True, False])
def test_ways_of_saving(kind, zipped, tmp_path):
    content = dict(as_saved(small_state()))[kind]
    torch.save(content, tmp_path / "m.pt", _use_new_zipfile_serialization=zipped)
    config = configs.load(SMALL)
    convert.convert(config, "opengait", tmp_path / "m.pt", str(tmp_path / "w.npz"))
    assert "step" not in weights.load(tmp_path / "w.npz")[1]
    to_opengait.export(config, tmp_path / "w.npz", tmp_path / "out.pt")
    assert assert_same_file(tmp_path / "out.pt", small_state())["iteration"] == 0


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precision_is_noted(dtype, tmp_path, capsys):
    model = {
        k: v.to(dtype) if v.is_floating_point() else v for k, v in tensors(small_state()).items()
    }
    torch.save({"model": model}, tmp_path / "m.pt")
    convert.convert(configs.load(SMALL), "opengait", tmp_path / "m.pt", str(tmp_path / "w.npz"))
    count = sum(1 for v in model.values() if v.is_floating_point())
    count -= sum(key.endswith(".A") for key in model)
    name = str(dtype).removeprefix("torch.")
    assert f"note: {count} arrays of type {name} converted to float32" in capsys.readouterr().out
    kernel = weights.load(tmp_path / "w.npz")[0]["params"]["resgcn"]["fc"]["kernel"]
    np.testing.assert_array_equal(kernel, model["ResGCN.fcn.weight"].float().numpy().T)


def test_adjacency_is_written_back_as_it_came(tmp_path):
    state = dict(small_state())
    state["ResGCN.head.1.A"] = np.nextafter(state["ResGCN.head.1.A"], np.float32(1))
    file = save(tmp_path / "m.pt", state)
    convert.convert(configs.load(SMALL), "opengait", file, str(tmp_path / "w.npz"))
    to_opengait.export(configs.load(SMALL), tmp_path / "w.npz", tmp_path / "out.pt")
    assert_same_file(tmp_path / "out.pt", state)


def authors_file(name, path):
    state = tensors(tteepe_state(name))
    if name.startswith("gaitgraph1"):
        content = {"model": state, "opt": argparse.Namespace(lr=0.01), "epoch": 300}
    else:
        content = {"state_dict": state, "global_step": 9_000, "pytorch-lightning_version": "1.5"}
    torch.save(content, path)
    return path


@pytest.mark.parametrize("name", TTEEPE)
def test_authors_checkpoints(name, tmp_path, capsys):
    file = authors_file(name, tmp_path / "authors.ckpt")
    output = tmp_path / "w.npz"
    arguments = ["--config", name, "--checkpoint", str(file), "--output", str(output)]
    assert tteepe.main(arguments) == 0
    assert f"--config {name} --checkpoint {output}" in capsys.readouterr().out
    variables, metadata = weights.load(output)
    assert metadata["converted_from"] == "tteepe"
    assert metadata.get("step") == (None if name.startswith("gaitgraph1") else 9_000)

    config = configs.load(name)
    config.data.cache_dir = str(tmp_path)
    by_keys = weights.load(convert.readable(config, file))[0]  # nobody says whose it is
    jax.tree.map(np.testing.assert_array_equal, by_keys, variables)
    model = models.build(config)
    with np.load(GOLDEN / "tteepe.npz") as golden:
        x = golden[f"{TTEEPE[name]}/input"]
        truth = golden[f"{TTEEPE[name]}/output_f64"]
    if name.startswith("gaitgraph1"):
        x = x[:, 0].transpose(0, 2, 3, 1)  # N I C T V
    method = "embed" if name.startswith("gaitgraph1") else "of_streams"
    embed = jax.jit(lambda v, x: model.apply(v, x, method=method)["embed_1"][..., 0])
    for precision, limit in (("float32", 1e-5), ("float64", 1e-9)):
        with jax.enable_x64(precision == "float64"):
            v = jax.tree.map(lambda a, p=precision: jax.numpy.asarray(a, p), variables)
            embedding = embed(v, jax.numpy.asarray(x, precision))
            assert embedding.dtype == precision
            assert embedding.shape == (len(x), config.model.embedding_dim)
            assert np.abs(embedding - truth).max() < limit * np.abs(truth).max()

    assert to_opengait.main([*arguments[:3], str(output), "--output", str(tmp_path / "o.pt")]) == 0
    expects_note = config.model.joints == "coco_tteepe"
    assert ("another bone of the nose" in capsys.readouterr().out) == expects_note
    shapes = SHAPES[name.removesuffix("_tteepe")]
    written = torch.load(tmp_path / "o.pt", weights_only=True)["model"]
    assert {key: tuple(value.shape) for key, value in written.items()} == shapes


def test_authors_settings():
    one, two, oumvlp = (configs.load(name) for name in TTEEPE)
    assert (one.eval.frames, one.eval.window, one.model.tta) == (60, "center", False)
    assert two.model.joints == "coco_tteepe"
    assert list(models.build(two).centres.values()) == [0, 0]
    assert list(models.build(oumvlp).centres.values()) == [1, 1]
    assert (oumvlp.eval.gallery_types, oumvlp.eval.probe_types) == (("00",), ("01",))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads its peak memory from /proc")
def test_largest_file_needs_little_memory(tmp_path):
    model = tensors(opengait_state("skeletongait_grew"))
    floats = {k: v for k, v in model.items() if v.is_floating_point()}
    momentum = {i: {"momentum_buffer": v} for i, v in enumerate(floats.values())}
    momentum = {i: {k: v.clone() for k, v in s.items()} for i, s in momentum.items()}
    file = tmp_path / "SkeletonGait-180000.pt"
    torch.save({"model": model, "optimizer": {"state": momentum}, "iteration": 180_000}, file)
    del model, floats, momentum
    command = ["--config", "skeletongait_grew", "--checkpoint", str(file), "--output"]
    script = (
        "from converters import opengait; assert opengait.main() == 0\n"
        "print([line for line in open('/proc/self/status') if line.startswith('VmHWM')][0])"
    )
    run = subprocess.run(
        [sys.executable, "-c", script, *command, str(tmp_path / "w.npz")],
        check=True,
        capture_output=True,
        text=True,
    )
    assert "95,124,736 parameters" in run.stdout
    name, kilobytes, _ = run.stdout.split()[-3:]
    assert name == "VmHWM:"
    assert int(kilobytes) < 3e6


ODD = {
    "entry": (lambda state: {"ema": {"net": tensors(state)}}, ["--key", "ema/net"]),
    "prefix": (
        lambda state: {"model": tensors({f"net.{k}": v for k, v in state.items()})},
        ["--strip_prefix", "net."],
    ),
    "more": (
        lambda state: tensors(state | {"head.w": np.ones(2), "head.b": np.ones(2)}),
        ["--ignore", "head.*"],
    ),
    "model_state_dict": (lambda state: {"model_state_dict": tensors(state), "epoch": 3}, []),
}


@pytest.mark.parametrize("kind", ODD)
def test_odd_files_are_read_when_told_where(kind, tmp_path):
    made, options = ODD[kind]
    torch.save(made(small_state()), tmp_path / "m.pt")
    arguments = ["--config", SMALL, "--checkpoint", str(tmp_path / "m.pt"), *options]
    assert opengait.main([*arguments, "--output", str(tmp_path / "w.safetensors")]) == 0
    variables, _ = weights.load(tmp_path / "w.safetensors")
    plain = tmp_path / "w.npz"
    convert.convert(
        configs.load(SMALL), "opengait", save(tmp_path / "p.pt", small_state()), str(plain)
    )
    jax.tree.map(np.testing.assert_array_equal, variables, weights.load(plain)[0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--key", "modle"], "no state dict 'modle' (--key): modle; did you mean model?"),
        (["--strip_prefix", "ResGNC."], "'ResGNC.' (--strip_prefix); did you mean ResGCN.?"),
        (["--ignore", "ResGCN.fnc.bias"], "(--ignore); did you mean ResGCN.fcn.bias"),
    ],
)
def test_options_that_find_nothing_name_the_nearest(options, message, tmp_path, capsys):
    file = save(tmp_path / "m.pt", small_state())
    arguments = ["--config", SMALL, "--checkpoint", str(file), *options]
    assert opengait.main([*arguments, "--output", str(tmp_path / "w.npz")]) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "w.npz").exists()


def test_safetensors_of_torch_keys_are_converted_without_torch(tmp_path, monkeypatch, capsys):
    safe_tensors.save(tmp_path / "m.safetensors", small_state(), {})
    monkeypatch.setitem(sys.modules, "torch", None)
    arguments = ["--config", SMALL, "--checkpoint", str(tmp_path / "m.safetensors")]
    assert opengait.main([*arguments, "--output", str(tmp_path / "w.npz")]) == 0
    kernel = weights.load(tmp_path / "w.npz")[0]["params"]["resgcn"]["fc"]["kernel"]
    assert kernel.tobytes() == small_state()["ResGCN.fcn.weight"].T.tobytes()
    with pytest.raises(WeightsError, match="convert"):
        weights.load(tmp_path / "m.safetensors")
