"""`gaitjax.testing` finds each fault, and nothing in what is right."""

import json
import pickle
import re
from typing import ClassVar

import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from gaitjax.models.gaitgraph2 import GaitGraph2
from gaitjax.models.gaittr import GaitTR
from gaitjax.testing import check_data, check_network


class Good(nn.Module):
    """Mean over the real frames, then a matrix."""

    inputs: ClassVar = ("poses",)
    any_length: ClassVar = True
    dtype: str = "float32"

    @nn.compact
    def __call__(self, x, mask=None, train=False):
        x = x.reshape(*x.shape[:2], -1) / 100
        if mask is None:
            mask = jnp.ones(x.shape[:2], bool)
        mean = jnp.where(mask[..., None], x, 0).sum(axis=1) / mask.sum(axis=1, keepdims=True)
        y = nn.Dense(8, dtype=self.dtype)(mean).astype(jnp.float32)
        return {"embed_1": self.end(y)[..., None]}

    def end(self, y):
        return y


class Silent(Good):
    inputs: ClassVar = None


class Flat(Good):
    def __call__(self, x, mask=None, train=False):
        return {"embed_1": Good.__call__(self, x, mask, train)["embed_1"][..., 0]}


class Nameless(Good):
    def __call__(self, x, mask=None, train=False):
        return {"embedding": Good.__call__(self, x, mask, train)["embed_1"]}


class Mixing(Good):
    def end(self, y):
        return y - y.mean(axis=0) * 0.5


class Infinite(Good):
    def end(self, y):
        return jnp.sqrt(jnp.abs(y - y)) + y


class Stuck(Good):
    def end(self, y):
        return jnp.round(1e3 * y)


class Half(Good):
    def end(self, y):
        return y.astype(jnp.bfloat16)


class Padded(Good):
    @nn.compact
    def __call__(self, x, mask=None, train=False):
        return {"embed_1": nn.Dense(8)(x.reshape(*x.shape[:2], -1).mean(axis=1))[..., None]}


class Narrow(Good):
    def end(self, y):
        return y + self.param("leaf", nn.initializers.ones, (8,), jnp.bfloat16)


class View(Good):
    def embed(self, x, mask=None):
        return {"embed_1": 2 * self(x, mask)["embed_1"]}


class Broken(Good):
    @nn.compact
    def __call__(self, x, mask=None, train=False):
        return {"embed_1": x @ jnp.ones((5, 5))}


class Windows(Good):
    def __call__(self, x, mask=None, train=False):
        if mask is not None:
            raise ValueError("no masks here")
        return Good.__call__(self, x, mask, train)


@pytest.mark.parametrize(
    ("network", "finding"),
    [
        (Silent, r"inputs is None; declare a ClassVar"),
        (Flat, r"embed_1 has shape \(3, 8\) for 3 sequences; expected \(3, D, P\)"),
        (Nameless, r"a dict of embedding; expected a dict with embed_1"),
        (Mixing, r"embed_1 of a sequence depends on the others"),
        (Infinite, r"the gradient of Dense_0/\w+ is not finite"),
        (Stuck, r"no parameter gets a gradient"),
        (Half, r"embed_1 is bfloat16; return float32"),
        (Padded, r"embed_1 changes with the padding after 8 of 16 frames"),
        (Narrow, r"params/leaf is bfloat16; parameters and statistics stay float32"),
        (View, r"embed's embed_1 is not the call's"),
        (Broken, r"does not initialise on clips \(3, 16, 17, 3\): "),
        (Windows, r"any_length is True, but a padded batch with its mask fails: .*no masks here"),
    ],
)
def test_each_fault_of_a_network_is_found(network, finding, capsys):
    found = check_network(network())
    said = capsys.readouterr().out
    assert found and said.splitlines() == [f"{network.__name__}: {line}" for line in found]
    assert re.search(finding, said), said


@pytest.mark.parametrize(
    ("network", "views"),
    [
        (Good(), 1),
        (View(), 2),
        (GaitTR(widths=(10, 32, 32), embedding_dim=6), 1),
        (GaitGraph2(branch=(5, 8), main=(8, 16), embedding_dim=6), 1),
    ],
)
def test_nothing_is_found_where_all_is_well(network, views):
    assert check_network(network, views=views) == []


def folder(root, change=lambda poses: poses, sequences=2, test=("c", "d")):
    rng = np.random.default_rng(0)
    for label in {"a", "b", *test}:
        for view in range(sequences):
            place = root / label / "nm" / f"{view:03d}"
            place.mkdir(parents=True)
            poses = rng.uniform(size=(20, 17, 3)) * (100, 200, 1)
            (place / "0.pkl").write_bytes(pickle.dumps(change(poses).astype(np.float32)))
    partition = {"TRAIN_SET": ["a", "b"], "TEST_SET": list(test)}
    (root / "partition.json").write_text(json.dumps(partition))
    return root


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        (lambda p: p[:, :16], "4 of 4 files: cannot be used: .*16 joints; format coco"),
        (lambda p: p[..., :2], "cannot be used: .*shape"),
        (lambda p: p * (1, 1, 3), r"confidences outside \[0, 1\]: a/nm/000/0.pkl"),
        (lambda p: p * (1, 1, 0), "no joint has a confidence above 0"),
        (lambda p: p / (100, 200, 1), "expected pixels"),
        (lambda p: np.repeat(p[:1], 20, axis=0), "nothing moves"),
        (lambda p: p[:4], "fewer than 10 frames"),
        (lambda p: p + np.nan, "cannot be used: .*nan at frame 0"),
    ],
)
def test_each_fault_of_files_is_found(change, finding, tmp_path, capsys):
    check_data(folder(tmp_path, change))
    said = capsys.readouterr().out
    assert re.search(finding, said), said


def test_faults_of_a_folder_are_found(tmp_path):
    assert check_data(folder(tmp_path / "good")) == []
    one = check_data(folder(tmp_path / "one", test=("c",)))
    assert any("one identity only" in f for f in one)
    assert any("have one sequence" in f for f in check_data(folder(tmp_path / "s", sequences=1)))
    shared = check_data(folder(tmp_path / "shared", test=("b", "c")))
    assert any("train and test share 1 identities, such as b" in f for f in shared)
    (tmp_path / "s" / "partition.json").unlink()
    assert any("partition.json does not exist" in f for f in check_data(tmp_path / "s"))
    assert any("does not exist" in f for f in check_data(tmp_path / "nowhere"))
