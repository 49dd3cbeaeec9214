"""A trained network as one object: poses in, embeddings out.

>>> model = gaitjax.load(weights)  # a path, or a name of the zoo such as "gaitgraph2_grew"
>>> model.embed([np.ones((60, 17, 3)), np.ones((45, 17, 3))]).shape  # poses of any lengths
(2, 48, 1)
"""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np
from flax import linen as nn
from ml_collections import ConfigDict

from gaitjax import config as configs
from gaitjax import models, sharding, weights, zoo
from gaitjax.config import nearest, override_all
from gaitjax.conversion import convert as conversion
from gaitjax.conversion import hub
from gaitjax.data import doubts, familiar, packing
from gaitjax.data.feed import Feed
from gaitjax.data.poses import for_network
from gaitjax.errors import DataError
from gaitjax.evaluation import embedding
from gaitjax.skeleton import convert, joint_format, stated
from gaitjax.training import checkpoint, step
from gaitjax.zoo import shared


class Model:
    """A network with its weights; make one with `gaitjax.load`.

    Attributes:
      config: the whole config; `config.eval` says how sequences are cut and compared.
      variables: {"params", "batch_stats"} of NumPy arrays.
      metadata: where the weights came from.
    """

    def __init__(self, config: ConfigDict, variables: dict, metadata: dict | None = None):
        """`variables` must fit the network of `config`; WeightsError lists what does not."""
        self.config, self.metadata = config, metadata or {}
        self._mesh = sharding.make_mesh()
        self._network = models.build(config)
        shapes = step.variable_shapes(config, self._network)
        source = self.metadata.get("source", "the weights")
        self.variables, _ = weights.fit(variables, shapes, source)
        self._known: Any = self.metadata.get("knows")
        if self._known or config.data.rescale:
            self._known = familiar.checked(self._known, source)
        self._programs = embedding.programs(config, self._network, self._mesh)
        self._said_unknown = False

    @property
    def metric(self) -> str:
        """The distance that this network's embeddings are compared by: "euc" or "cos"."""
        return self.config.eval.metric

    @property
    def joints(self) -> str:
        """The joint format that the network works on, see `gaitjax.skeleton.FORMATS`."""
        return self.config.model.joints

    def embed(
        self,
        sequences: Sequence[np.ndarray],
        batch_size: int | None = None,
        joints: str | None = None,
    ) -> np.ndarray:
        """Embeddings of pose sequences, as `gaitjax.evaluate` makes them.

        Each sequence is checked, brought to the network's joints, imputed as the config says,
        and cut into test windows or padded to a length shared by similar ones.

        What is doubtful about the sequences (`gaitjax.data.doubts`) is said in one warning, and
        how they are far from those that the network was trained on in others.

        Args:
          sequences: poses (T, V, 3) each, any T: x and y in pixels (y down), confidence;
            missing joints are (0, 0, 0).
          batch_size: clips at once, at most; default: `config.eval.batch_size`.
          joints: the poses' joint format, from which the network's is made by names
            (`gaitjax.skeleton.convert`); default: the network's own or, of another number of
            joints, the usual one with as many (17 coco, 18 alphapose, 25 body_25, 26 halpe26).

        Returns:
          (N, D, P) float32: P parts of D numbers, `config.eval.embedding` of the network.

        Raises:
          DataError: a sequence that is no pose of finite numbers, or lacks joints; a
            network that needs silhouettes.

        >>> model = gaitjax.load(weights)
        >>> rng = np.random.default_rng(0)
        >>> walks = [rng.uniform(1, 200, (frames, 17, 3)) for frames in (30, 75)]
        >>> embeddings = model.embed(walks)
        >>> embeddings.shape, embeddings.dtype
        ((2, 48, 1), dtype('float32'))
        >>> bool(np.allclose(embeddings[1:], model.embed(walks[1:]), atol=1e-4))
        True
        """
        if not len(sequences):
            raise DataError("no sequences to embed: pass a list of (T, V, 3) arrays")
        poses, doubtful = zip(
            *(self._poses(i, sequence, joints) for i, sequence in enumerate(sequences)),
            strict=True,
        )
        if said := doubts.told(doubtful):
            warnings.warn(said, stacklevel=2)
        for line in self._differences(poses):
            warnings.warn(line, stacklevel=2)
        config = self.config.copy_and_resolve_references()
        config.eval.batch_size = batch_size or config.eval.batch_size
        feed, name = Feed.in_memory({"poses": poses}), config.eval.embedding
        found = embedding.embed_dataset(
            config, self._network, self.variables, feed, self._mesh, self._programs, [name]
        )
        return found[name]

    def _poses(
        self, number: int, sequence: np.ndarray, joints: str | None
    ) -> tuple[np.ndarray, list[str]]:
        """One sequence in the network's joints, imputed, (T, V, 3) float32; what is doubtful."""
        data, want = self.config.data, joint_format(self.joints)
        name = f"sequence {number}"
        if "silhouettes" in self._network.inputs:
            raise DataError(
                "this network needs silhouettes beside the poses; evaluate it from files with "
                "python -m gaitjax.evaluate --save_embeddings"
            )
        sequence = np.asarray(sequence)
        have = joint_format(joints) if joints else want
        try:
            if not joints and sequence.ndim == 3 and sequence.shape[1] != want.num_joints:
                have = stated(sequence.shape[1])
            convert(have, want)
        except DataError as error:
            raise DataError(
                f"{name}: {error}; this network works on the {want.num_joints} of {want.name}"
            ) from None
        impute = data.impute_test or data.impute
        poses = for_network(sequence, name, have, want, impute)
        fitted = familiar.fit(poses, self._known, data.rescale) if data.rescale else poses
        return fitted, doubts.of(sequence, have)

    def _differences(self, poses: Sequence[np.ndarray]) -> list[str]:
        """How poses are far from those that the network was trained on, a line each."""
        if not self._known:
            said, self._said_unknown = self._said_unknown, True
            return [] if said else [familiar.UNKNOWN]
        found = familiar.measure(poses.__getitem__, len(poses))
        matters = familiar.seen_by(self._network.inputs, self.config.data.normalise)
        return familiar.differences(found, self._known, matters)

    def __repr__(self) -> str:
        count = sum(leaf.size for leaf in jax.tree.leaves(self.variables["params"]))
        return f"<{self.config.model.name} on {self.joints}, {count:,} parameters>"


