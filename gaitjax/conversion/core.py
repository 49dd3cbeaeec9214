"""PyTorch state dicts to variables of the Flax networks and back, on numpy arrays alone.

A network's rules (see `gaitjax.conversion.rules`) name every entry of its state dict. The check
is closed: every torch key is used, every leaf is filled, every shape agrees, or one
error lists all that is wrong.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import ml_dtypes
import numpy as np
from flax import traverse_util

from gaitjax.errors import DataError

Path = tuple[str, ...]
FLOATS = "fV"  # kinds of NumPy's floats, and of bfloat16


class Layout(NamedTuple):
    """How an array is laid out on either side; two functions that undo each other."""

    to_flax: Callable[[np.ndarray], np.ndarray]
    to_torch: Callable[[np.ndarray], np.ndarray]


SAME = Layout(lambda a: a, lambda a: a)
LINEAR = Layout(np.transpose, np.transpose)  # (out, in) <-> (in, out)
TEMPORAL = Layout(  # (out, in, width, 1) <-> (width, in, out)
    lambda a: np.squeeze(a, 3).transpose(2, 1, 0), lambda a: a.transpose(2, 1, 0)[..., None]
)
CONV2D = Layout(  # (out, in, h, w) <-> (h, w, in, out)
    lambda a: a.transpose(2, 3, 1, 0), lambda a: a.transpose(3, 2, 0, 1)
)
TEMPORAL3D = Layout(  # (out, in, width, 1, 1) <-> (width, in, out)
    lambda a: np.squeeze(a, (3, 4)).transpose(2, 1, 0),
    lambda a: a.transpose(2, 1, 0)[..., None, None],
)


def pointwise(axes: int) -> Layout:
    """1x1 convolution over `axes` axes: (out, in, 1, ...) <-> (in, out)."""
    return Layout(
        lambda a: np.squeeze(a, tuple(range(2, 2 + axes))).T,
        lambda a: a.T.reshape(a.shape[::-1] + (1,) * axes),
    )


def features(outer: int, inner: int) -> Layout:
    """Flat features, index outer * `inner` + inner in torch <-> inner * `outer` + outer."""
    return Layout(
        lambda a: a.reshape(outer, inner).T.reshape(-1),
        lambda a: a.reshape(inner, outer).T.reshape(-1),
    )


class Rule(NamedTuple):
    """One weight or running statistic: torch key, path of the leaf, layouts.

    Where several torch entries are one leaf, `part` is the place of this one in its first axes.
    """

    torch_key: str
    path: Path
    layout: Layout = SAME
    part: tuple[int, ...] = ()


class Buffer(NamedTuple):
    """A torch entry with no leaf here: written as `value`, and if `compared` checked against it."""

    torch_key: str
    value: np.ndarray
    compared: bool


def batch_norm(torch_key: str, path: Path, layout: Layout = SAME) -> list[Rule | Buffer]:
    """The five entries of a torch batch norm."""
    return [
        Rule(f"{torch_key}.weight", ("params", *path, "scale"), layout),
        Rule(f"{torch_key}.bias", ("params", *path, "bias"), layout),
        Rule(f"{torch_key}.running_mean", ("batch_stats", *path, "mean"), layout),
        Rule(f"{torch_key}.running_var", ("batch_stats", *path, "var"), layout),
        Buffer(f"{torch_key}.num_batches_tracked", np.array(0), compared=False),
    ]


def kernel(torch_key: str, path: Path, layout: Layout, bias: bool = True) -> list[Rule]:
    """Weight and, if there is one, bias of a convolution or linear layer."""
    rules = [Rule(f"{torch_key}.weight", ("params", *path, "kernel"), layout)]
    if bias:
        rules.append(Rule(f"{torch_key}.bias", ("params", *path, "bias")))
    return rules


def without_prefix(state_dict: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
    """`state_dict` without the `module.` that data-parallel training puts before every key."""
    if not all(key.startswith("module.") for key in state_dict):
        return state_dict
    return {key.removeprefix("module."): value for key, value in state_dict.items()}


def to_flax(
    state_dict: Mapping[str, np.ndarray], rules: Sequence[Rule | Buffer], template: Mapping
) -> dict:
    """Variables of the network from a torch state dict of numpy arrays.

    A `module.` prefix on every key (data-parallel training) is dropped; other float types
    become those of `template`, with a warning that says how many.

    Args:
      state_dict: torch key -> array.
      rules: of this network.
      template: variables, or `jax.eval_shape` of the network's init.

    Raises:
      DataError: lists every missing or unused key, unfilled leaf, shape that differs and
        adjacency that differs from ours by more than 1e-6.
    """
    state_dict = without_prefix(state_dict)
    leaves = traverse_util.flatten_dict(template)
    filled: dict[Path, np.ndarray] = {}
    problems: list[str] = []
    cast: dict[str, int] = {}

    for rule in rules:
        if rule.torch_key not in state_dict:
            if not isinstance(rule, Buffer):
                problems.append(f"missing torch key {rule.torch_key} (for {'/'.join(rule.path)})")
            continue
        value = np.asarray(state_dict[rule.torch_key])
        if isinstance(rule, Buffer):
            problems += _differs(rule, value)
            continue
        if rule.path not in leaves:
            problems.append(f"no leaf {'/'.join(rule.path)} for torch key {rule.torch_key}")
            continue
        leaf = leaves[rule.path]
        shape = leaf.shape[len(rule.part) :]
        wanted = rule.layout.to_torch(np.empty(shape, np.bool_)).shape
        array = filled.setdefault(rule.path, np.empty(leaf.shape, leaf.dtype))
        if value.shape != wanted:
            problems.append(
                f"{rule.torch_key} has shape {value.shape}; {'/'.join(rule.path)} needs {wanted}"
            )
            continue
        if value.dtype.kind not in FLOATS:
            problems.append(f"{rule.torch_key} is of type {value.dtype}; expected floats")
            continue
        if value.dtype != leaf.dtype:
            cast[value.dtype.name] = cast.get(value.dtype.name, 0) + 1
        array[rule.part] = rule.layout.to_flax(value)

    known = {rule.torch_key for rule in rules}
    problems += [f"unused torch key {key}" for key in state_dict if key not in known]
    ruled = {rule.path for rule in rules if isinstance(rule, Rule)}
    problems += [f"unfilled leaf {'/'.join(path)}" for path in leaves if path not in ruled]
    if problems:
        raise DataError(
            f"the state dict does not fit this network ({len(problems)} problems):\n  "
            + "\n  ".join(problems)
        )
    for name, number in cast.items():
        warnings.warn(f"{number} arrays of type {name} converted to float32", stacklevel=2)
    return traverse_util.unflatten_dict(filled)


def _differs(buffer: Buffer, value: np.ndarray) -> list[str]:
    if not buffer.compared:
        return []
    if value.shape != buffer.value.shape:
        return [f"{buffer.torch_key} has shape {value.shape}; ours is {buffer.value.shape}"]
    if value.dtype.kind not in FLOATS:
        return [f"{buffer.torch_key} is of type {value.dtype}; expected floats"]
    gap = np.abs(value.astype(np.float64) - buffer.value).max()
    if not gap <= max(1e-6, ml_dtypes.finfo(value.dtype).eps):
        return [f"{buffer.torch_key} differs from our adjacency by {gap:.3g}: another graph"]
    return []


def kept_buffers(
    state_dict: Mapping[str, np.ndarray], rules: Sequence[Rule | Buffer]
) -> dict[str, int | list]:
    """Values of the buffers that are not exactly ours, as JSON, for `to_torch` to write again."""
    state_dict = without_prefix(state_dict)
    return {
        rule.torch_key: value.tolist()
        for rule in rules
        if isinstance(rule, Buffer) and (value := state_dict.get(rule.torch_key)) is not None
        if (value.dtype, value.shape) == (rule.value.dtype, rule.value.shape)
        and not np.array_equal(value, rule.value)
    }


def to_torch(
    variables: Mapping, rules: Sequence[Rule | Buffer], buffers: Mapping[str, int | list] = {}
) -> dict[str, np.ndarray]:
    """The torch state dict of `variables`, every key of the reference included.

    Args:
      buffers: what `kept_buffers` kept, written instead of our values.

    Raises:
      DataError: lists leaves that no rule names or that are missing.
    """
    leaves = traverse_util.flatten_dict(variables)
    ruled = {rule.path for rule in rules if isinstance(rule, Rule)}
    problems = [f"no rule for leaf {'/'.join(path)}" for path in leaves if path not in ruled]
    problems += [f"missing leaf {'/'.join(path)}" for path in ruled if path not in leaves]
    if problems:
        raise DataError("the variables do not fit the rules:\n  " + "\n  ".join(problems))
    return {
        rule.torch_key: np.asarray(buffers.get(rule.torch_key, rule.value), rule.value.dtype)
        if isinstance(rule, Buffer)
        else np.ascontiguousarray(rule.layout.to_torch(np.asarray(leaves[rule.path])[rule.part]))
        for rule in rules
    }
