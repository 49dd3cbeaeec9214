"""What is wrong with a network or a data folder of your own, in a few lines.

    check_network(MyNetwork())      check_data("DIR", joints="coco")

Each prints its findings and returns them; an empty list says that nothing was found.
"""

from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn
from flax.traverse_util import flatten_dict

from gaitjax import models
from gaitjax.data import listing, partitions
from gaitjax.data import poses as sequences
from gaitjax.errors import DataError
from gaitjax.skeleton import joint_format
from gaitjax.untrusted import safe_pickle

TOLERANCE = 1e-3  # of the largest value: rounding differs between programs


def check_network(
    network: nn.Module, joints: str = "coco", frames: int = 16, views: int = 1
) -> list[str]:
    """Run a network on random clips and say where it does not do what training relies on.

    It initialises, in float32; gives `embed_1` and `logits` of the right shapes; has finite
    gradients; embeds a sequence alone as in a batch, and a padded one as without its padding;
    computes in bfloat16, if it has a field `dtype`.

    Args:
      network: an instance, as `config.model` would make it.
      joints: format of the poses it takes.
      frames: of the clips; 3 sequences are run.
      views: test-time views that its `embed`, if it has one, averages.
    """
    found = list(_faults(network, joints, frames, views))
    return _said(f"{type(network).__name__}: ", found)


def _faults(network: nn.Module, joints: str, frames: int, views: int):
    inputs = getattr(network, "inputs", None)
    if inputs not in models.INPUTS:
        yield f"inputs is {inputs!r}; declare a ClassVar, one of {models.INPUTS}"
        return
    x = _clips(inputs, joints, frames)
    try:
        variables = models.init(network, jax.random.key(0), x)
    except Exception as error:
        yield f"does not initialise on clips {x.shape}: {_line(error)}"
        return
    for path, leaf in flatten_dict(variables, sep="/").items():
        if leaf.dtype != jnp.float32:
            yield f"{path} is {leaf.dtype}; parameters and statistics stay float32"
        elif not jnp.isfinite(leaf).all():
            yield f"{path} does not start finite"
    try:
        outputs = jax.jit(network.apply)(variables, x)
    except Exception as error:
        yield f"cannot be called as (x, mask=None, train=False): {_line(error)}"
        return
    if wrong := list(_shapes(outputs, len(x))):
        yield from wrong
        return
    yield from _training(network, variables, x)
    yield from _embedding(network, variables, x, outputs, views)
    if getattr(network, "any_length", False):
        yield from _padding(network, variables, x)
    if hasattr(network, "dtype"):
        yield from _half(network.clone(dtype="bfloat16"), variables, x)


def _clips(inputs: tuple[str, ...], joints: str, frames: int) -> jax.Array:
    """3 random clips: poses as pixels, or maps, (and silhouettes) in [0, 1]."""
    rng = np.random.default_rng(0)
    if inputs == ("poses",):
        shape = (3, frames, joint_format(joints).num_joints, 3)
        return jnp.asarray(rng.uniform(size=shape) * (100, 200, 1), jnp.float32)
    return jnp.asarray(rng.uniform(size=(3, frames, 64, 44, len(inputs) + 1)), jnp.float32)


def _shapes(outputs, n: int):
    if not isinstance(outputs, dict) or "embed_1" not in outputs:
        yield f"gives {_kind(outputs)}; expected a dict with embed_1 (N, D, P)"
        return
    for name, value in outputs.items():
        if name != "logits" and not name.startswith("embed_"):
            yield f"gives {name}; known are embed_1, embed_2, ... (N, D, P) and logits (N, C, P)"
        elif value.ndim != 3 or len(value) != n:
            yield f"{name} has shape {value.shape} for {n} sequences; expected ({n}, D, P)"
        elif value.dtype != jnp.float32:
            yield f"{name} is {value.dtype}; return float32"
        elif not jnp.isfinite(value).all():
            yield f"{name} is not finite on random clips"


def _training(network: nn.Module, variables: dict, x: jax.Array):
    def loss(params):
        outputs, changed = network.apply(
            {**variables, "params": params},
            x,
            train=True,
            mutable=["batch_stats"],
            rngs={"dropout": jax.random.key(1)},
        )
        weights = jnp.arange(1.0, 1 + len(x))[:, None, None]  # a sum of ones can be constant
        return sum((weights * jnp.square(v)).sum() for v in outputs.values()), changed

    try:
        grads, _ = jax.jit(jax.grad(loss, has_aux=True))(variables["params"])
    except Exception as error:
        yield f"cannot be trained (train=True): {_line(error)}"
        return
    flat = flatten_dict(grads, sep="/")
    yield from (
        f"the gradient of {path} is not finite"
        for path, grad in flat.items()
        if not jnp.isfinite(grad).all()
    )
    if flat and not any(grad.any() for grad in flat.values()):
        yield "no parameter gets a gradient"