def load(
    name_or_path: str | Path,
    config: str | ConfigDict | None = None,
    network: type[nn.Module] | None = None,
    rescale: str | None = None,
) -> Model:
    """A trained network.

    Args:
      name_or_path: a weights file, the work directory of a training run, the address of shared
        weights on the Hugging Face hub, hf://owner/name or hf://owner/name@revision, which are
        fetched once (pip install 'gaitjax[hub]'), or the name of released weights
        (`python -m gaitjax.zoo list`), which are fetched and converted once: that needs
        pip install 'gaitjax[convert,hub]'. With `config` also a checkpoint of PyTorch, which is
        converted once: pip install 'gaitjax[convert]'.
      config: config name, file or object; default: the one stored with the weights.
      network: the class of an own network (`config.model.name` is module:Class). It may be left
        out where that module is imported already: what is stored with weights runs no code.
      rescale: "fit" brings poses to the size, place and confidences that the network was
        trained on (`gaitjax.data.familiar`), "typical" makes confidences of several estimators
        alike too, "" leaves all; default: as the config says.

    Raises:
      DataError, WeightsError, ConfigError: nothing there, or it does not fit.

    >>> model = gaitjax.load(weights)
    >>> model.config.model.name, model.joints, model.metric
    ('gaitgraph2', 'coco', 'cos')
    """
    chosen = configs.load(config) if isinstance(config, str) else config
    name = str(name_or_path)
    path, source = shared.local(name_or_path)
    if name in zoo.ZOO:
        path = _released(name)
        source = str(path)
    elif not path.exists():
        raise DataError(
            f"{path}: no such file or folder, nor a zoo entry; {nearest(name, zoo.ZOO)}"
        )
    if chosen is not None:
        path = conversion.readable(chosen, path)
    variables, metadata = checkpoint.load_variables(path)
    if chosen is None:
        chosen = _stored_config(path, metadata, network)
    if rescale is not None:
        chosen = override_all(
            chosen.copy_and_resolve_references(), [f"--config.data.rescale={rescale}"]
        )
    return Model(chosen, variables, {**metadata, "source": source})


def _released(name: str) -> Path:
    """The weights of a zoo entry, fetched and converted if they are not yet in the cache."""
    entry, config = zoo.entry(name), configs.load(name)
    path, commit = hub.fetch(zoo.REPO, entry.folder)
    folder = packing.cache_folder(config.data.cache_dir)
    converted = folder / "zoo" / f"{name}-{path.stem}-{commit[:12]}.npz"
    if not converted.is_file():
        origin = {"hub": f"{zoo.REPO}/{entry.folder}", "commit": commit}
        conversion.convert(config, "opengait", path, str(converted), origin)
    return converted


def _stored_config(path: Path, metadata: dict, network: type[nn.Module] | None) -> ConfigDict:
    """The config that the weights were written with, over today's defaults, for this class."""
    if "config" not in metadata:
        raise DataError(f"{path} does not say its config; pass config=NAME to gaitjax.load")
    stored = metadata["config"]
    if network is not None:
        name = f"{network.__module__}:{network.__qualname__}"
        stored = {**stored, "model": {**stored["model"], "name": name}}
    return configs.stored(stored, str(path))
