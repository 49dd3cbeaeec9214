"""More identities than classes, a single one, the same ones in training and test."""

import json

import numpy as np
import pytest

from gaitjax import config as configs
from gaitjax.errors import ConfigError
from gaitjax.train import main, train
from gaitjax.training.identities import check_identities, note_shared
from gaitjax.training.losses import LOSSES, PAIRWISE
from tests.helpers import tiny


def test_more_identities_than_classes_are_refused():
    config = configs.load("skeletongait_gait3d")
    config.model.classes = 3
    check_identities(config, np.array(["a", "b", "c", "a"]))
    with pytest.raises(ConfigError, match="model.classes=3.* has 4 .*--config.model.classes=4"):
        check_identities(config, np.array([*"abcd"]))


def test_one_identity_cannot_be_compared():
    assert set(PAIRWISE) <= set(LOSSES) and "cross_entropy" not in PAIRWISE
    for name in ("gaitgraph1_grew", "gaitgraph2_grew", "gaittr_grew", "skeletongait_gait3d"):
        with pytest.raises(ConfigError, match="one identity .*loss.(supcon|triplet).* two or more"):
            check_identities(configs.load(name), np.array(["a", "a"]))
    config = configs.load("skeletongait_gait3d")
    del config.unlock().loss.triplet
    check_identities(config, np.array(["a", "a"]))


def test_shared_identities_are_said():
    train_, test = np.array([*"abca"]), np.array([*"dd"])
    assert note_shared(train_, test) == ""
    assert "2 of the 3 test identities are trained on (a, b)" in note_shared(
        train_, np.array([*"abd"])
    )


def test_training_asks(tmp_path, capsys, quick):
    """Refused before anything is written; said where it is no mistake."""
    root = tmp_path / "walkers"
    config = tiny.config(tmp_path, "--config.train.steps=1")
    ids = json.loads((root / "partition.json").read_text())
    config.data.partition = str(tmp_path / "one.json")
    for trained, status in ((ids["TRAIN_SET"][:1], ConfigError), (ids["TEST_SET"], None)):
        with open(config.data.partition, "w") as file:
            json.dump({"TRAIN_SET": trained, "TEST_SET": ids["TEST_SET"]}, file)
        if status:
            with pytest.raises(status, match="one identity"):
                train(config, tmp_path / "out")
            assert not (tmp_path / "out").exists()
        else:
            train(config, tmp_path / "out")
            assert "4 of the 4 test identities are trained on" in capsys.readouterr().out
    arguments = tiny.arguments(tmp_path, f"--config.data.partition={tmp_path / 'lost.json'}")
    assert main(["--config", "gaitgraph2_walkers", "--workdir", str(tmp_path), *arguments]) == 1
