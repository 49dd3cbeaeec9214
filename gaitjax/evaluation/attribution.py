"""Which joints and frames a right answer rests on: integrated gradients.

Sundararajan et al., "Axiomatic Attribution for Deep Networks" (ICML 2017). What is attributed is
the similarity, minus the protocol's distance, of a walk to the nearest other walk of the same
person. The path begins at a still body of average form that stands where the walker is, as large
as he is; so the attributions of all joints and frames add up to what this walker's form and motion
make more similar than those of nobody in particular.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from gaitjax import progress
from gaitjax.data import familiar, sampling
from gaitjax.evaluation import probes
from gaitjax.evaluation.distances import distance_matrix
from gaitjax.evaluation.trial import Trial
from gaitjax.skeleton import JointFormat, bones, joint_format
from gaitjax.training import step

NODES = 32  # of the quadrature along the path
PAIRS = 4  # people who are looked at
FRAMES = 60  # of each walk, where the network takes any number


class Attribution(NamedTuple):
    """What the similarity of one walk to another is made of.

    Attributes:
      probe, match: the two, as label-type-view.
      poses: (T, V, 3) of the probe, the frames looked at.
      values: (T, V), adding up to `similarity - baseline` but for the quadrature's error.
      similarity: minus the distance between the two.
      baseline: that of the still average body.
    """

    probe: str
    match: str
    poses: np.ndarray
    values: np.ndarray
    similarity: float
    baseline: float

    @property
    def error(self) -> float:
        """How far the values add up to another number, as a share of it."""
        wanted = self.similarity - self.baseline
        return abs(float(self.values.sum()) - wanted) / max(abs(wanted), 1e-12)


def integrated(
    slope: Callable[[jax.Array], tuple[jax.Array, jax.Array]],
    x: np.ndarray,
    start: np.ndarray,
    nodes: int = NODES,
) -> tuple[np.ndarray, float, float]:
    """Integrated gradients of a number on the straight path from `start` to `x`.

    Args:
      slope: x -> the number and its gradient.
      nodes: of the Gauss-Legendre quadrature.

    Returns:
      attributions of x's shape; the number at x and at the start.
    """
    places, weights = np.polynomial.legendre.leggauss(nodes)
    total = np.zeros(x.shape)
    for place, weight in zip((places + 1) / 2, weights / 2, strict=True):
        total += weight * np.asarray(slope(jnp.asarray(start + place * (x - start), x.dtype))[1])
    ends = (float(slope(jnp.asarray(end))[0]) for end in (x, start))
    return total * (x - start), *ends


def of_trial(
    trial: Trial, variables: dict, embeddings: np.ndarray, limit: int = PAIRS
) -> list[Attribution]:
    """Attributions of one walk of each of the first `limit` people who have two.

    Args:
      embeddings: (S, D, P) of the test set.
    """
    config, fmt = trial.config, joint_format(trial.config.model.joints)
    made, name, metric = (
        step.make_embed(config, trial.model),
        config.eval.embedding,
        config.eval.metric,
    )

    def similarity(xy: jax.Array, confidence: jax.Array, other: jax.Array, variables: dict):
        clips = {"poses": jnp.concatenate([xy, confidence], axis=-1)[None]}
        return -_distance(made(variables, None, clips)[name][0], other, metric)

    slope = jax.jit(jax.value_and_grad(similarity))
    pairs = list(true_pairs(trial, embeddings, limit))
    rows = [probe for probe, _ in pairs]
    work = zip(pairs, _clips(trial, rows), _mean_forms(trial, rows), strict=True)
    results = []
    for (probe, match), clip, form in progress.each(work, len(pairs), "attributing", "pairs"):
        fixed = jnp.asarray(clip[..., 2:]), jnp.asarray(embeddings[match]), variables

        def at(xy: jax.Array, fixed: tuple = fixed) -> tuple[jax.Array, jax.Array]:
            return slope(xy, *fixed)

        values, similar, baseline = integrated(at, clip[..., :2], still(clip, form, fmt)[..., :2])
        keys = (trial.key(probe), trial.key(match))
        results.append(Attribution(*keys, clip, values.sum(axis=-1), similar, baseline))
    return results


def still(poses: np.ndarray, form: np.ndarray, fmt: JointFormat) -> np.ndarray:
    """A body of one form in every frame, where the walker (T, V, 3) is and as large.

    Args:
      form: (V, 2) from the middle of the hips, in body heights, see `probes.mean_pose`.
    """
    hips = bones.middles(fmt)[1]
    height = np.nan_to_num(familiar.look(poses)["height"])
    xy = poses[:, hips, :2].mean(axis=1, keepdims=True) + height * form
    missed = (poses[..., :2] == 0).all(axis=-1, keepdims=True)
    xy = np.where(missed, 0, xy)
    return np.concatenate([xy, poses[..., 2:]], axis=-1).astype(np.float32)


def true_pairs(trial: Trial, embeddings: np.ndarray, limit: int) -> Iterator[tuple[int, int]]:
    """Rows of a walk and of the nearest other walk of the same person.

    Of another type where there is one, from `eval.gallery_types` if set, and from another view.
    One pair a person, their walks in turn from the first to the last, so that views differ.
    """
    feed, e = trial.feed, trial.config.eval
    gallery = (
        np.isin(feed.types, e.gallery_types) if e.gallery_types else np.ones(len(feed.types), bool)
    )
    found = 0
    for label in np.unique(feed.labels):
        own = feed.labels == label
        asked = np.flatnonzero(own & ~gallery if e.gallery_types else own)
        if found == limit or not len(asked):
            continue
        probe = int(asked[(2 * found + 1) * len(asked) // (2 * limit)])
        right = own & gallery & (np.arange(len(own)) != probe)
        for better in (feed.types != feed.types[probe], feed.views != feed.views[probe]):
            right = right & better if (right & better).any() else right
        if not right.any():
            continue
        rows = np.flatnonzero(right)
        distance = distance_matrix(embeddings[[probe]], embeddings[rows], e.metric)[0]
        found += 1
        yield probe, int(rows[distance.argmin()])


def _distance(x: jax.Array, y: jax.Array, metric: str) -> jax.Array:
    """The protocols' distance between two embeddings (D, P), with a gradient."""
    if metric == "cos":
        lengths = jnp.linalg.norm(x, axis=0) * jnp.linalg.norm(y, axis=0)
        return 1 - ((x * y).sum(axis=0) / jnp.maximum(lengths, 1e-12)).mean()
    return jnp.sqrt(jnp.maximum(((x - y) ** 2).sum(axis=0), 1e-24)).mean()


