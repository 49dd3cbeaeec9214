"""The table of data sets is complete: what a record lacks fails here."""

import importlib

import pytest

from gaitjax import config as configs
from gaitjax.data import sets
from gaitjax.data.sets import SETS
from gaitjax.errors import DataError
from gaitjax.evaluation.protocols import PROTOCOLS
from gaitjax.prepare.__main__ import COMMANDS
from gaitjax.skeleton import FORMATS

PARTS = {"pose", "map", "silhouette"}


@pytest.mark.parametrize("name", SETS)
def test_every_record_is_whole(name):
    record = SETS[name]
    for field in ("title", "origin", "terms", "estimator", "partition_from"):
        assert getattr(record, field).strip(), f"{name}: no {field}"
    assert record.joints and set(record.joints.values()) <= set(FORMATS)
    assert "pose" in record.modalities and set(record.modalities) <= PARTS
    assert record.protocol in PROTOCOLS
    assert record.frame_rate is None or 5 <= record.frame_rate <= 120
    assert (record.preparation is None) == bool(record.made_by)
    if record.roles:
        assert name in PROTOCOLS and record.roles.gallery and record.roles.probes
        assert record.ranks[0] == 1
    if record.split:
        train, test = record.split([])
        assert not set(train) & set(test)
        assert name == "grew" or (len(train), len(test)) == record.identities
    assert "python -m gaitjax." in sets.how_to_get(name)


@pytest.mark.parametrize("name", [name for name, record in SETS.items() if record.preparation])
def test_every_preparation_has_its_module(name):
    preparation = SETS[name].preparation
    assert COMMANDS[preparation.command] is preparation and preparation.reads
    module = importlib.import_module(f"gaitjax.prepare.{preparation.module}")
    assert module.HELP and callable(module.add_arguments) and callable(module.plan)
    assert "example: python -m gaitjax.prepare " in module.HELP


@pytest.mark.parametrize("variant", [v for v in sets.VARIANTS if v != "own"])
def test_every_data_set_has_a_config(variant):
    """GaitGraph2 is there for all; it says what the record says."""
    record = SETS[sets.VARIANTS[variant]]
    config = configs.load(f"gaitgraph2_{variant}")
    assert config.data.name == sets.VARIANTS[variant]
    assert config.data.joints == record.joints[variant]
    assert config.eval.protocol.startswith(record.protocol.partition("_")[0])


def test_classifiers_have_a_class_for_each_training_identity():
    for name in configs.names():
        config = configs.load(name)
        if "classes" in config.model:
            assert config.model.classes == SETS[config.data.name].identities[0], name


def test_names():
    assert sets.get("tfds:grew") is sets.get("grew") is SETS["grew"]
    for unknown in ("casia-b", "tfds:own", "tfds:", ""):
        with pytest.raises(DataError, match="unknown data set"):
            sets.get(unknown)
