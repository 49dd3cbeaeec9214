"""A network tried on a test set: its embeddings, the protocol's record, random test windows."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import jax
import numpy as np
from flax import linen as nn
from jax.sharding import Mesh
from ml_collections import ConfigDict

from gaitjax.data.feed import Feed
from gaitjax.errors import ConfigError, DataError
from gaitjax.evaluation import embedding
from gaitjax.evaluation.protocols import evaluate
from gaitjax.training import step

CAMERAS = 100  # more views than this are names of recordings, and say nothing of cameras


@dataclass(frozen=True)
class Trial:
    """What stays the same while weights are tried.

    Attributes:
      config: the whole config; `config.eval` says how sequences are cut and scored.
      model: the network.
      feed: the test set.
      mesh: the devices.
      known: what poses the network was trained on (`gaitjax.data.familiar`); None: not known.
    """

    config: ConfigDict
    model: nn.Module
    feed: Feed
    mesh: Mesh
    known: dict | None = None

    def embed(self, variables: dict, names: Sequence[str] = ()) -> dict[str, np.ndarray]:
        """Embeddings of the test set: name -> (S, D, P) float32.

        Args:
          names: which; default all that the network gives.
        """
        return self._embed(self.config, variables, names)

    def _embed(self, config: ConfigDict, variables: dict, names: Sequence[str]) -> dict:
        return embedding.embed_dataset(
            config, self.model, variables, self.feed, self.mesh, self.programs, names
        )

    @cached_property
    def programs(self) -> embedding.Programs:
        """Compiled once, however often weights are tried."""
        return embedding.programs(self.config, self.model, self.mesh)

    @cached_property
    def camera(self) -> np.ndarray:
        """(S,) int, the view of each sequence of the test set; all 0 where views are no cameras."""
        names, camera = np.unique(self.feed.views, return_inverse=True)
        return camera if len(names) <= CAMERAS else np.zeros_like(camera)

    def key(self, row: int) -> str:
        """What a sequence of the test set is called, label-type-view."""
        feed = self.feed
        return "-".join((feed.labels[row], feed.types[row], feed.views[row]))

    @cached_property
    def names(self) -> list[str]:
        """The network's embeddings; ConfigError unless `eval.embedding` is one of them."""
        name = self.config.eval.embedding
        clips = jax.eval_shape(lambda: step.example_clips(self.config))
        shapes = step.variable_shapes(self.config, self.model)
        found = jax.eval_shape(step.make_embed(self.config, self.model), shapes, None, clips)
        if name not in found:
            raise ConfigError(f"eval.embedding={name!r}: the network gives {', '.join(found)}")
        return list(found)

    def score(
        self,
        embeddings: np.ndarray,
        submission: str | Path | None = None,
        ground_truth: str | Path | None = None,
        rows: np.ndarray | slice = slice(None),
    ) -> dict:
        """The record of `eval.protocol` for embeddings (S, D, P) of the test set.

        Args:
          submission, ground_truth: folder for a GREW submission, and its answers.
          rows: (S,) the sequences of the test set that are scored; default all.
        """
        e, feed = self.config.eval, self.feed
        options: dict[str, Any] = {}
        if e.protocol == "gait3d":
            options["probe_set"] = feed.probe
        if e.protocol == "grew_submission":
            options = {"out_dir": submission, "ground_truth": ground_truth}
        return evaluate(
            e.protocol,
            embeddings,
            feed.labels[rows].tolist(),
            feed.types[rows].tolist(),
            feed.views[rows].tolist(),
            metric=e.metric,
            gallery_types=tuple(e.gallery_types),
            probe_types=tuple(e.probe_types),
            compat=self.config.compat,
            half=e.half,
            **options,
        )

    def record(self, variables: dict) -> dict:
        """The protocol's record of the network with `variables`."""
        name = self.config.eval.embedding
        return self.score(self.embed(variables, [name])[name])

    def rehearse(self) -> list[str]:
        """The metrics that `record` will give (see `headline_metrics`), with nothing embedded.

        Made-up embeddings of a part of the test set are scored: whatever does not fit the
        protocol is refused now, not when a network has been trained.

        Raises:
          ConfigError, DataError: what `record` would raise.
        """
        assert self.names  # raises
        part = _some_of_each_kind(self.feed)
        try:
            return list(headline_metrics(self.score(_made_up(len(part)), rows=part)))
        except DataError:  # the whole set may hold what the part lacks
            return list(headline_metrics(self.score(_made_up(len(self.feed.labels)))))

    def random_windows(self, variables: dict, seeds: int) -> dict:
        """Headline numbers over `seeds` random test windows, as the reference draws one.

        Returns:
          score name -> {"mean", "std", "runs"}.
        """
        if self.config.eval.clip != "ordered":
            raise ConfigError(
                "--seeds varies the test window, but this config tests whole sequences"
            )
        name, runs = self.config.eval.embedding, []
        for seed in range(seeds):
            drawn = self.config.copy_and_resolve_references()
            drawn.eval.window, drawn.seed = "random", seed
            runs.append(self.score(self._embed(drawn, variables, [name])[name])["headline"])
        columns = {name: [run[name] for run in runs] for name in runs[0]}
        return {
            name: {"mean": float(np.mean(v)), "std": float(np.std(v, ddof=len(v) > 1)), "runs": v}
            for name, v in columns.items()
        }

    def untrained(self) -> dict:
        """Fresh weights of `config.seed`, for comparison."""
        config, model = self.config, self.model
        key = jax.random.key(config.seed)
        return jax.jit(
            lambda: step.init_variables(config, model, key, step.example_clips(config))
        )()


def open_trial(
    config: ConfigDict, model: nn.Module, mesh: Mesh, known: dict | None = None
) -> Trial:
    """The network `model` and the test set of `config`; DataError where the data has none.

    Args:
      known: what poses the network was trained on, for `data.rescale`.
    """
    return Trial(config, model, Feed.open(config, "test", mesh, known), mesh, known)


def headline_metrics(record: dict) -> dict[str, float]:
    """The headline numbers of a record by the names they have while training, eval/<score>."""
    return {f"eval/{name}": value for name, value in record["headline"].items()}


def _some_of_each_kind(feed: Feed) -> np.ndarray:
    """Rows of so many identities that every type and view of the test set is there."""
    kinds = [feed.types]
    if len(np.unique(feed.views)) <= CAMERAS:
        kinds.append(feed.views)
    _, first = np.unique(np.stack(kinds), axis=1, return_index=True)
    return np.flatnonzero(np.isin(feed.labels, feed.labels[first]))


def _made_up(count: int) -> np.ndarray:
    return np.arange(count, dtype=np.float32)[:, None, None]
