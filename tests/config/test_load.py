"""Config files by path and name, overrides, and configs stored with weights."""

import json

import pytest

from gaitjax.config import ConfigError, base, from_arguments, load, override_all, stored

MINE = """
from configs import common

def get_config():
    config = common.gaitgraph2("walkers", large=False)
    config.train.update({changes})
    return config
"""


def mine(folder, changes=""):
    path = folder / "mine.py"
    path.write_text(MINE.format(changes=changes))
    return str(path)


def test_a_file_anywhere_builds_on_the_packaged_configs(tmp_path):
    assert load(mine(tmp_path, "steps=3")).train.steps == 3


def test_a_name_with_or_without_its_folder():
    assert load("gaitgraph2_grew") == load("configs/gaitgraph2_grew.py")


def test_an_unknown_name_is_refused_with_the_nearest():
    with pytest.raises(ConfigError, match="no config 'gaitgraph2_grw'; did you mean gaitgraph2_g"):
        load("gaitgraph2_grw")


@pytest.mark.parametrize(
    "changes, expected",
    [
        ("stepz=3", "stepz"),
        ("clip='sorted'", "train.clip is 'sorted': did you mean ordered"),
        ("steps='many'", "mine.py: .*steps"),
    ],
)
def test_a_file_with_a_wrong_value_is_refused(tmp_path, changes, expected):
    with pytest.raises(ConfigError, match=expected):
        load(mine(tmp_path, changes))


def test_overrides_may_mend_a_file(tmp_path):
    config = from_arguments(mine(tmp_path, "per_identity=5"), ["--config.train.batch_size=10"])
    assert config.train.batch_size == 10


@pytest.mark.parametrize(
    "text, expected",
    [
        ("eval.gallery_types=00", ("00",)),
        ("eval.gallery_types=00,01", ("00", "01")),
        ("eval.gallery_types=('00', 'nm-01')", ("00", "nm-01")),
        ("eval.gallery_types=", ()),
        ("augment.move=3,1.5", (3, 1.5)),
        ("model.main=3,", (3,)),
        ("model.main=(3)", (3,)),
        ("eval.gallery_types=00,", ("00",)),
        ("model.input_centre=1", 1),
        ("model.input_centre=None", None),
        ("train.steps=1e3", 1000),
        ("schedule.lr=1", 1.0),
        ("train.shuffle=true", True),
    ],
)
def test_overrides_are_read_as_the_field_is(text, expected):
    config = override_all(load("gaitgraph2_walkers"), [f"--config.{text}"])
    section, _, name = text.partition("=")[0].partition(".")
    assert config[section][name] == expected


@pytest.mark.parametrize(
    "text, expected",
    [
        ("eval.clip=orderd", "eval.clip is 'orderd': did you mean ordered?"),
        ("eval.clp=all", "unknown config key eval.'clp': did you mean clip"),
        ("train.steps=1.5", "--config.train.steps=1.5: expected int"),
        ("augment.move=a,b", "--config.augment.move=a,b: expected tuple, as in a,b"),
        ("model.main=3;4", "--config.model.main=3;4: expected tuple, as in a,b"),
        ("model.input_centre=neck", "model.input_centre is 'neck': expected int"),
        ("eval.gallery_types=(0,)", r"eval.gallery_types is \(0,\): expected a tuple of str"),
        ("train=3", "--config.train is a section"),
    ],
)
def test_a_wrong_override_is_refused(text, expected):
    with pytest.raises(ConfigError, match=expected):
        override_all(load("gaitgraph2_walkers"), [f"--config.{text}"])


def as_stored(config) -> dict:
    return json.loads(config.to_json())


def test_what_was_stored_comes_back():
    config = load("gaitgraph1_casiab")
    assert stored(as_stored(config)).to_dict() == config.to_dict()


def test_a_field_since_then_gets_its_default():
    old = as_stored(load("gaitgraph2_walkers"))
    del old["train"]["ema"], old["compat"]
    assert stored(old).train.ema == base().train.ema == 0.0
    assert stored(old).compat is False


@pytest.mark.parametrize(
    "section, name, value, expected",
    [
        ("train", "stepz", 3, "unknown config key train.'stepz': did you mean steps"),
        ("train", "steps", "3", "train.steps is '3': expected int"),
        ("eval", "window", "centre", "eval.window is 'centre': did you mean center"),
        ("model", "depth", 3, "unknown config key model.'depth' of gaitgraph2"),
    ],
)
def test_a_stored_config_is_read_strictly(section, name, value, expected):
    config = as_stored(load("gaitgraph2_walkers"))
    config[section][name] = value
    with pytest.raises(ConfigError, match=expected):
        stored(config)
