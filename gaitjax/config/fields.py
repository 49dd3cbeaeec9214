"""Every config field with its default and what it may hold.

This is the one place that lists fields: a config file or the command line may change them, an
unknown one is refused. What a network or a loss takes stands in its own signature
(`model.*`, `loss.*`); how fields have to fit each other stands in `gaitjax.config.check`.
"""

from typing import Any

from ml_collections import ConfigDict

from gaitjax.config.values import (
    Field,
    at,
    choice,
    flag,
    free,
    key_of,
    keys_of,
    number,
    numbers,
    probability,
    text,
    texts,
)
from gaitjax.errors import DataError

# The tables that define what names stand for.
MODELS = "gaitjax.models:MODELS"
NETWORK = "gaitjax.models:class_of"  # which knows those of other modules too
JOINTS = "gaitjax.skeleton:FORMATS"
SETS = "gaitjax.data.sets:SETS"
IMPUTATIONS = "gaitjax.data.poses:IMPUTE"
POSE_TRANSFORMS = "gaitjax.transforms.poses:POSE_TRANSFORMS"
IMAGE_TRANSFORMS = "gaitjax.transforms.images:IMAGE_TRANSFORMS"
LOSSES = "gaitjax.training.losses:LOSSES"
METRICS = "gaitjax.evaluation.distances:METRICS"
PROTOCOLS = "gaitjax.evaluation.protocols:PROTOCOLS"

MODALITIES = ("pose", "map", "pose+silhouette", "map+silhouette")


def _no_network(name: str) -> str:
    """What is wrong with the name of a network."""
    if ":" not in name:
        return key_of(MODELS, "").problem(name)
    try:
        at(NETWORK)(name)
    except DataError as error:
        return str(error)
    return ""


