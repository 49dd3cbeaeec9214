"""Whether a config can work: its fields, their values, and how they fit each other.

What only the data, the devices or the files can tell is checked where these are opened.
"""

import dataclasses
import inspect
import typing
from collections.abc import Callable, Iterator

from ml_collections import ConfigDict

from gaitjax.config.fields import (
    FIELDS,
    IMAGE_TRANSFORMS,
    JOINTS,
    LOSSES,
    MODALITIES,
    MODELS,
    NETWORK,
    POSE_TRANSFORMS,
    PROTOCOLS,
)
from gaitjax.config.values import Field, at, is_a, nearest
from gaitjax.errors import ConfigError


def check(config: ConfigDict) -> None:
    """ConfigError for a config that cannot work: a line for each field that has to change."""
    problems = [*_fields(config), *_model(config.get("model", {})), *_loss(config.get("loss", {}))]
    problems = problems or [*_rules(config)]
    if problems:
        raise ConfigError("\n".join(problems))


def check_training(config: ConfigDict) -> None:
    """`check`, and what a config for evaluation alone may leave open."""
    check(config)
    for key in ("steps", "batch_size"):
        if config.train[key] <= 0:
            raise ConfigError(f"train.{key} is {config.train[key]}: to train it must be positive")
    if not config.loss:
        raise ConfigError(f"loss is empty: to train it must name one of {', '.join(at(LOSSES))}")


def problem_of(key: str, value: object, field: Field) -> str:
    """What is wrong with the value of a field, in one line; "" for nothing."""
    if isinstance(field.default, tuple):
        if not isinstance(value, tuple | list) or not all(is_a(v, field.kind) for v in value):
            return f"{key} is {value!r}: expected a tuple of {field.kind.__name__}"
        value = tuple(value)
    elif not is_a(value, field.kind):
        return f"{key} is {value!r}: expected {field.kind.__name__}, as in {field.default!r}"
    problem = field.problem(value)
    return f"{key} is {value!r}: {problem}" if problem else ""


def _fields(config: ConfigDict) -> Iterator[str]:
    """Sections and fields that are missing, unknown, or hold what they cannot."""
    yield from _compare("", config, FIELDS)
    for name, fields in FIELDS.items():
        if name not in config:
            continue
        section = config[name]
        if isinstance(fields, Field):
            yield from filter(None, [problem_of(name, section, fields)])
        elif not isinstance(section, ConfigDict):
            yield f"{name} is {section!r}: expected a section with fields"
        else:
            if name not in ("model", "loss"):  # open: see `_model` and `_loss`
                yield from _compare(f"{name}.", section, fields)
            found = [(key, section[key], field) for key, field in fields.items() if key in section]
            yield from filter(None, (problem_of(f"{name}.{k}", v, f) for k, v, f in found))


def _compare(prefix: str, section: ConfigDict, fields: dict) -> Iterator[str]:
    for key in section:
        if key not in fields:
            yield f"unknown config key {prefix}{key!r}: {nearest(key, fields)}"
    for key in fields:
        if key not in section:
            yield f"{prefix}{key} is missing: change sections with .update, so that the rest stays"


def _model(section: ConfigDict) -> Iterator[str]:
    """Fields that the network does not have, or that hold another type than there."""
    if FIELDS["model"]["name"].problem(section.get("name", "")):
        return  # said already
    network = at(NETWORK)(section.name)
    fields = {f.name: f for f in dataclasses.fields(network) if f.name != "parent"}
    for key in set(section) - set(FIELDS["model"]):
        if key not in fields:
            yield f"unknown config key model.{key!r} of {section.name}: {nearest(key, fields)}"
        elif section[key] is not None or fields[key].default is not None:
            if field := _of_network(fields[key]):
                yield from filter(None, [problem_of(f"model.{key}", section[key], field)])


def _of_network(attribute: dataclasses.Field) -> Field | None:
    """An attribute of a network as a field that takes every value of its type, if that is known."""
    default = attribute.default
    if default is None:  # open unless told, as `int | None`
        kinds = [kind for kind in typing.get_args(attribute.type) if kind is not type(None)]
        return Field(kinds[0](), lambda value: "", kinds[0]) if len(kinds) == 1 else None
    kind = type(default[0]) if isinstance(default, tuple) and default else type(default)
    return Field(default, lambda value: "", kind)


def _loss(section: ConfigDict) -> Iterator[str]:
    """Losses that do not exist, and parameters that they do not take or lack."""
    losses = at(LOSSES)
    for name, given in section.items():
        if name not in losses:
            yield f"unknown config key loss.{name!r}: {nearest(name, losses)}"
            continue
        parameters = _parameters(losses[name])
        for key, value in given.items():
            if key not in parameters:
                yield f"unknown config key loss.{name}.{key!r}: {nearest(key, parameters)}"
            elif not is_a(value, parameters[key].annotation):
                kind = parameters[key].annotation.__name__
                yield f"loss.{name}.{key} is {value!r}: expected {kind}"
        for key, parameter in parameters.items():
            if key not in given and parameter.default is parameter.empty:
                yield f"loss.{name}.{key} is missing: {name} has no default for it"


def _parameters(loss: Callable) -> dict[str, inspect.Parameter]:
    """What a config may give to a loss: all but its outputs and labels, and its weight."""
    _, _, *own = inspect.signature(loss).parameters.values()
    weight = inspect.Parameter(
        "weight", inspect.Parameter.KEYWORD_ONLY, default=1.0, annotation=float
    )
    return {parameter.name: parameter for parameter in (*own, weight)}


