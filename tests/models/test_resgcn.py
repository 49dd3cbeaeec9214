"""ResGCN: its graph convolution, and where its blocks halve the frames."""

import numpy as np
import pytest

from gaitjax.errors import DataError
from gaitjax.models.resgcn import GraphConv, plan


def test_graph_conv_sums_over_hops():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 3, 5, 4)).astype(np.float32)
    graph = rng.normal(size=(3, 5, 5)).astype(np.float32)
    kernel = rng.normal(size=(4, 3 * 6)).astype(np.float32)
    bias = rng.normal(size=3 * 6).astype(np.float32)
    y = GraphConv(6).apply({"params": {"kernel": kernel, "bias": bias}}, x, graph)
    wanted = 0
    for k in range(3):  # groups of output channels, one for each hop
        group = slice(6 * k, 6 * (k + 1))
        wanted = wanted + np.einsum("ntvc,vw->ntwc", x @ kernel[:, group] + bias[group], graph[k])
    np.testing.assert_allclose(y, wanted, atol=1e-4)


def test_strides_of_the_released_networks():
    def strides(branch, main, streams):
        branches, mains = plan(branch, main, 4, streams)
        assert {block.stride for block in branches} == {1}
        return [block.stride for block in mains]

    assert strides((3, 64, 64, 32), (32, 128, 128, 256, 256), 1) == [2, 1, 2, 1]
    large = (32, 128, 128, 128, 256, 256, 256)
    assert strides((5, 64, 64, 32), large, 3) == [2, 1, 1, 2, 1, 1]
    assert strides((5, 64, 32), (32, 128, 256), 3) == [2, 2]
    with pytest.raises(DataError, match="model.branch ends with 32, but model.main starts with 64"):
        plan((5, 32), (64, 128), 4, 3)