FIELDS: dict[str, Any] = dict(  # a Field, or a section of them
    seed=number(0),
    compat=flag(False),  # reproduce the reference's defects too (docs: compat switch)
    init_from=free(text("")),  # weights .npz or work directory to start from
    init_strict=free(flag(True)),  # False: load what fits by name and shape, list the rest
    # And the fields of the network: the attributes of its class.
    model=dict(
        name=Field("", _no_network, str),  # packaged, or module:Class
        joints=key_of(JOINTS, "coco"),  # joint format the network works on
        dtype=choice("float32", "bfloat16"),  # compute type; parameters and losses stay float32
    ),
    data=dict(
        # oumvlp, grew, ...; own; tfds:NAME for a set of tensorflow-datasets
        name=key_of(SETS, "", prefix="tfds:", empty=True),
        root=free(text("")),  # folder <id>/<type>/<view>/*.pkl
        partition=free(text("")),  # OpenGait's JSON; "" uses the data set's built-in rule
        links=free(choice("follow", "refuse")),  # symbolic links that lead out of `root`
        modality=choice(*MODALITIES),
        joints=key_of(JOINTS, "coco"),  # joint format of the files
        impute=key_of(IMPUTATIONS, "none"),  # missing joints, filled at packing
        impute_test=key_of(IMPUTATIONS, "", empty=True),  # "": the test set as `impute`
        # Poses before augmentation: neck at the origin, 225 high; oriented: and spine upright.
        normalise=choice("", "centred", "oriented"),
        # fit: size, place and confidence as in training; typical: any estimator's confidence too
        rescale=choice("", "fit", "typical"),
        cache_dir=free(text("")),  # packed poses; "" is ~/.cache/gaitjax
        device_budget_gb=free(number(4.0)),  # packed poses above this stay on the host
        image_cache_gb=free(number(4.0)),  # maps and silhouettes kept in host memory once read
    ),
    train=dict(
        steps=number(0),
        batch_size=number(0),  # over all devices and hosts
        per_identity=number(0),  # K of P x K sampling (P = batch_size / K); 0: uniform subset
        shuffle=flag(False),  # shuffle the P x K list
        clip=choice("ordered", "unordered"),
        frames=number(60, least=1),
        skip=number(0),  # ordered: choose `frames` of `frames + skip` consecutive ones
        two_views=flag(False),  # augment every clip twice (GaitGraph1)
        augment=flag(True),  # False: no random transform
        freeze=texts(),  # parameter path prefixes kept fixed
        clip_norm=number(0.0),  # gradient clipping by global norm; 0: off
        ema=number(0.0, below=1),  # decay of the average used for evaluation; 0: off
        log_every=free(number(50, least=1)),
        save_every=free(number(1000, least=1)),
        save_minutes=free(number(10.0)),  # also save after this long; 0: off
        keep=free(number(3, least=1)),  # checkpoints kept
        keep_best=free(text("")),  # evaluation metric whose best checkpoint is kept too
        eval_every=free(number(0)),  # 0: only at the end, if a test set exists
        remat=flag(False),  # keep products only for the backward pass, recompute the rest
        steps_per_dispatch=free(number(1, least=1)),  # in one program: less waiting on fast devices
    ),
    # Random transforms in order; each name in `order` has its strength below.
    augment=dict(
        order=keys_of(POSE_TRANSFORMS, IMAGE_TRANSFORMS),
        bodies=number(
            0.0
        ),  # log spread of limb lengths, for each person and batch; before all else
        flip_time=probability(0.0),  # per clip
        swap_sides=probability(0.0),  # per frame: exchange left and right joints
        mirror=probability(0.0),  # per clip: x -> 2 mean(x) - x
        joint_noise=number(0.0),  # standard deviation, pixels, per joint and clip
        point_noise=number(0.0),  # standard deviation, per joint, frame and channel
        move=numbers((0.0, 0.0), float, length=2),  # largest shift in x and y, pixels, per clip
        # Cameras: largest log factor of both axes, and of one against the other; per clip.
        stretch=numbers((0.0, 0.0), float, length=2),
        select=number(0),  # frames of a random sub-window
        perspective=probability(0.0),  # per clip (maps)
        horizontal_flip=probability(0.0),  # per clip (maps)
        rotate=probability(0.0),  # per clip (maps)
    ),
    loss={},  # name -> its parameters and weight; see gaitjax.training.losses
    optimizer=dict(
        name=choice("adam", "adamw", "sgd"),
        weight_decay=number(0.0),
        momentum=number(0.9, most=1),  # of sgd
    ),
    schedule=dict(
        name=choice("onecycle", "multistep"),
        lr=number(1e-3, above=0),  # peak (onecycle) or first (multistep) learning rate
        three_phase=flag(False),
        pct_start=number(0.3, above=0, below=1),
        div=number(25.0, above=0),
        final_div=number(1e4, above=0),
        milestones=numbers((), int),  # multistep: lr *= 0.1 at these steps
    ),
    eval=dict(
        batch_size=number(256, least=1),  # at most: a batch is bounded by its frames too
        memory_gb=number(0.0),  # for a batch on each device; 0: a quarter of its own, at most 4
        clip=choice("ordered", "all"),  # ordered: one window of `frames`; all: every frame
        frames=number(60, least=1),
        limit=number(0),  # all: at most this many first frames; 0: no limit
        select=number(0),  # centre sub-window after the window (GaitGraph1); 0: off
        window=choice("center", "random", "mean"),
        metric=key_of(METRICS, "euc"),
        half=flag(False),  # distances in float16, as the reference under mixed precision
        protocol=key_of(PROTOCOLS, "gallery_probe"),
        embedding=choice("embed_1", "embed_2"),
        gallery_types=texts(),
        probe_types=texts(),
    ),
)


def base() -> ConfigDict:
    """All fields, with defaults that hold unless a config says otherwise; locked."""
    return ConfigDict(_defaults(FIELDS)).lock()


def _defaults(fields: dict) -> dict:
    return {
        name: _defaults(field) if isinstance(field, dict) else field.default
        for name, field in fields.items()
    }


def field_at(key: str) -> Field | None:
    """The field of a dotted key; None for a network's or a loss's own."""
    found: Any = FIELDS
    for part in key.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found if isinstance(found, Field) else None


def free_keys() -> frozenset[str]:
    """Dotted keys of the fields that the runs of one work directory may set differently.

    Everything that only evaluation reads is among them.
    """
    return frozenset(
        f"{section}.{name}" if name else section
        for section, fields in FIELDS.items()
        for name, field in (fields.items() if isinstance(fields, dict) else [("", fields)])
        if field.free or section == "eval"
    )
