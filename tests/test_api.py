"""The functions people type: load, embed, score. Their examples are run."""

import doctest
import importlib
import os
import re
import subprocess
import sys
import warnings
from pathlib import Path

import jax
import numpy as np
import pytest

import gaitjax
from gaitjax import evaluation, models, sharding, weights
from gaitjax.config import load as load_config
from gaitjax.config import override_all
from gaitjax.data import familiar, feed
from gaitjax.errors import ConfigError, DataError
from gaitjax.evaluation.embedding import embed_dataset
from gaitjax.training import checkpoint, step
from gaitjax.untrusted import safe_pickle
from tests.helpers import tiny, tiny_sets
from tests.helpers.tiny_sets import TO_COCO

ROOT = Path(__file__).parents[1]
SMALL = [*tiny.ARGUMENTS, "--config.eval.window=center"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A weights file of a tiny GaitGraph2, and its config."""
    config = override_all(load_config("gaitgraph2_walkers"), SMALL)
    path = tmp_path_factory.mktemp("weights") / "weights.npz"
    return _saved(config, path), config


def _saved(config, path):
    model = models.build(config)
    init = jax.jit(lambda: step.init_variables(config, model, jax.random.key(0), clips))
    clips = step.example_clips(config)
    weights.save(path, init(), {"config": config.to_dict(), "step": 7})
    return path


def walk(number: int, joints: int = 17) -> np.ndarray:
    return tiny_sets.poses(number, joints)


@pytest.mark.filterwarnings("default::UserWarning")  # of made-up walks
@pytest.mark.parametrize(
    "module",
    [
        "api",
        "extras",
        "evaluation",
        "evaluation.plain_arrays",
        "evaluation.protocols",
        "evaluation.open_set",
        "identify.gallery",
        "identify.quality",
        "identify.threshold",
    ],  # fmt: skip
)
def test_examples(module, trained):
    names = dict(gaitjax=gaitjax, np=np, weights=trained[0])
    result = doctest.testmod(importlib.import_module(f"gaitjax.{module}"), extraglobs=names)
    assert result.attempted and not result.failed


def test_embeds_as_evaluation_does(trained, tmp_path):
    """Arrays in memory and the same walks as files of a data set: the same embeddings."""
    path, config = trained
    config = config.copy_and_resolve_references()
    root = tiny_sets.generate(tmp_path / "data", config.data)
    config.data.update(root=str(root), cache_dir=str(tmp_path / "cache"))
    mesh = sharding.make_mesh()
    split = feed.Feed.open(config, "test", mesh)
    variables, _ = checkpoint.load_variables(path)
    found = embed_dataset(config, models.build(config), variables, split, mesh)["embed_1"]

    names = zip(split.labels, split.types, split.views, strict=True)
    files = [next(root.joinpath(*name).iterdir()) for name in names]
    model = gaitjax.load(path)
    embeddings = model.embed([safe_pickle.load(file) for file in files])
    np.testing.assert_allclose(embeddings, found, rtol=1e-4, atol=1e-4)
    assert model.metadata["step"] == 7 and model.config.train.frames == 12
    assert "gaitgraph2 on coco" in repr(model)


def test_what_is_doubtful_or_unknown_is_said_once(trained):
    model = gaitjax.load(trained[0])
    with pytest.warns(UserWarning) as said:
        model.embed([walk(1), walk(2)[:1], walk(3)[:5]])
    assert [str(warning.message) for warning in said] == [
        "doubtful among 3 sequences: fewer than 10 frames (2); one single frame (1)",
        familiar.UNKNOWN,
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.embed([walk(1)])


def test_a_pytorch_file_is_converted_where_its_config_is_given(tmp_path, monkeypatch):
    pytest.importorskip("torch")
    from gaitjax.conversion import convert
    from tests.helpers.torch_files import opengait_state, save

    name = "gaitgraph2_gait3d"
    config = override_all(load_config(name), [f"--config.data.cache_dir={tmp_path / 'cache'}"])
    file = save(tmp_path / "m.pt", opengait_state(name), iteration=9)
    with pytest.raises(weights.WeightsError, match="a PyTorch file; .*its config is given"):
        gaitjax.load(file)
    found = gaitjax.load(file, config)
    (kept,) = (tmp_path / "cache" / "converted").iterdir()
    assert found.metadata["step"] == 9 and kept.name.startswith("m-")
    monkeypatch.setattr(convert, "convert", None)  # not called again
    assert convert.readable(config, file) == kept
    assert convert.readable(config, kept) == kept


def test_lengths_joints_and_batches_do_not_matter(trained):
    model = gaitjax.load(trained[0])
    walks = [walk(i)[: 5 + 3 * i] for i in range(7)]
    together = model.embed(walks)
    np.testing.assert_allclose(model.embed(walks, batch_size=2), together, atol=2e-4)
    alone = [model.embed([w])[0] for w in walks[:3]]
    np.testing.assert_allclose(alone, together[:3], atol=2e-4)
    eighteen = walk(3, joints=18)
    np.testing.assert_array_equal(
        model.embed([eighteen]), model.embed([eighteen[:, list(TO_COCO)]])
    )


def test_poses_of_another_camera_are_said_and_brought_to_the_known_one(trained, tmp_path):
    walks = [walk(i) for i in range(8)]
    known = familiar.measure(walks.__getitem__, len(walks))
    variables, metadata = weights.load(trained[0])
    path = weights.save(tmp_path / "w.npz", variables, metadata | {"knows": known})

    def far(poses):
        there = (poses[..., :2] != 0).any(axis=-1, keepdims=True)
        return np.where(there, poses * [2, 2, 6] + [300, 0, 0], 0)

    model = gaitjax.load(path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plain = model.embed(walks)
    with pytest.warns(UserWarning) as said:
        changed = model.embed([far(w) for w in walks])
    lines = " ".join(str(warning.message) for warning in said)
    assert re.search("people are .* pixels high.*people stand at x.*confidences are", lines)
    assert np.abs(changed - plain).max() > 1
    fitted = gaitjax.load(path, rescale="fit")
    with warnings.catch_warnings():
        warnings.filterwarnings("error", ".* in training")
        found = fitted.embed([far(w) for w in walks])
    scale = np.abs(plain).max()
    # Size and place are undone, but in joints made up: a frame's mean counts the missing as zeros.
    same = [w * np.float32([1, 1, 6]) for w in walks]
    np.testing.assert_allclose(found, fitted.embed(same), atol=1e-2 * scale)
    with pytest.raises(DataError, match="does not say what poses the network was trained on"):
        gaitjax.load(trained[0], rescale="fit")
    with pytest.raises(ConfigError, match="data.rescale"):
        gaitjax.load(path, rescale="fitted")


@pytest.mark.slow  # compiles two more networks
@pytest.mark.parametrize("name", ["gaittr_gait3d", "skeletongait_gait3d"])
def test_whole_sequences(name, tmp_path):
    config = tiny_sets.shrink(load_config(name))
    model = gaitjax.load(_saved(config, tmp_path / "w.npz"))
    walks = [walk(1)[:9], walk(2)]
    together = model.embed(walks)
    assert together.shape[0] == 2 and together.dtype == np.float32
    scale = np.abs(together).max()
    np.testing.assert_allclose(model.embed(walks[:1])[0], together[0], atol=1e-4 * scale)


def test_refuses(trained, tmp_path):
    model = gaitjax.load(trained[0])
    with pytest.raises(DataError, match=r"sequence 1: shape \(17, 3\); expected"):
        model.embed([walk(0), walk(0)[0]])
    with pytest.raises(DataError, match="sequence 0: 21 joints; .* this network works on the 17"):
        model.embed([np.ones((5, 21, 3))])
    with pytest.raises(DataError, match="sequence 0: nan at frame 0"):
        model.embed([np.full((5, 17, 3), np.nan)])
    with pytest.raises(DataError, match="no sequences"):
        model.embed([])
    with pytest.raises(DataError, match="nor a zoo entry; did you mean gaitgraph2_grew"):
        gaitjax.load("gaitgraph2_grow")
    with pytest.raises(weights.WeightsError, match="does not fit the network"):
        gaitjax.load(trained[0], config="gaitgraph2_grew")
    variables, _ = weights.load(trained[0])
    weights.save(tmp_path / "bare.npz", variables, {})
    with pytest.raises(DataError, match="pass config=NAME"):
        gaitjax.load(tmp_path / "bare.npz")
    assert gaitjax.load(tmp_path / "bare.npz", config=trained[1]).metric == "cos"


def test_zoo_name(tmp_path, monkeypatch):
    """Fetched and converted once; then read from the cache."""
    pytest.importorskip("torch")
    from gaitjax.conversion import convert, hub
    from tests.helpers.torch_files import opengait_state, save

    name = "gaitgraph2_gait3d"
    file = save(tmp_path / "GaitGraph2-2000.pt", opengait_state(name), iteration=2000)
    monkeypatch.setattr(hub, "fetch", lambda repo, folder: (file, "0123abc"))
    monkeypatch.setenv("HOME", str(tmp_path))
    first = gaitjax.load(name)
    assert first.metadata["commit"] == "0123abc" and first.config.data.name == "gait3d"
    monkeypatch.setattr(convert, "convert", None)  # not called again
    again = gaitjax.load(name)
    jax.tree.map(np.testing.assert_array_equal, first.variables, again.variables)


def test_scores_agree_with_a_plain_count():
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(6), 3)
    x = rng.normal(size=(18, 8, 2)).astype(np.float32)
    gallery, probes = slice(0, None, 3), np.arange(18) % 3 > 0
    d = np.linalg.norm(x[probes][:, None] - x[gallery][None], axis=2).mean(axis=2)
    order = np.argsort(d, axis=1)
    hits = labels[gallery][order] == labels[probes][:, None]
    scores = evaluation.retrieval_scores(x[probes], labels[probes], x[gallery], labels[gallery])
    assert scores["Rank-1"] == pytest.approx(100 * hits[:, 0].mean())
    assert scores["Rank-5"] == pytest.approx(100 * hits[:, :5].any(axis=1).mean())
    assert scores["mAP"] == pytest.approx(100 * (1 / (hits.argmax(axis=1) + 1)).mean())
    one = evaluation.rank1(x[probes], labels[probes], x[gallery], labels[gallery])
    assert one == scores["Rank-1"]
    positions, distance = evaluation.nearest(x[probes], x[gallery], k=2)
    np.testing.assert_array_equal(positions, order[:, :2])
    np.testing.assert_allclose(distance, np.sort(d, axis=1)[:, :2], rtol=1e-5)
    rates = evaluation.verification_rates(x[probes], labels[probes], x[gallery], labels[gallery])
    assert (rates["same_pairs"], rates["different_pairs"]) == (12, 60) and 0 < rates["eer"] < 100
    with pytest.raises(DataError, match="embeddings of one network"):
        evaluation.rank1(x, labels, x[:, :4], labels)
    with pytest.raises(DataError, match="17 labels for 18"):
        evaluation.rank1(x, labels[:-1])


def test_equal_error_rate_of_embeddings_close_together():
    """Cosine distances of a network whose embeddings all point one way: 0 to 0.001 of 0 to 2."""
    rng = np.random.default_rng(1)
    labels = np.repeat(np.arange(20), 5)
    x = 1 + 0.01 * (rng.normal(size=(20, 16)).repeat(5, axis=0) + rng.normal(size=(100, 16)))
    rates = evaluation.verification_rates(x, labels, metric="cos")
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    d = (1 - unit @ unit.T)[~np.eye(100, dtype=bool)]
    same = (labels[:, None] == labels)[~np.eye(100, dtype=bool)]
    ends = np.sort(d)
    misses = 1 - np.searchsorted(np.sort(d[same]), ends, side="right") / same.sum()
    false = np.searchsorted(np.sort(d[~same]), ends, side="right") / (~same).sum()
    best = np.argmin(np.abs(misses - false))
    assert ends.max() < 0.002
    assert rates["eer"] == pytest.approx(50 * (misses + false)[best], abs=0.3)
    assert rates["threshold"] == pytest.approx(ends[best], rel=0.1)


def test_import_is_light():
    """`import gaitjax` loads neither JAX nor anything optional; `load` no optional package."""
    script = """
import sys, gaitjax
assert not {"jax", "numpy", "torch"} & set(sys.modules), sorted(sys.modules)
import gaitjax.train, gaitjax.evaluate, converters.opengait, converters.to_opengait
gaitjax.load, gaitjax.Model, gaitjax.evaluation.rank1
heavy = {"torch", "tensorflow", "tensorflow_datasets", "huggingface_hub", "sklearn", "PIL", "cv2"}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
assert "matplotlib.pyplot" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", script], check=True, cwd=ROOT, timeout=100)


@pytest.mark.parametrize(
    ("module", "extra"),
    [("torch", "convert"), ("huggingface_hub", "hub"), ("tensorflow_datasets", "tfds")],
)
def test_missing_extra_names_its_install_line(module, extra, tmp_path):
    """Without an optional package the error says how to install it."""
    path = tmp_path / "model.pt"
    path.write_bytes(b"PK\x03\x04")
    call = {
        "torch": f"from gaitjax.conversion import checkpoint_file as f; f.read({str(path)!r})",
        "huggingface_hub": "from gaitjax.conversion import hub; hub.fetch('a/b', 'c')",
        "tensorflow_datasets": "from gaitjax.data.builders import pose_builder",
    }[module]
    run = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.modules[{module!r}] = None; {call}"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
        timeout=100,
    )
    assert f"pip install 'gaitjax[{extra}]'" in run.stderr.splitlines()[-1]
