"""Five training steps from the recorded weights and batches, compared with the reference.

Run as a program with the name of a golden, `float32` or `float64` and perhaps a number of
steps, it prints the largest differences as JSON; double precision needs a process of its own.
With 0 steps only the first loss is computed, and no gradient compiled.
"""

import json
import sys
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
from flax import traverse_util

from gaitjax import models
from gaitjax.config import load
from gaitjax.conversion import core
from gaitjax.conversion.rules import rules
from gaitjax.training import optim, step
from tests.helpers.golden_weights import golden_state_dict, reference_shapes

FOLDER = Path(__file__).parents[1] / "golden" / "train"

CONFIGS = {
    "GaitGraph1_CASIA-B": "gaitgraph1_casiab",
    "GaitGraph1_OUMVLP": "gaitgraph1_oumvlp",
    "GaitGraph2_CASIA-B": "gaitgraph2_casiab",
    "GaitGraph2_GREW": "gaitgraph2_grew",
    "GaitGraph2_OUMVLP": "gaitgraph2_oumvlp",
    "GPGait_Gait3D": "gpgait_gait3d",
    "GPGait_OUMVLP": "gpgait_oumvlp17",
    "GPGaitPP_CASIA-B": "gpgaitpp_casiab",
    "GPGaitPP_Gait3D": "gpgaitpp_gait3d",
    "GaitTR_GREW": "gaittr_grew",
    "GaitTR_OUMVLP": "gaittr_oumvlp",
    "SkeletonGait_Gait3D": "skeletongait_gait3d",
    "SkeletonGait_OUMVLP": "skeletongait_oumvlp17",
    "SkeletonGaitPP_Gait3D": "skeletongaitpp_gait3d",
}

STREAMS = ("gaitgraph2", "gpgait", "gpgaitpp")


def network_input(name: str, x: np.ndarray) -> np.ndarray:
    """The reference's network input in our layout: poses, maps, and the streams of
    GaitGraph2 and GPGait.

    GaitGraph1's two views move to the batch.
    """
    if name.startswith("GaitGraph1"):  # (N, 3, 2L, V, 1)
        x = x[..., 0].transpose(0, 2, 3, 1)
        return np.concatenate(np.split(x, 2, axis=1))
    if name.startswith("GaitTR"):  # (N, T, C, V, 1), positions first; the confidence is not used
        return x[..., 0][:, :, (0, 1, 1)].transpose(0, 1, 3, 2)
    if name.startswith("GPGait"):  # (N, 6, T, V, 1), the last channel empty
        return x[:, :5, ..., 0].transpose(0, 2, 3, 1)
    if name.startswith("Skeleton"):  # (N, T, C, H, W)
        return x.transpose(0, 1, 3, 4, 2)
    return x


def golden_config(name: str, facts: dict):
    """Our config with the shortened schedule of the recording."""
    config = load(CONFIGS[name])
    scheduler = facts["settings"]["scheduler_cfg"]
    config.train.steps = scheduler.get("total_steps", 5)
    if config.schedule.name == "multistep":
        config.schedule.milestones = tuple(scheduler["milestones"])
    if "dropout" in config.model:
        config.model.dropout = 0.0
    if name.startswith("GPGait"):
        config.model.classes = facts["settings"]["model_cfg"]["num_class"]
    return config


def relative(ours, reference) -> float:
    """Largest difference over the reference's largest value."""
    ours, reference = np.asarray(ours, np.float64), np.asarray(reference, np.float64)
    return float(np.abs(ours - reference).max() / max(np.abs(reference).max(), 1e-300))


