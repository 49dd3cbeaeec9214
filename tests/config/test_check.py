"""What a config may hold: each field, and how fields fit each other."""

import subprocess
import sys

import pytest

from gaitjax import config as configs
from gaitjax.config import ConfigError, fields, values
from gaitjax.config.check import check, check_training

ENUMERATED = {
    "model.name": ("gaitgraph", "model.name is 'gaitgraph': did you mean gaitgraph"),
    "model.joints": ("cocoa", "model.joints is 'cocoa': did you mean coco"),
    "model.dtype": ("float16", "did you mean bfloat16 or float32? Allowed: float32, bfloat16"),
    "data.name": ("gait3", "data.name is 'gait3': did you mean gait3d"),
    "data.modality": ("poses", "did you mean pose"),
    "data.links": ("folow", "did you mean follow? Allowed: follow, refuse"),
    "data.joints": ("bodies", "data.joints is 'bodies': "),
    "data.impute": ("knnn", "did you mean knn"),
    "data.impute_test": ("frame_median", "did you mean frame_mean"),
    "data.normalise": ("centered", "did you mean centred or oriented"),
    "data.rescale": ("fitt", "did you mean fit"),
    "train.clip": ("unorderd", "did you mean unordered"),
    "augment.order": (("flip_tim",), "augment.order is ('flip_tim',): did you mean flip_time"),
    "optimizer.name": ("adamW", "did you mean adam or adamw? Allowed: adam, adamw, sgd"),
    "schedule.name": ("onecicle", "did you mean onecycle"),
    "eval.clip": ("orderd", "did you mean ordered? Allowed: ordered, all"),
    "eval.window": ("centre", "did you mean center"),
    "eval.metric": ("cosine", "did you mean cos? Allowed: euc, cos"),
    "eval.protocol": ("gait3", "did you mean gait3d"),
    "eval.embedding": ("embed_3", "did you mean embed_"),
}
RANGES = {
    "seed": -1,
    "train.batch_size": -1,
    "train.ema": 1.0,
    "train.frames": 0,
    "train.log_every": 0,
    "train.keep": 0,
    "train.clip_norm": float("nan"),
    "augment.mirror": 1.5,
    "augment.move": (1.0, -1.0),
    "schedule.lr": 0.0,
    "schedule.pct_start": 1.0,
    "schedule.div": 0.0,
    "eval.batch_size": 0,
}


def config():
    return configs.load("gaitgraph2_walkers")


def put(config, key, value):
    *sections, name = key.split(".")
    node = config
    for section in sections:
        node = node[section]
    with node.ignore_type():
        node[name] = value
    return config


def every_field():
    for section, entries in fields.FIELDS.items():
        if isinstance(entries, values.Field):
            yield section, entries
        else:
            yield from ((f"{section}.{name}", field) for name, field in entries.items())


def test_every_enumerated_field_is_tried():
    """A field that refuses a word that nobody would use is enumerated, and stands above."""
    found = set()
    for key, field in every_field():
        word = ("~",) if isinstance(field.default, tuple) else "~"
        if field.kind is str and field.problem(word):
            found.add(key)
    assert found == set(ENUMERATED)


@pytest.mark.parametrize("key", ENUMERATED)
def test_a_wrong_word_is_refused_with_the_nearest(key):
    value, expected = ENUMERATED[key]
    with pytest.raises(ConfigError) as error:
        check(put(config(), key, value))
    assert str(error.value).startswith(f"{key} is {value!r}: ")
    assert expected in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("key", RANGES)
def test_a_number_out_of_range_is_refused(key):
    with pytest.raises(ConfigError, match=f"^{key} is .*: expected"):
        check(put(config(), key, RANGES[key]))


@pytest.mark.parametrize(
    "key, value, expected",
    [
        ("train.frames", 60.5, "train.frames is 60.5: expected int, as in 60"),
        ("train.frames", True, "train.frames is True: expected int"),
        ("train.shuffle", 1, "train.shuffle is 1: expected bool"),
        ("schedule.milestones", (1, 2.5), "expected a tuple of int"),
        ("eval.gallery_types", (0,), r"eval.gallery_types is \(0,\): expected a tuple of str"),
        ("model.reduction", "four", "model.reduction is 'four': expected int"),
        ("model.main", ("a",), "expected a tuple of int"),
        ("loss.supcon_lp.temperature", "low", "expected float"),
    ],
)
def test_a_value_of_another_type_is_refused(key, value, expected):
    with pytest.raises(ConfigError, match=expected):
        check(put(config(), key, value))


def test_a_whole_number_is_a_float():
    check(put(config(), "schedule.lr", 1))


