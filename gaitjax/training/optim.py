"""Schedules and optimisers with torch's semantics (specification section 8).

Step i, counted from 0, uses the schedule's value at i. Weight decay applies to every
parameter, batch norm and biases included.
"""

import jax
import jax.numpy as jnp
import optax

from gaitjax.errors import DataError
from gaitjax.training import vectors

BETA1 = (0.85, 0.95)  # OneCycle moves Adam's beta1 from high to low and back


def _cosine(start, end, fraction):
    return end + (start - end) * jnp.cos(jnp.pi / 2 * fraction) ** 2


def onecycle(config, steps: int):
    """Learning rate and beta1 of a OneCycle schedule over `steps` steps.

    Returns two functions of the step. Two phases: up until pct_start * steps - 1, down to
    lr / div / final_div at the last step. Three phases: up, symmetrically down to lr / div,
    then to the minimum.
    """
    peak, first = config.lr, config.lr / config.div
    last = first / config.final_div
    low, high = BETA1
    up = config.pct_start * steps - 1
    ends = [up, 2 * up, steps - 1] if config.three_phase else [up, steps - 1]
    lrs = [first, peak, first, last] if config.three_phase else [first, peak, last]
    betas = [high, low, high, high] if config.three_phase else [high, low, high]

    def interpolate(values, step):
        step = jnp.asarray(step, jnp.result_type(float))
        out, start = values[0], 0.0
        for i, end in enumerate(ends):
            fraction = jnp.clip((step - start) / (end - start), 0.0, 1.0)
            out = jnp.where(step >= start, _cosine(values[i], values[i + 1], fraction), out)
            start = end
        return out

    return lambda step: interpolate(lrs, step), lambda step: interpolate(betas, step)


def multistep(config):
    """Learning rate that falls to a tenth at each milestone."""

    def lr(step):
        passed = jnp.sum(jnp.asarray(step) >= jnp.asarray(config.milestones, jnp.int32))
        return config.lr * jnp.power(jnp.asarray(0.1, jnp.result_type(float)), passed)

    return lr


def schedule(config, steps: int):
    """(learning rate, beta1) as functions of the step; beta1 is None for multistep.

    Args:
      config: the `schedule` section of a config.
      steps: length of the whole training.
    """
    if config.name == "onecycle":
        return onecycle(config, steps)
    if config.name == "multistep":
        return multistep(config), None
    raise DataError(f"unknown schedule.name {config.name!r}; use onecycle or multistep")


def path_name(path) -> str:
    """`head_0/bn/scale` for a pytree path."""
    return "/".join(str(getattr(key, "key", getattr(key, "idx", key))) for key in path)


def trainable_mask(params, freeze: tuple[str, ...]):
    """Pytree of bools: False where the parameter's path begins with an entry of `freeze`.

    Raises DataError for an entry that matches nothing.
    """
    names = [path_name(p) for p, _ in jax.tree_util.tree_flatten_with_path(params)[0]]
    for prefix in freeze:
        if not any(name.startswith(prefix) for name in names):
            top = sorted({name.split("/")[0] for name in names})
            raise DataError(
                f"train.freeze entry {prefix!r} matches no parameter; "
                f"top-level names are: {', '.join(top)}"
            )
    return jax.tree_util.tree_map_with_path(
        lambda path, _: not path_name(path).startswith(tuple(freeze)), params
    )


def optimizer(config, params) -> optax.GradientTransformation:
    """The optimiser of a whole config, for parameters of the structure of `params`.

    adam couples weight decay into the gradient, adamw decouples it, sgd has momentum
    without dampening; all as torch does.
    """
    lr, beta1 = schedule(config.schedule, config.train.steps)
    decay = config.optimizer.weight_decay
    name = config.optimizer.name
    if name in ("adam", "adamw"):
        b1 = beta1 if beta1 is not None else 0.9
        scale = optax.inject_hyperparams(optax.scale_by_adam)(b1=b1, b2=0.999, eps=1e-8)
    elif name == "sgd":
        scale = optax.trace(decay=config.optimizer.momentum)
    else:
        raise DataError(f"unknown optimizer.name {name!r}; use adam, adamw or sgd")
    add_decay = optax.add_decayed_weights(decay)
    coupled = [scale, add_decay] if name == "adamw" else [add_decay, scale]
    chain = optax.chain(*coupled, optax.scale_by_learning_rate(lr))
    if config.train.clip_norm:
        chain = optax.chain(optax.clip_by_global_norm(config.train.clip_norm), chain)
    chain = vectors.together(chain)
    if config.train.freeze:
        mask = trainable_mask(params, tuple(config.train.freeze))
        labels = jax.tree.map(lambda train: "train" if train else "freeze", mask)
        chain = optax.multi_transform({"train": chain, "freeze": optax.set_to_zero()}, labels)
    return chain