def _clips(trial: Trial, rows: list[int]) -> list[np.ndarray]:
    """The middle frames of sequences, (T, V, 3), T the same for all."""
    feed, e = trial.feed, trial.config.eval
    lengths = feed.lengths[rows]
    if e.clip == "ordered":
        starts = sampling.eval_starts(lengths, e.frames, "center", 0)[:, 0]
        starts, frames = (
            starts + ((e.frames - e.select) // 2 if e.select else 0),
            e.select or e.frames,
        )
    else:
        frames = int(min(FRAMES, lengths.min()))
        starts = (lengths - frames) // 2
    return [
        feed.poses(row)[(start + np.arange(frames)) % length]
        for row, start, length in zip(rows, starts, lengths, strict=True)
    ]


def _mean_forms(trial: Trial, rows: list[int]) -> list[np.ndarray]:
    """For each row the mean body (V, 2) of its camera, see `still`."""
    feed, fmt = trial.feed, joint_format(trial.config.model.joints)
    camera, forms = trial.camera, {}
    for c in np.unique(camera[rows]):
        of_camera = [
            probes.mean_pose(feed.poses(row), fmt) for row in np.flatnonzero(camera == c).tolist()
        ]
        forms[c] = np.mean(of_camera, axis=0).reshape(-1, 2)
    return [forms[c] for c in camera[rows]]
