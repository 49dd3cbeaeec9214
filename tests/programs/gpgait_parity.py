"""How exactly GPGait and GPGait++ agree with the reference: python -m tests.programs.gpgait_parity

Prints the rows of the table in docs/from_opengait.md: largest differences, relative to the largest
value, from what was recorded of the reference in double precision. A configuration without a
recording of its own has that of another, if their networks differ in nothing but the classes. Five
training steps are compared by `tests.programs.training_golden`.
"""

import contextlib
import math

import jax
import jax.numpy as jnp
import numpy as np
from ml_collections import ConfigDict

from gaitjax import config as configs
from gaitjax import models
from gaitjax.conversion import core
from gaitjax.conversion.rules import rules
from gaitjax.models import gpgait
from gaitjax.training.losses import total_loss
from tests.helpers.golden_weights import GOLDEN, golden_state_dict, reference_shapes

FOLDER = GOLDEN / "gpgait"
SHAPES = reference_shapes("gpgait/state_dict_shapes")
CASES = {
    "GPGait_CASIA-B": "gpgait_casiab",
    "GPGait_Gait3D": "gpgait_gait3d",
    "GPGait_GREW": "gpgait_grew",
    "GPGait_OUMVLP": "gpgait_oumvlp17",
    "GPGaitPP_CASIA-B": "gpgaitpp_casiab",
    "GPGaitPP_Gait3D": "gpgaitpp_gait3d",
    "GPGaitPP_OUMVLP": "gpgaitpp_oumvlp17",
}
CLASSES = 40  # of the recordings
EXAMPLE = (1, 8, 17, 3)
BUFFERS = ("running_mean", "running_var", "num_batches_tracked")


def recorded(case: str):
    """Config, network, its variables, inputs of our layout, and the recording."""
    golden = np.load(FOLDER / "forward" / f"{case}.npz")
    config = configs.load(CASES[case])
    config.model.classes = CLASSES
    network = models.build(config)
    shapes = SHAPES[CASES[case]] | {"BNNecks.fc_bin": (gpgait.PARTS, 256, CLASSES)}
    state = golden_state_dict(shapes)
    state |= {
        key.removeprefix("calibrated/bn/"): golden[key] for key in golden.files if "/bn/" in key
    }
    recordings = [golden[key] for key in sorted(golden.files) if key.endswith("/input")]
    inputs = [x[..., 0].transpose(0, 2, 3, 1)[..., :5] for x in recordings]
    return config, network, core.to_flax(state, rules(config), template(network)), inputs, golden


def template(network) -> dict:
    return jax.eval_shape(lambda: network.init(jax.random.key(0), jnp.zeros(EXAMPLE)))


def same_network(name: str) -> str:
    """The recorded case whose network is that of a config, classes apart; "" without one."""

    def of(config: str) -> ConfigDict:
        model = configs.load(config).model
        del model.classes
        return model

    return next((case for case, config in CASES.items() if of(config) == of(name)), "")


def off(found, expected) -> float:
    """Largest difference over the largest value."""
    return float(np.abs(np.asarray(found) - expected).max() / np.abs(expected).max())


def forward(case: str, precision: str) -> dict[str, float]:
    """Of both outputs before the classifier, and of the logits."""
    _, network, variables, inputs, golden = recorded(case)
    with jax.enable_x64(True) if precision == "float64" else contextlib.nullcontext():
        variables = jax.tree.map(lambda a: jnp.asarray(a, precision), variables)
        run = jax.jit(lambda x: network.apply(variables, x, method="of_streams"))
        outputs = [jax.device_get(run(jnp.asarray(x, precision))) for x in inputs]
    first = "calibrated/single0"
    return {
        "embed_2": max(
            off(o["embed_2"], golden[f"calibrated/single{i}/embeddings_f64"])
            for i, o in enumerate(outputs)
        ),
        "embed_1": off(outputs[0]["embed_1"], golden[f"{first}/embed1_f64"]),
        "logits": off(outputs[0]["logits"], golden[f"{first}/logits_f64"]),
    }


def loss(case: str) -> float | None:
    """Of the sum of both losses with the config's weights; None where it was not recorded."""
    golden, key = np.load(FOLDER / "losses.npz"), f"total_{case}"
    if f"{key}/labels" not in golden:
        return None
    with jax.enable_x64(True):
        outputs = {
            ours: jnp.asarray(golden[f"{key}/{theirs}"], jnp.float64)
            for ours, theirs in (("embed_1", "embeddings"), ("logits", "logits"))
        }
        labels = jnp.asarray(golden[f"{key}/labels"], jnp.int32)
        found, _ = total_loss(outputs, labels, configs.load(CASES[case]).loss)
    return off(found, golden[f"{key}/float64/total"])


def converted(name: str) -> tuple[int, bool, bool]:
    """Parameters; whether the reference has as many; whether a checkpoint comes back bit by bit."""
    config, shapes = configs.load(name), SHAPES[name]
    network, table = models.build(config), rules(config)
    ours = template(network)
    count = sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(ours["params"]))
    theirs = sum(math.prod(s) for key, s in shapes.items() if not key.endswith(BUFFERS))
    state = golden_state_dict(shapes)
    back = core.to_torch(core.to_flax(state, table, ours), table)
    # Batches are not counted here, nor is the number used by anything.
    valued = [key for key in shapes if not key.endswith("num_batches_tracked")]
    equal = all(np.array_equal(back[key], state[key]) for key in valued)
    return count, count == theirs, equal and back.keys() == shapes.keys()


def row(name: str) -> str:
    count, as_many, round_trip = converted(name)
    case = same_network(name)
    cells = [f"`{name}`", f"{count:,}", "yes" if as_many else "NO", "yes" if round_trip else "NO"]
    if not case:
        return f"| {' | '.join([*cells, 'none', *[''] * 5])} |"
    cells.append(f"{case.replace('_', ' of ')}{'' if CASES[case] == name else ', same network'}")
    single, double = forward(case, "float32"), forward(case, "float64")
    total = loss(case) if CASES[case] == name else None
    numbers = (single["embed_2"], *(double[key] for key in ("embed_2", "embed_1", "logits")))
    cells += [f"{value:.0e}" for value in numbers] + ["" if total is None else f"{total:.0e}"]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    for chosen in sorted(SHAPES):
        print(row(chosen), flush=True)