def compare(name: str, precision: str, steps: int = 5) -> dict[str, float]:
    """Largest relative differences of every quantity recorded over `steps` steps, by name."""
    golden = np.load(FOLDER / f"{name}.npz")
    facts = json.loads((FOLDER / f"{name}.json").read_text())
    config = golden_config(name, facts)
    model, table = models.build(config), rules(config)
    template = step.variable_shapes(config, model)
    keys = {
        rule.torch_key: rule.layout.to_torch(np.empty(leaf.shape[len(rule.part) :], bool)).shape
        for rule in table
        if isinstance(rule, core.Rule)
        for leaf in [traverse_util.flatten_dict(template)[rule.path]]
    }
    variables = core.to_flax(golden_state_dict(keys), table, template)
    variables = jax.tree.map(lambda a: jnp.asarray(a, precision), variables)
    if config.model.name in STREAMS:  # what is recorded, rounded to float32
        model = SimpleNamespace(apply=partial(model.apply, method="of_streams"))
    tx = optim.optimizer(config, variables["params"])
    lr, _ = optim.schedule(config.schedule, config.train.steps)
    state = {"step": jnp.int32(0), **variables, "opt_state": tx.init(variables["params"])}

    def derived(state, x, labels):
        return step.gradients(config, model, state, x, labels, jax.random.key(0))

    @jax.jit
    def one(state, x, labels):
        grads, stats, metrics = derived(state, x, labels)
        return grads, step.apply_gradients(config, tx, state, grads, stats), metrics

    def batch(t: int):
        x = network_input(name, golden[f"batch{t % 2}/input"])
        return jnp.asarray(x, precision), jnp.asarray(golden[f"batch{t % 2}/labels"])

    if not steps:
        loss = jax.jit(lambda *args: derived(*args)[2]["loss"])(state, *batch(0))
        return {"first_loss": relative(float(loss), golden["float64/loss"][0])}

    def torch(params, stats):
        return core.to_torch({"params": params, "batch_stats": stats}, table)

    dead = set(facts["parameters_with_zero_true_gradient"])
    losses, lrs, out = [], [], {}
    for t in range(steps):
        lrs.append(float(lr(state["step"])))
        grads, state, metrics = one(state, *batch(t))
        losses.append(float(metrics["loss"]))
        if t == 0:
            ours = torch(grads, state["batch_stats"])
            norms = np.array([np.linalg.norm(ours[key]) for key in facts["parameters"]])
            recorded = golden["float64/step0/grad_l2"]
            alive = np.array([key not in dead for key in facts["parameters"]])
            out["grad_norm"] = float(np.max(np.abs(norms / recorded - 1)[alive]))
            for key in golden.files:
                name_of = key.rsplit("/", 1)[-1]
                if key.startswith("float64/step0/grad/") and name_of not in dead:
                    theirs = golden[key].astype(np.float64).ravel()
                    mine = ours[name_of].astype(np.float64).ravel()
                    cosine = mine @ theirs / np.linalg.norm(mine) / np.linalg.norm(theirs)
                    out["grad_direction"] = max(out.get("grad_direction", 0.0), 1 - cosine)
            buffers = np.array([np.linalg.norm(ours[key]) for key in facts["bn_buffers"]])
            out["batch_norm"] = relative(buffers / golden[f"{precision}/step0/bn_l2"], 1.0)
    out["first_loss"] = relative(losses[0], golden["float64/loss"][0])
    out["loss"] = relative(losses, golden[f"{precision}/loss"][:steps])
    out["lr"] = relative(lrs, golden[f"{precision}/lr"][:steps])
    if steps < 5:
        return out
    final = torch(state["params"], state["batch_stats"])
    state_keys = facts.get("state") or [
        key
        for key in reference_shapes("gpgait/state_dict_shapes")[CONFIGS[name]]
        if not key.endswith("num_batches_tracked")
    ]
    pairs = [
        (np.linalg.norm(final[key]), norm)
        for key, norm in zip(state_keys, golden[f"{precision}/final/l2"], strict=True)
        if key not in dead and not key.endswith(("num_batches_tracked", ".A"))
    ]
    ours, recorded = np.array(pairs).T
    out["final_norms"] = float(np.max(np.abs(ours / recorded - 1)))
    return out


if __name__ == "__main__":
    chosen, kind, *count = sys.argv[1:]
    jax.config.update("jax_enable_x64", kind == "float64")
    print(json.dumps(compare(chosen, kind, *map(int, count))))
