"""Every block's output against what the reference's had: mean, spread and largest value.

These three do not depend on the order of the axes, which differs from the reference's.
"""

import json
from types import EllipsisType

import jax
import numpy as np
import pytest
from flax.traverse_util import flatten_dict

from tests.helpers.golden_weights import GOLDEN
from tests.models.test_forward_goldens import network, poses_of

BLOCKS = json.loads((GOLDEN / "blocks.json").read_text())


def one_stream(name: str) -> tuple[str, int | EllipsisType]:
    """`resgcn/branch_<m>_<part>` is row m of what `resgcn/branch_<part>` gives."""
    branch, _, part = name.partition("branch_")
    return (f"{branch}branch_{part[2:]}", int(part[0])) if part else (name, ...)


@pytest.mark.parametrize("case", sorted(BLOCKS))
def test_blocks(case):
    model, variables, inputs, _ = network(case, classes=8)
    # Uncalibrated GaitTR attends almost to one joint: single precision is off by 5e-4 there.
    tolerance = 1e-3 if case.startswith("gaittr") else 1e-4

    @jax.jit
    def blocks(v, x):
        if case.startswith("gaitgraph2"):
            x = poses_of(x)
        method = "embed" if hasattr(model, "embed") else None
        _, state = model.apply(
            v, x, method=method, mutable=["intermediates"], capture_intermediates=True
        )
        return state["intermediates"]

    outputs = flatten_dict(blocks(variables[""], inputs[BLOCKS[case]["input"]]))
    for name, (mean, std, largest) in BLOCKS[case]["blocks"].items():
        name, stream = one_stream(name)
        value = np.asarray(outputs[(*name.split("/"), "__call__")][0][stream], np.float64)
        close = {"rtol": tolerance, "atol": tolerance * std, "err_msg": name}
        np.testing.assert_allclose(value.mean(), mean, **close)
        np.testing.assert_allclose(value.std(), std, **close)
        np.testing.assert_allclose(np.abs(value).max(), largest, **close)
