"""What can be switched on in training, end to end on a tiny network and a few walkers."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gaitjax import models, weights
from gaitjax.config import ConfigError, load
from gaitjax.data import sampling
from gaitjax.errors import DataError
from gaitjax.train import main, train
from gaitjax.training import checkpoint, optim, step
from gaitjax.transforms import pipeline
from tests.helpers import tiny, tiny_sets

pytestmark = pytest.mark.usefixtures("quick")

MODELS = ("gaitgraph1", "gaitgraph2", "gaittr", "skeletongait", "skeletongaitpp")


def config(folder, *more: str):
    return tiny.config(folder, *[f"--config.{f}" for f in ("train.save_every=2", *more)])


def flat(tree) -> dict[str, np.ndarray]:
    leaves = jax.tree_util.tree_flatten_with_path(tree)[0]
    return {optim.path_name(path): np.asarray(leaf) for path, leaf in leaves}


def initial(c) -> dict:
    model = models.build(c)
    tx = optim.optimizer(c, step.variable_shapes(c, model)["params"])
    return jax.jit(lambda: step.init_state(c, model, tx))()


def test_frozen_paths_stay_and_the_rest_moves(tmp_path):
    c = config(tmp_path, "train.steps=3", "train.freeze=resgcn/branch_0,resgcn/fc")
    names = list(flat(step.variable_shapes(c, models.build(c))["params"]))
    prefix = tuple(sorted({"/".join(n.split("/")[:2]) for n in names})[:2])
    c.train.freeze = prefix
    before, (state, _) = flat(initial(c)["params"]), train(c, tmp_path / "out")
    for name, leaf in flat(state["params"]).items():
        if name.startswith(prefix):
            np.testing.assert_array_equal(leaf, before[name], err_msg=name)
        elif not name.endswith("bias"):  # a bias in front of a batch norm has no gradient
            assert not np.array_equal(leaf, before[name]), name


def test_freezing_nothing_is_refused(tmp_path):
    with pytest.raises(DataError, match="'head' matches no parameter"):
        train(config(tmp_path, "train.freeze=head,"), tmp_path / "out")


def test_clipping_shortens_the_step_and_reports_the_whole_norm(tmp_path):
    c = config(tmp_path, "train.steps=1", "train.clip_norm=1e-3", "optimizer.name=sgd")
    c.optimizer.weight_decay = 0.0
    c.schedule.update(name="multistep", lr=1.0)
    start = flat(initial(c)["params"])
    state, last = train(c, tmp_path / "clipped")
    assert last["grad_norm"] > 1e-3
    moved = [leaf - start[name] for name, leaf in flat(state["params"]).items()]
    norm = np.sqrt(sum((m.astype(np.float64) ** 2).sum() for m in moved))
    assert norm == pytest.approx(1e-3, rel=0.02)


def test_fine_tuning_with_a_new_head_lists_what_it_loaded(tmp_path, capsys):
    train(config(tmp_path, "train.steps=1"), tmp_path / "old")
    old, metadata = checkpoint.load_variables(tmp_path / "old")
    file = weights.save(tmp_path / "old.npz", old, metadata)
    c = config(tmp_path, f"init_from={file}", "model.embedding_dim=24", "train.steps=1")
    with pytest.raises(weights.WeightsError, match="does not fit the network of this config"):
        train(c, tmp_path / "strict")

    c.init_strict, c.schedule.lr = False, 1e-12
    capsys.readouterr()
    state, _ = train(c, tmp_path / "new")
    said = capsys.readouterr().out
    new, old = flat(state["params"]), flat(old["params"])
    head = [name for name in new if new[name].shape != old[name].shape]
    assert head and all(name in said for name in head)
    total = len(jax.tree.leaves((state["params"], state["batch_stats"])))
    assert f"loaded {total - len(head)} arrays" in said
    for name in set(new) - set(head):
        np.testing.assert_allclose(new[name], old[name], atol=1e-6)


def test_evaluation_uses_the_averaged_parameters(tmp_path):
    c = config(tmp_path, "train.ema=0.5", "train.steps=1")
    start = flat(initial(c)["params"])
    state, last = train(c, tmp_path / "out")
    average, now = flat(state["ema"]), flat(state["params"])
    for name, value in average.items():
        np.testing.assert_allclose(value, (start[name] + now[name]) / 2, atol=1e-6)
    saved, _ = checkpoint.load_variables(tmp_path / "out")
    for name, value in flat(saved["params"]).items():
        np.testing.assert_array_equal(value, average[name])


def test_the_best_evaluation_is_kept(tmp_path):
    c = config(tmp_path, "train.steps=3", "train.eval_every=1", "train.keep_best=eval/Rank-1")
    train(c, tmp_path / "out")
    rows = [json.loads(x) for x in (tmp_path / "out/metrics.jsonl").read_text().splitlines()]
    scores = {row["step"]: row["eval/Rank-1"] for row in rows if "eval/Rank-1" in row}
    _, metadata = weights.load(tmp_path / "out" / "best.npz")
    assert metadata["metric"] == "eval/Rank-1" and len(scores) == 3
    assert metadata["value"] == max(scores.values())
    assert metadata["step"] == min(t for t, v in scores.items() if v == max(scores.values()))


def test_an_unknown_metric_to_keep_is_named(tmp_path):
    with pytest.raises(ConfigError, match="'eval/rank1' is no metric; known: .*eval/Rank-1"):
        train(config(tmp_path, "train.keep_best=eval/rank1"), tmp_path / "out")
    assert not (tmp_path / "out/metrics.jsonl").exists()  # before the first step


def test_seeds_give_other_weights_and_other_batches(tmp_path):
    one, again, other = (config(tmp_path, f"seed={seed}") for seed in (1, 1, 2))
    a, b, c = (flat(initial(x)["params"]) for x in (one, again, other))
    for name in a:
        np.testing.assert_array_equal(a[name], b[name])
        assert not name.endswith("kernel") or (a[name] != c[name]).all()
    class_ids = np.repeat(np.arange(8), 4)
    rows = [sampling.rows(class_ids, 16, 2, True, x.seed, 0) for x in (one, again, other)]
    assert (rows[0] == rows[1]).all() and (rows[0] != rows[2]).any()


@pytest.mark.parametrize("name", ["gaittr_gait3d", "skeletongaitpp_gait3d"])
def test_dry_run_tells_sizes_and_writes_nothing(name, tmp_path, capsys, monkeypatch):
    c = tiny_sets.shrink(load(name))
    monkeypatch.setattr("gaitjax.train.from_arguments", lambda *_: c)
    assert main(["--config", name, "--workdir", str(tmp_path / "out"), "--dry_run"]) == 0
    said = capsys.readouterr().out
    params = step.variable_shapes(c, models.build(c))["params"]
    count = sum(np.prod(leaf.shape, dtype=int) for leaf in jax.tree.leaves(params))
    assert f"{c.model.name}: {count:,} parameters" in said
    assert all(f"  {module}" in said for module in params)
    assert "state: " in said and "GFLOP" in said and "activations" in said
    assert f"[{c.train.batch_size}, {c.train.frames}" in said
    assert not (tmp_path / "out").exists()


def clips(c):
    """A batch that every model of `c` can be fed, and its labels."""
    n, t = 8, 9
    joints = 17
    walks = np.stack([tiny_sets.poses(i, joints)[:t] for i in range(n)])
    silhouettes = np.random.default_rng(0).integers(0, 2, (n, t, 64, 44), np.uint8) * 255
    batch = {"poses": jnp.asarray(walks), "silhouettes": jnp.asarray(silhouettes)}
    if c.data.modality == "pose":
        del batch["silhouettes"]
    return batch, jnp.arange(n) // 2


def one_step(c):
    """(state after one step, its gradients, metrics, embeddings before it)."""
    c.train.augment = False
    model = models.build(c)
    tx = optim.optimizer(c, step.variable_shapes(c, model)["params"])

    @jax.jit
    def run(batch, labels):
        state, key = step.init_state(c, model, tx), jax.random.key(0)
        x = pipeline.train_input(c, model, key, batch)
        variables = {"params": state["params"], "batch_stats": state["batch_stats"]}
        outputs, _ = model.apply(
            variables, x, train=True, mutable=["batch_stats"], rngs={"dropout": key}
        )
        grads, stats, metrics = step.gradients(c, model, state, x, labels, key)
        return step.apply_gradients(c, tx, state, grads, stats), grads, metrics, outputs

    return run(*clips(c))


@pytest.mark.parametrize("name", MODELS)
def test_bfloat16_computes_with_float32_parameters_and_losses(name):
    c = tiny_sets.shrink(load(f"{name}_gait3d"))
    if c.augment.select:
        c.augment.select = 6
    _, _, exact, expected = one_step(c)
    c.model.dtype = "bfloat16"
    state, grads, metrics, outputs = one_step(c)
    for leaf in jax.tree.leaves((state["params"], state["batch_stats"], grads, metrics, outputs)):
        assert leaf.dtype == jnp.float32 and np.isfinite(leaf).all()
    assert metrics["loss"].shape == ()
    x, y = np.asarray(outputs["embed_1"]), np.asarray(expected["embed_1"])
    # bfloat16 has 8 bits; errors grow with depth and pixel coordinates reach hundreds.
    assert np.linalg.norm(x - y) < 0.1 * np.linalg.norm(y)
    assert not np.array_equal(x, y)


@pytest.mark.parametrize("name", ["gaitgraph2", "gaittr"])
def test_recomputing_activations_changes_nothing(name):
    c = tiny_sets.shrink(load(f"{name}_gait3d"))
    _, grads, metrics, _ = one_step(c)
    c.train.remat = True
    _, again, metrics_again, _ = one_step(c)
    assert float(metrics["loss"]) == pytest.approx(float(metrics_again["loss"]), rel=1e-6)
    scale = max(float(jnp.abs(g).max()) for g in jax.tree.leaves(grads))
    for a, b in zip(jax.tree.leaves(grads), jax.tree.leaves(again), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5 * scale)


def test_a_frame_count_that_differs_is_named(tmp_path, capsys, monkeypatch):
    """One frame more in a silhouette file than in its poses stops the training with its name."""
    c = tiny_sets.shrink(load("skeletongaitpp_gait3d"))
    root = tiny_sets.generate(tmp_path / "data", c.data)
    for file in root.glob("*/*/*/1_*.pkl"):
        silhouettes = np.load(file, allow_pickle=True)
        file.write_bytes(np.concatenate([silhouettes, silhouettes[:1]]).dumps())
    c.data.update(root=str(root), cache_dir=str(tmp_path / "cache"))
    monkeypatch.setattr("gaitjax.train.from_arguments", lambda *_: c)
    assert main(["--config", "skeletongaitpp_gait3d", "--workdir", str(tmp_path / "out")]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ") and "1_seq" in error
    assert "frames, expected" in error and "the same frames one by one" in error
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("modality, found", [("pose+silhouette", "expected 2 .pkl"),
                                             ("map+silhouette", "expected maps")])  # fmt: skip
def test_sustech1k_folders_as_released_need_two_files(modality, found, tmp_path, capsys,
                                                      monkeypatch):  # fmt: skip
    c = tiny_sets.shrink(load("skeletongaitpp_sustech1k"))
    c.data.modality = "pose"
    root = tiny_sets.generate(tmp_path / "data", c.data)
    for file in list(root.glob("*/*/*/0_*.pkl")):
        for i in range(16):
            (file.parent / f"{i:02d}-some.pkl").write_bytes(file.read_bytes())
        file.unlink()
    c.data.update(root=str(root), cache_dir=str(tmp_path / "cache"), modality=modality)
    monkeypatch.setattr("gaitjax.train.from_arguments", lambda *_: c)
    assert main(["--config", "skeletongaitpp_sustech1k", "--workdir", str(tmp_path / "out")]) == 1
    assert found in capsys.readouterr().err
