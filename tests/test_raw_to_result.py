"""From raw text files and a checkpoint to a result, against the recorded embeddings."""

import json

import numpy as np
import pytest

from converters import opengait
from gaitjax import evaluate, evaluation
from gaitjax.prepare import __main__ as prepare
from tests.helpers import torch_files
from tests.helpers.golden_weights import GOLDEN

ROWS = (  # identity, type, view of the three recorded sequences
    ("0004", "camid0_videoid1", "seq0"),
    ("0004", "camid2_videoid3", "seq0"),
    ("0007", "camid2_videoid3", "seq1"),
)


def write_raw(folder, poses):
    """A Gait3D sequence as released: two numbers, then x, y, confidence of 17 joints."""
    folder.mkdir(parents=True)
    for t, frame in enumerate(poses):
        numbers = [311.0, 438.0, *frame.ravel().tolist()]
        (folder / f"human_crop_f{9990 + t}.txt").write_text(",".join(map(repr, numbers)))


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_raw_gait3d_and_a_checkpoint_give_the_recorded_embeddings(tmp_path):
    golden = np.load(GOLDEN / "forward" / "gaittr_gait3d.npz")
    for row, key in enumerate(ROWS):
        write_raw(tmp_path.joinpath("raw", *key), golden[f"raw/{row}"])
    partition = tmp_path / "Gait3D.json"
    probes = ["-".join(ROWS[0])]
    partition.write_text(
        json.dumps(dict(TRAIN_SET=[], TEST_SET=["0004", "0007"], PROBE_SET=probes))
    )
    state = torch_files.opengait_state("gaittr_gait3d")
    statistics = "calibrated/bn/"
    state |= {k.removeprefix(statistics): golden[k] for k in golden if k.startswith(statistics)}
    released = torch_files.save(tmp_path / "released.pt", state, iteration=40_000)

    data, weights = tmp_path / "data", tmp_path / "weights.npz"
    where = ["--source", str(tmp_path / "raw"), "--output", str(data), "--workers", "1"]
    assert prepare.main(["gait3d", *where, "--partition", str(partition)]) == 0
    config = ["--config", "gaittr_gait3d"]
    arguments = ["--checkpoint", str(released), "--output", str(weights)]
    assert opengait.main(config + arguments) == 0
    arguments = ["--checkpoint", str(weights), "--workdir", str(tmp_path), "--save_embeddings"]
    fields = [f"--config.data.root={data}", f"--config.data.cache_dir={tmp_path / 'cache'}"]
    assert evaluate.main(config + arguments + ["--no-figures"] + fields) == 0

    found = np.load(tmp_path / "embeddings.npz")
    assert list(zip(found["labels"], found["types"], found["views"], strict=True)) == list(ROWS)
    recorded = np.concatenate([golden[f"calibrated/single{i}/embeddings_f64"] for i in range(3)])
    error = np.abs(found["embeddings"] - recorded).max(axis=(1, 2))
    assert (error < 1e-5 * np.abs(recorded).max(axis=(1, 2))).all()
    result = json.loads((tmp_path / "evaluation.json").read_text())
    truth = evaluation.evaluate("gait3d", recorded, *zip(*ROWS, strict=True), probe_set=probes)
    assert result["headline"] == truth["headline"]
