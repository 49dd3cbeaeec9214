"""Every joint format through everything: reading, preparing, looking, drawing, networks, the API.

Formats that lack joints of COCO (eyes, ears) are refused where those are needed, by name.
"""

import json
import pickle

import jax
import numpy as np
import pytest

from gaitjax import models
from gaitjax.api import Model
from gaitjax.config import load
from gaitjax.data import readers
from gaitjax.errors import DataError
from gaitjax.evaluation.figures import skeleton_figure
from gaitjax.prepare import drawing, maps
from gaitjax.prepare.driver import Job
from gaitjax.prepare.sets import pickles
from gaitjax.skeleton import COCO, FORMATS, convert
from gaitjax.training import step
from tests.helpers import tiny_sets
from tests.skeleton.test_formats import WALK, in_format

LACKING = {"h36m", "kinect", "mpii", "posetrack"}  # no eyes


@pytest.mark.parametrize("name", FORMATS)
def test_reading(name, tmp_path):
    poses = in_format(FORMATS[name])
    results = [
        {"image_id": f"{t}.jpg", "keypoints": frame.ravel().tolist()}
        for t, frame in enumerate(poses)
    ]
    (tmp_path / "x.json").write_text(json.dumps(results))
    same = readers.read(tmp_path / "x.json", joints=name, source_joints=name, max_gap=0)
    np.testing.assert_allclose(same.poses, poses, rtol=1e-6)
    coco = readers.read(tmp_path / "x.json", source_joints=name, max_gap=0)
    expected = convert(FORMATS[name], COCO, partial=True)(poses)
    np.testing.assert_allclose(coco.poses, expected, rtol=1e-6)
    assert any(name in note for note in coco.notes) == (name in LACKING)


@pytest.mark.parametrize("name", FORMATS)
def test_preparing_and_maps(name, tmp_path):
    folder = tmp_path / "raw" / "a" / "b" / "c"
    folder.mkdir(parents=True)
    (folder / "c.pkl").write_bytes(pickle.dumps(in_format(FORMATS[name])[:3].astype(np.float32)))
    job, root = Job("a", "b", "c", ("a/b/c",)), str(tmp_path / "raw")
    for make in (
        lambda: pickles.make(job, root, "*.pkl", name, "coco"),
        lambda: maps.make(job, root, "*.pkl", name),
    ):
        if name in LACKING:
            with pytest.raises(DataError, match=f"{name} .*lacks .*left_eye, right_eye"):
                make()
        else:
            assert len(make().array) == 3


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("config", ["gaitgraph1_gait3d", "gaitgraph2_gait3d", "gaittr_gait3d"])
def test_networks(config, name):
    """Their shapes; one is trained below."""
    c = tiny_sets.shrink(load(config))
    c.data.joints = c.model.joints = name
    shapes = step.variable_shapes(c, models.build(c))
    assert jax.tree.leaves(shapes["params"])


@pytest.mark.parametrize("name", FORMATS)
def test_figures(name):
    poses = in_format(FORMATS[name])[:2]
    skeleton_figure({"walk": poses}, name).canvas.draw()
    assert drawing.sheet(poses, "walk", name)[:4] == b"\x89PNG"


def test_embedding_of_every_format():
    c = tiny_sets.shrink(load("gaitgraph2_gait3d"))
    network = models.build(c)
    variables = step.init_variables(c, network, jax.random.key(0), step.example_clips(c))
    model = Model(c, jax.device_get(variables))
    direct = model.embed([WALK])
    for name, fmt in FORMATS.items():
        if name in LACKING:
            with pytest.raises(DataError, match=f"{name} .*lacks .*left_eye, right_eye"):
                model.embed([in_format(fmt)], joints=name)
        else:
            np.testing.assert_array_equal(model.embed([in_format(fmt)], joints=name), direct)