@pytest.mark.parametrize(
    "name, changes, expected",
    [
        (
            "gaitgraph2_walkers",
            {"train.per_identity": 7},
            "train.batch_size=64 is not a multiple of train.per_identity=7",
        ),
        (
            "gaitgraph2_walkers",
            {"train.clip": "unordered", "train.skip": 4},
            "train.skip=4 needs train.clip=ordered",
        ),
        (
            "gaitgraph1_grew",
            {"train.frames": 16},
            "augment.select=16 must lie between 0 and train.frames=16",
        ),
        (
            "gaitgraph1_grew",
            {"eval.frames": 8},
            "eval.select=16 is more than eval.frames=8",
        ),
        ("gaitgraph2_walkers", {"data.modality": "map"}, "modality=map: gaitgraph2 takes pose$"),
        (
            "skeletongaitpp_grew",
            {"data.modality": "pose"},
            r"modality=pose: skeletongaitpp takes pose\+silhouette or map\+silhouette",
        ),
        (
            "skeletongait_gait3d",
            {"augment.order": ("perspective", "mirror")},
            "augment.order has mirror, but skeletongait takes maps",
        ),
        ("gaitgraph2_walkers", {"eval.clip": "all", "eval.window": "center"}, "of one length"),
        ("gaittr_grew", {"train.two_views": True}, "train.two_views=True .* loss.triplet"),
        (
            "skeletongait_gait3d",
            {"model.classes": 0},
            "model.classes=0: loss.cross_entropy needs the number of identities",
        ),
        (
            "gaittr_grew",
            {"loss": {"cross_entropy": {}}},
            "loss.cross_entropy needs a network with a class for each identity: gpgait, gpgaitpp, "
            "skeletongait, skeletongaitpp; model.name is gaittr$",
        ),
        (
            "gaittr_grew",
            {"model.input_centre": 17},
            r"model.input_centre=17: coco has the joints 0 \(nose\) to 16 \(right_ankle\)",
        ),
        (
            "gaitgraph2_walkers",
            {"schedule.milestones": (5, 10)},
            r"schedule.milestones=\(5, 10\) needs schedule.name=multistep, which is onecycle",
        ),
        (
            "skeletongait_gait3d",
            {"schedule.milestones": (10, 5)},
            r"schedule.milestones=\(10, 5\) must rise",
        ),
        ("gaittr_grew", {"schedule.pct_start": 0.6}, "schedule.pct_start=0.6 must be at most 0.5"),
        (
            "gaitgraph2_walkers",
            {"train.steps_per_dispatch": 3},
            "train.log_every=20 is not a multiple of train.steps_per_dispatch=3",
        ),
        ("gaittr_grew", {"eval.window": "mean"}, "eval.window=mean needs eval.clip=ordered"),
        ("gaitgraph2_walkers", {"eval.limit": 9}, "eval.limit=9 needs eval.clip=all"),
        (
            "gaitgraph2_gait3d",
            {"eval.gallery_types": ("00",)},
            r"eval.gallery_types=\('00',\): protocol gait3d takes none",
        ),
    ],
)
def test_fields_that_do_not_fit_each_other(name, changes, expected):
    changed = configs.load(name)
    for key, value in changes.items():
        put(changed, key, value)
    with pytest.raises(ConfigError, match=expected):
        check(changed)


def test_networks_and_losses_say_what_they_take():
    wrong = config()
    with wrong.unlocked():
        wrong.model.embeding_dim = 3
        wrong.loss.triplet = dict(margn=0.1)
        wrong.loss.tripled = dict(margin=0.1)
    with pytest.raises(ConfigError) as error:
        check(wrong)
    assert str(error.value).splitlines() == [
        "unknown config key model.'embeding_dim' of gaitgraph2: did you mean embedding_dim?",
        "unknown config key loss.'tripled': did you mean triplet?",
        "unknown config key loss.triplet.'margn': did you mean margin or hard?",
        "loss.triplet.margin is missing: triplet has no default for it",
    ]


def test_a_section_that_was_replaced_is_told():
    replaced = config()
    replaced.train = dict(steps=3)
    with pytest.raises(ConfigError, match="train.batch_size is missing: change sections with"):
        check(replaced)


def test_training_needs_more_than_evaluation():
    idle = config()
    idle.train.update(steps=0)
    check(idle)
    with pytest.raises(ConfigError, match="train.steps is 0: to train it must be positive"):
        check_training(idle)


@pytest.mark.parametrize("name", configs.names())
def test_every_shipped_config_passes(name):
    check_training(configs.load(name))


def test_importing_configs_costs_nothing():
    code = "import sys, gaitjax.config; print({'jax', 'flax', 'matplotlib'} & set(sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "set()"