def _embedding(network, variables, x, outputs, views: int):
    """Evaluation: test-time views, and sequences that do not mix."""
    embed = jax.jit(lambda x: models.embed(network, variables, x))
    try:
        together = embed(x)
    except Exception as error:
        yield f"embed(x, mask=None) fails: {_line(error)}"
        return
    for name, value in together.items():
        if value.ndim != 3 or len(value) != len(x):
            yield f"embed gives {name} of shape {value.shape}; expected ({len(x)}, D, P)"
            return
        first = value[:, : outputs[name].shape[1]] if name in outputs else value
        if views == 1 and name in outputs and _differ(first, outputs[name]):
            yield f"embed's {name} is not the call's; if it averages test-time views, say views="
    alone = embed(x[:1])
    for name, value in alone.items():
        if _differ(value, together[name][:1]):
            yield f"{name} of a sequence depends on the others in its batch (train=False)"


def _padding(network: nn.Module, variables: dict, x: jax.Array):
    lengths = np.array([x.shape[1], max(1, x.shape[1] // 2), 1])
    mask = jnp.asarray(np.arange(x.shape[1]) < lengths[:, None])
    junk = jnp.where(mask.reshape(*mask.shape, *[1] * (x.ndim - 2)), x, 1e3)
    try:
        padded = models.embed(network, variables, junk, mask)
        for i, length in enumerate(lengths):
            alone = models.embed(network, variables, x[i : i + 1, :length])
            for name, value in alone.items():
                if _differ(value, padded[name][i : i + 1]):
                    yield f"{name} changes with the padding after {length} of {x.shape[1]} frames"
    except Exception as error:
        yield f"any_length is True, but a padded batch with its mask fails: {_line(error)}"


def _half(network: nn.Module, variables: dict, x: jax.Array):
    try:
        params = jax.eval_shape(network.init, jax.random.key(0), x)
        outputs = jax.jit(network.apply)(variables, x)
    except Exception as error:
        yield f"does not run with dtype=bfloat16: {_line(error)}"
        return
    if any(leaf.dtype != jnp.float32 for leaf in jax.tree.leaves(params)):
        yield "with dtype=bfloat16 parameters are not float32"
    for name, value in outputs.items():
        if value.dtype != jnp.float32 or not jnp.isfinite(value).all():
            yield f"with dtype=bfloat16 {name} is {value.dtype}, or not finite; return float32"


def check_data(root: str | Path, joints: str = "coco", name: str = "own") -> list[str]:
    """Read a folder of poses, <id>/<type>/<view>/*.pkl, and say what is wrong or doubtful.

    Args:
      joints: format of the files.
      name: of the data set, see `gaitjax.data.sets`.
    """
    place = SimpleNamespace(name=name, root=str(root), partition="", links="follow")
    found: list[str] = []
    splits = {}
    for side in ("train", "test"):
        try:
            splits[side] = listing.scan(partitions.open_split(place, side))
        except DataError as error:
            if str(error) not in found:
                found.append(str(error))
    for side, listed in splits.items():
        found += _identities(side, Counter(listed.labels.tolist()))
        found += _sequences(name, listed, joints)
    if len(splits) == 2 and (both := set(splits["train"].labels) & set(splits["test"].labels)):
        found.append(f"train and test share {len(both)} identities, such as {min(both)}")
    return _said(f"{root}: ", found)


def _identities(side: str, counts: Counter) -> list[str]:
    found = []
    if len(counts) == 1:
        found.append(f"{side}: one identity only; nothing can be told apart")
    single = sorted(label for label, count in counts.items() if count == 1)
    if single:
        found.append(
            f"{side}: {len(single)} of {len(counts)} identities have one sequence, such as "
            f"{single[0]}; a match needs two"
        )
    return found


def _sequences(name: str, listed: listing.Listing, joints: str) -> list[str]:
    """Faults of the files, each kind once, with the number of files and the first."""
    kinds: dict[str, list[str]] = {}
    for files in listed.files:
        try:
            path = listing.pose_file(name, files, "pose")
            poses = sequences.checked(
                safe_pickle.load(listed.root / path), path, joint_format(joints)
            )
        except DataError as error:
            reason = str(error)
            kinds.setdefault("cannot be used", []).append(reason)
            continue
        for kind in _doubts(poses):
            kinds.setdefault(kind, []).append(path)
    return [f"{len(where)} of {len(listed.files)} files: {kind}: {where[0]}" for kind, where in
            kinds.items()]  # fmt: skip


def _doubts(poses: np.ndarray):
    xy, confidence = poses[..., :2], poses[..., 2]
    seen = confidence > 0
    if confidence.min() < 0 or confidence.max() > 1:
        yield "confidences outside [0, 1]"
    if not seen.any():
        yield "no joint has a confidence above 0"
    elif np.abs(xy[seen]).max() <= 2:
        yield "coordinates within [-2, 2]; expected pixels"
    elif len(poses) > 1 and np.ptp(xy[seen.all(axis=1)], axis=0).max(initial=0) == 0:
        yield "nothing moves: every frame is the same"
    if len(poses) < 10:
        yield "fewer than 10 frames; a window repeats them"


def _differ(ours: jax.Array, wanted: jax.Array) -> bool:
    if ours.shape != wanted.shape:
        return True
    scale = max(float(jnp.abs(wanted).max()), 1e-12)
    return not float(jnp.abs(ours - wanted).max()) <= TOLERANCE * scale


def _kind(value) -> str:
    return f"a dict of {', '.join(value)}" if isinstance(value, dict) else type(value).__name__


def _line(error: Exception) -> str:
    text = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {text}"[:200]


def _said(prefix: str, found: list[str]) -> list[str]:
    for line in found:
        print(prefix + line)
    return found
