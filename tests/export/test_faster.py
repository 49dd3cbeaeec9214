"""Products with what follows folded in, and Mish, give what they stand for, with fewer nodes."""

from collections import Counter

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gaitjax.export import onnx, program
from gaitjax.models import layers

RNG = np.random.default_rng(0)
A, B, C, SHIFT = (RNG.normal(size=shape).astype("f4") for shape in ((6, 4), (4, 5), 5, 5))
KERNEL, STREAMS = (RNG.normal(size=shape).astype("f4") for shape in ((3, 1, 6, 5), (2, 6, 5)))
SCALES = RNG.normal(size=(2, 1, 1, 5)).astype("f4")


def normalised(y):
    """As batch statistics are used: of each channel."""
    return (y - C) * jnp.exp(SHIFT) + SHIFT


def convolved(x):
    dimensions = ("NHWC", "HWIO", "NHWC")
    return jax.lax.conv_general_dilated(x, KERNEL, (1, 1), "SAME", dimension_numbers=dimensions)


def of_streams(x):
    rows = jnp.stack([x, 2 * x]).reshape(2, -1, 6)
    y = (rows @ STREAMS).reshape(2, -1, 7, 3, 5)
    return (y * SCALES[:, :, None] - SCALES[:, None]).sum(axis=0)


CASES = {  # a function of (n, 7, 3, 6), and nodes of it that are left
    "product": (lambda x: normalised(x.reshape(-1, 6) @ (A @ B)), dict(MatMul=1, Add=1, Sub=0)),
    "reshaped": (
        lambda x: 3 - normalised((x.reshape(-1, 6) @ (A @ B)).reshape(-1, 7, 3, 5)),
        dict(MatMul=1, Add=1, Mul=0, Sub=0),
    ),
    "convolution": (lambda x: jax.nn.relu(normalised(convolved(x))), dict(Conv=1, Add=0, Relu=1)),
    "streams": (of_streams, dict(MatMul=1, Add=1, Einsum=0, Sub=0)),
    # Each frame has its own: not of a channel.
    "of frames": (lambda x: convolved(x) * np.arange(7, dtype="f4")[:, None, None], dict(Mul=1)),
    # Both are needed, and made.
    "twice": (lambda x: (y := convolved(x)) * normalised(y), dict(Conv=2)),
    "mish": (lambda x: layers.mish(30 * x), dict(Where=0, Exp=1)),
}


@pytest.mark.parametrize("name", CASES)
def test_gives_the_same_in_fewer_nodes(name, tmp_path):
    written = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime", reason="the extra export is not installed")
    function, nodes = CASES[name]
    (n,) = jax.export.symbolic_shape("n")
    inputs = {"x": jax.ShapeDtypeStruct((n, 7, 3, 6), jnp.float32)}
    path = tmp_path / "f.onnx"
    onnx.save(program.Program(function, inputs, {}), path)
    found = Counter(node.op_type for node in written.load(path).graph.node)
    assert {kind: found[kind] for kind in nodes} == nodes
    x = RNG.normal(size=(2, 7, 3, 6)).astype("f4")
    np.testing.assert_allclose(onnx.load(path)(x), function(x), rtol=1e-5, atol=1e-5)