def _rules(config: ConfigDict) -> Iterator[str]:
    """Fields that do not fit each other."""
    if not config.model.name:
        yield f"model.name is empty: {nearest('', at(MODELS))}"
    else:
        yield from _input_rules(config, at(NETWORK)(config.model.name))
    yield from _centre_rules(config.model)
    yield from _sampling_rules(config)
    yield from _loss_rules(config)
    yield from _schedule_rules(config.schedule)
    yield from _evaluation_rules(config.eval)


def _input_rules(config: ConfigDict, network: type) -> Iterator[str]:
    """What the network declares that it takes, against what it would be given."""
    name, inputs = config.model.name, getattr(network, "inputs", None)
    if inputs is None:
        yield f"model.name={name}: the network does not declare its `inputs`; see gaitjax.models"
        return
    of_poses = inputs == ("poses",)
    fitting = [m for m in MODALITIES if ("silhouette" in m) == ("silhouettes" in inputs)]
    fitting = [m for m in fitting if not of_poses or m == "pose"]
    if config.data.modality not in fitting:
        yield f"data.modality={config.data.modality}: {name} takes {' or '.join(fitting)}"
    transforms = at(POSE_TRANSFORMS if of_poses else IMAGE_TRANSFORMS)
    for wrong in (t for t in config.augment.order if t not in transforms):
        kind = "poses" if of_poses else "maps"
        yield f"augment.order has {wrong}, but {name} takes {kind}: {nearest(wrong, transforms)}"
    if config.augment.bodies and "pose" not in config.data.modality.split("+"):
        yield (
            f"augment.bodies={config.augment.bodies}: it changes poses, and "
            f"data.modality={config.data.modality} has none; set data.modality=pose"
        )
    if config.train.two_views and not of_poses:
        yield f"train.two_views=True: views are made of poses, and {name} takes maps"
    if config.eval.clip == "all" and not getattr(network, "any_length", False):
        yield f"eval.clip=all: {name} takes windows of one length; use eval.clip=ordered"


def _centre_rules(model: ConfigDict) -> Iterator[str]:
    joints = at(JOINTS)[model.joints].joints
    for key in ("input_centre", "tta_centre"):
        index = model.get(key)
        if index is not None and not 0 <= index < len(joints):
            yield (
                f"model.{key}={index}: {model.joints} has the joints 0 ({joints[0]}) to "
                f"{len(joints) - 1} ({joints[-1]}); None takes the format's own"
            )


def _sampling_rules(config: ConfigDict) -> Iterator[str]:
    train, augment = config.train, config.augment
    if train.per_identity and train.batch_size % train.per_identity:
        yield (
            f"train.batch_size={train.batch_size} is not a multiple of "
            f"train.per_identity={train.per_identity}"
        )
    if train.skip and train.clip != "ordered":
        yield f"train.skip={train.skip} needs train.clip=ordered, which is {train.clip}"
    if "select" in augment.order and not 0 < augment.select < train.frames:
        yield (
            f"augment.select={augment.select} must lie between 0 and "
            f"train.frames={train.frames}, of which it takes a part"
        )
    for key in ("log_every", "save_every", "eval_every"):
        if train[key] % train.steps_per_dispatch:
            yield (
                f"train.{key}={train[key]} is not a multiple of train.steps_per_dispatch="
                f"{train.steps_per_dispatch}: nothing happens inside a dispatch"
            )


def _loss_rules(config: ConfigDict) -> Iterator[str]:
    two_views = at("gaitjax.training.losses:OF_TWO_VIEWS")
    if config.train.two_views:
        for name in sorted(set(config.loss) - set(two_views)):
            yield (
                f"train.two_views=True doubles the batch, which loss.{name} does not know: "
                f"only {', '.join(two_views)} does"
            )
    own = ":" in config.model.name
    if "cross_entropy" in config.loss and not own and not _has_logits(config.model.name):
        fitting = ", ".join(name for name in at(MODELS) if _has_logits(name))
        yield (
            f"loss.cross_entropy needs a network with a class for each identity: {fitting}; "
            f"model.name is {config.model.name}"
        )
    elif "cross_entropy" in config.loss and config.model.get("classes", 1) <= 0:
        yield (
            f"model.classes={config.model.classes}: loss.cross_entropy needs the number of "
            "identities that train"
        )


def _has_logits(network: str) -> bool:
    return "classes" in at(NETWORK)(network).__dataclass_fields__


def _schedule_rules(schedule: ConfigDict) -> Iterator[str]:
    milestones = tuple(schedule.milestones)
    if schedule.name != "multistep" and milestones:
        yield (
            f"schedule.milestones={milestones} needs schedule.name=multistep, which is "
            f"{schedule.name}; or set schedule.milestones=()"
        )
    if list(milestones) != sorted(set(milestones)):
        yield f"schedule.milestones={milestones} must rise"
    if schedule.name == "onecycle" and schedule.three_phase and schedule.pct_start > 0.5:
        yield (
            f"schedule.pct_start={schedule.pct_start} must be at most 0.5 with "
            "schedule.three_phase: two phases of that length come before the last"
        )


def _evaluation_rules(section: ConfigDict) -> Iterator[str]:
    if section.clip == "all":
        for key, off in (("window", "center"), ("select", 0)):
            if section[key] != off:
                yield (
                    f"eval.{key}={section[key]} needs eval.clip=ordered: "
                    "whole sequences (all) have no window"
                )
    else:
        if section.limit:
            yield f"eval.limit={section.limit} needs eval.clip=all: a window has eval.frames"
        if section.select > section.frames:
            yield f"eval.select={section.select} is more than eval.frames={section.frames}"
    taken = inspect.signature(at(PROTOCOLS)[section.protocol])
    for key in ("gallery_types", "probe_types"):
        if section[key] and key not in taken.parameters:
            yield f"eval.{key}={tuple(section[key])}: protocol {section.protocol} takes none"
