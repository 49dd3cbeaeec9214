"""Every value of the twelve "plus" configs against the published recipes."""

import json
from pathlib import Path

import pytest

from gaitjax import models
from gaitjax.config import load, names

RECIPES = json.loads((Path(__file__).parents[1] / "golden" / "plus_recipes.json").read_text())
RECIPES = RECIPES["recipes"]
# The recipe's transform -> ours, and the name of its strength.
TRANSFORMS = {
    "MirrorPoses": ("mirror", "probability"),
    "FlipSequence": ("flip_time", "probability"),
    "InversePosesPre": ("swap_sides", "probability"),
    "RandomSelectSequence": ("select", "sequence_length"),
    "PointNoise": ("point_noise", "std"),
    "JointNoise": ("joint_noise", "std"),
}
INPUTS = ("SkeletonInput", "GaitGraph_MultiInput", "GaitTR_MultiInput")
PROTOCOLS = {
    "gait3d": "evaluate_Gait3D",
    "grew": "GREW_submission",
    "oumvlp": "evaluate_indoor_dataset",
    "casiab": "evaluate_indoor_dataset",
}


def our_name(theirs: str) -> str:
    model, *rest = theirs.replace("_phase1", "").split("_")
    return "_".join([model, (rest[0].lower() if rest[1:] else "casiab"), "plus"])


CONFIGS = {our_name(theirs): recipe for theirs, recipe in RECIPES.items()}


def flat(transforms: list) -> list[dict]:
    """The transforms in order, without the containers."""
    out = []
    for t in transforms:
        out += flat(t["trf_cfg"]) if "trf_cfg" in t else [t]
    return out


def test_every_recipe_has_a_config():
    assert sorted(CONFIGS) == [name for name in names() if name.endswith("_plus")]
    assert len(CONFIGS) == 12


@pytest.mark.parametrize("name", CONFIGS)
def test_network(name):
    model, theirs = load(name).model, CONFIGS[name]["model"]
    assert model.name == theirs["model"].lower()
    assert model.joints == theirs["joint_format"]
    assert model.embedding_dim == theirs["num_class"]
    if model.name == "gaittr":
        assert list(model.widths) == theirs["in_channels"]
    else:
        assert list(model.branch) == theirs["input_branch"]
        assert list(model.main) == theirs["main_stream"]
        assert model.reduction == theirs["reduction"]
        assert model.get("streams", 1 + 2 * (model.name == "gaitgraph2")) == theirs["input_num"]
        assert theirs["tta"] and theirs["block"] == "Bottleneck"
    if model.name != "gaitgraph1":
        centre = 1 if theirs["joint_format"] == "alphapose" else 0
        assert set(models.build(load(name)).centres.values()) == {centre}


@pytest.mark.parametrize("name", CONFIGS)
def test_sampling(name):
    train, theirs = load(name).train, CONFIGS[name]["train_sampler"]
    assert theirs["sample_type"] == "fixed_ordered" and train.clip == "ordered"
    assert train.frames == theirs["frames_num_fixed"]
    assert train.skip == theirs["frames_skip_num"]
    assert train.steps == CONFIGS[name]["steps"]
    if theirs["type"] == "RandomTripletSampler":
        # At most all 74 identities with all their 110 sequences: any of the training set.
        assert (theirs["P_max"], theirs["K_max"]) == (74, 110)
        assert (train.batch_size, train.per_identity) == (theirs["batch_size"], 0)
    else:
        p, k = theirs["batch_size"]
        assert (train.batch_size, train.per_identity) == (p * k, k)
        assert train.shuffle == theirs["batch_shuffle"]


@pytest.mark.parametrize("name", CONFIGS)
def test_transforms(name):
    config, theirs = load(name), CONFIGS[name]
    assert config.train.two_views == (theirs["train_transforms"][0]["type"] == "TwoView")
    chain = [t for t in flat(theirs["train_transforms"]) if t["type"] not in INPUTS]
    fill = [t for t in chain if t["type"] == "NormalizeEmpty"]
    assert config.data.impute == ("frame_mean" if fill else "none")
    chain = [t for t in chain if t not in fill]
    assert list(config.augment.order) == [TRANSFORMS[t["type"]][0] for t in chain]
    for transform in chain:
        ours, strength = TRANSFORMS[transform["type"]]
        assert config.augment[ours] == transform[strength], ours
    for ours, _ in TRANSFORMS.values():
        assert ours in config.augment.order or not config.augment[ours], f"{ours} is not used"


@pytest.mark.parametrize("name", CONFIGS)
def test_optimiser_and_schedule(name):
    config, theirs = load(name), CONFIGS[name]
    solver, schedule = theirs["optimizer"], theirs["schedule"]
    assert config.optimizer.name == solver["solver"].lower()
    assert config.optimizer.weight_decay == solver["weight_decay"]
    assert config.schedule.name == "onecycle" and schedule["scheduler"] == "OneCycleLR"
    assert config.schedule.lr == schedule["max_lr"] == solver["lr"]
    assert config.train.steps == schedule["total_steps"]
    assert config.schedule.three_phase == schedule.get("three_phase", False)
    assert config.schedule.pct_start == schedule.get("pct_start", 0.3)
    assert config.schedule.div == schedule.get("div_factor", 25)
    assert config.schedule.final_div == schedule.get("final_div_factor", 1e4)


@pytest.mark.parametrize("name", CONFIGS)
def test_loss(name):
    ours, theirs = load(name).loss, CONFIGS[name]["loss"]
    theirs = theirs[0] if isinstance(theirs, list) else theirs
    kind = {"SupConLoss_Re": "supcon_re", "SupConLoss_Lp": "supcon_lp", "TripletLoss": "triplet"}
    assert list(ours) == [kind[theirs["type"]]]
    (parameters,) = ours.values()
    assert parameters.get("weight", 1) == theirs.get("loss_term_weight", 1)
    assert parameters.get("temperature") == theirs.get("temperature")
    assert parameters.get("margin") == theirs.get("margin")
    assert parameters.get("hard", False) == theirs.get("is_hard_loss", False)


@pytest.mark.parametrize("name", CONFIGS)
def test_evaluation(name):
    config, theirs = load(name), CONFIGS[name]
    dataset = name.split("_")[1]
    assert theirs["protocol"] == PROTOCOLS[dataset]
    # A GREW submission cannot be scored here: the local split is the default.
    expected = {"grew": "grew_local"}.get(dataset, dataset)
    assert config.eval.protocol == expected
    assert config.eval.metric == theirs["metric"]
    sampler, chain = theirs["eval_sampler"], flat(theirs["eval_transforms"])
    if sampler["sample_type"] == "all_ordered":
        assert config.eval.clip == "all" and config.eval.limit == 0
    else:
        assert config.eval.clip == "ordered"
        assert config.eval.frames == sampler["frames_num_fixed"]
    centre = [t["sequence_length"] for t in chain if t["type"] == "SelectSequenceCenter"]
    assert config.eval.select == (centre[0] if centre else 0)
    filled = any(t["type"] == "NormalizeEmpty" for t in chain)
    found = config.data.impute_test or config.data.impute
    assert found == ("frame_mean" if filled else "none")
