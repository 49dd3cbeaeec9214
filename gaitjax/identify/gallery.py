"""People by how they walk: enrolled under their names, found again, and strangers refused.

>>> gallery = gaitjax.Gallery(weights)
>>> rng = np.random.default_rng(0)
>>> walks = {name: [rng.uniform(1, 99, (40, 17, 3)) for _ in "12"] for name in ("ann", "bob")}
>>> for name, poses in walks.items():
...     told = gallery.enrol(name, poses)
>>> gallery.names, len(told)
(['ann', 'bob'], 2)
"""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gaitjax import api, files, zoo
from gaitjax.errors import DataError
from gaitjax.identify import enrolled, gallery_file, matching, networks, quality
from gaitjax.identify import threshold as thresholds
from gaitjax.identify.gallery_file import Contents
from gaitjax.identify.networks import DEFAULT
from gaitjax.identify.threshold import NOBODY, Threshold
from gaitjax.skeleton import joint_format, stated

FPIR = 0.01


class Answer(NamedTuple):
    """Who somebody is.

    Attributes:
      name: None for "unknown".
      distance: to the nearest name.
      threshold: below which it would be a name.
      candidates: (name, distance) of the nearest names, the nearest first.
      margin: by how much the next name is farther than the nearest; None with one name.
      strangers: the share of strangers that come as near, at most; None if it is not known.
      quality: of the walk.
      why: why it is unknown, or "".
    """

    name: str | None
    distance: float
    threshold: float
    candidates: tuple[tuple[str, float], ...]
    margin: float | None
    strangers: float | None
    quality: quality.Quality
    why: str


class Gallery:
    """Enrolled people and the network that tells them apart.

    Attributes:
      contents: what is saved, see `gallery_file.Contents`.
      notes: what was noticed about the poses embedded last, a line each.
    """

    def __init__(
        self,
        weights: str | Path | api.Model = DEFAULT,
        match: str = "nearest",
        contents: Contents | None = None,
    ):
        """An empty gallery, or that of `contents`.

        Args:
          weights: "default", the small network that comes with gaitjax; whatever `gaitjax.load`
            takes; or a model.
          match: "nearest": the nearest walk of a name counts; "mean": the mean of its walks.

        Raises:
          DataError: `contents` are of other weights, an unknown `match`; as `gaitjax.load`.
        """
        if match not in matching.MATCH:
            raise DataError(f"match is {match!r}; use one of: {', '.join(matching.MATCH)}")
        self.model = networks.load(weights)
        network = networks.described(self.model, weights)
        if contents is None:
            nothing, none = np.zeros((0, 0, 0), np.float32), thresholds.choose(FPIR, NOBODY, NOBODY)
            contents = Contents(network, np.array([], str), nothing, np.zeros(0), (), match, none)
        elif contents.network.fingerprint != network.fingerprint:
            had = contents.network
            raise DataError(
                f"the gallery's embeddings are of other weights: {had.name} from {had.source}, "
                f"fingerprint {had.fingerprint[:12]}; these are {network.name} from "
                f"{network.source}, {network.fingerprint[:12]}. Give those weights (--weights), "
                "or enrol everybody anew in another gallery"
            )
        self.contents, self.notes = contents, []

    @classmethod
    def load(cls, path: str | Path, weights: str | Path | api.Model | None = None) -> "Gallery":
        """The gallery in a file.

        Args:
          weights: as of `Gallery`; default: those that the file names.

        Raises:
          DataError: missing or damaged, no gallery, of other weights, or the weights that it names
            are not here.
        """
        contents = gallery_file.read(files.expanded(path))
        source = contents.network.source
        if weights is None:
            named = source == DEFAULT or source in zoo.ZOO or "://" in source
            if not named and not files.expanded(source).exists():
                raise DataError(
                    f"{path}: its embeddings are of {contents.network.name} from {source}, which "
                    "is not here; say where these weights are (--weights)"
                )
            weights = source
        try:
            return cls(weights, contents.match, contents)
        except DataError as error:
            raise DataError(f"{path}: {error}") from None

    def save(self, path: str | Path) -> Path:
        """Writes the gallery, whole or not at all; an older file is replaced."""
        path = files.expanded(path)
        gallery_file.write(path, self.contents)
        return path

    @property
    def names(self) -> list[str]:
        """The people enrolled, sorted."""
        return sorted(set(self.contents.names.tolist()))

    @property
    def threshold(self) -> Threshold:
        """What decides between a name and "unknown"."""
        return self.contents.threshold

    def enrol(
        self,
        name: str,
        sequences: Sequence[np.ndarray],
        joints: str | None = None,
        sources: Sequence[str] = (),
    ) -> list[quality.Quality]:
        """Adds walks of a person, who consented; the threshold is found anew.

        Args:
          sequences: poses (T, V, 3) of this person alone, as of `Model.embed`.
          joints: their joint format; default: by their number.
          sources: where each came from, for the list.

        Returns:
          The quality of each walk; those of weight 0 are left out.

        Raises:
          DataError: no name, or one that differs from an enrolled one by its case alone; a walk
            that is enrolled already; walks of which none tells anything of anybody.
        """
        enrolled.check_name(self.contents, name)
        found, told = self._embedded(sequences, joints)
        where = [sources[i] if i < len(sources) else f"walk {i}" for i in range(len(told))]
        good = [i for i, one in enumerate(told) if one.weight]
        if not good:
            raise DataError(
                f"{where[0]}: nobody can be told by it: {'; '.join(quality.useless(told[0]))}; "
                "enrol a walk of a few seconds, the whole body in sight"
            )
        rows = [
            {
                "source": where[i],
                "frames": told[i].frames,
                "missing": round(told[i].missing, 4),
                "doubts": list(told[i].doubts),
            }
            for i in good
        ]
        weights = [told[i].weight for i in good]
        self.contents = enrolled.with_walks(self.contents, name, found[good], weights, rows)
        self.notes += enrolled.far_from_own(self.contents, len(rows))
        return told

    def remove(self, name: str) -> int:
        """Deletes a person's embeddings and all else of them; how many walks they were.

        Raises:
          DataError: nobody is called so.
        """
        self.contents, count = enrolled.without(self.contents, name)
        return count

    def calibrate(
        self,
        fpir: float = FPIR,
        impostors: Mapping[str, Sequence[np.ndarray]] | None = None,
        joints: str | None = None,
        where: str = "memory",
    ) -> Threshold:
        """Finds the threshold at which strangers are named as rarely as `fpir`.

        Args:
          impostors: person -> their walks, of people who are not in the gallery. Only the
            distances are kept. Default: from the enrolled people, see `threshold.choose`.

        Raises:
          DataError: nobody is enrolled; `fpir` is not between 0 and 1; an impostor is enrolled.
        """
        if not 0 < fpir < 1:
            raise DataError(f"fpir is {fpir}; expected a share between 0 and 1, such as 0.01")
        contents = self.contents
        if not len(contents.names):
            raise DataError("nobody is enrolled: enrol people first, then calibrate")
        if impostors is None:
            self.contents = enrolled.recalibrated(contents, fpir)
            return self.threshold
        people = [person for person, walks in impostors.items() for _ in walks]
        found, told = self._embedded([w for walks in impostors.values() for w in walks], joints)
        useful = [i for i, one in enumerate(told) if one.weight]
        if not useful:
            raise DataError(f"{where}: no walk by which anybody can be told")
        found, people = found[useful], [people[i] for i in useful]
        for person, walk in zip(people, found, strict=True):
            if enrolled.same(walk, contents.embeddings).any():
                raise DataError(f"{where}: a walk of {person} is enrolled; an impostor is nobody's")
        strangers = thresholds.of_people(self._distances(found)[1].min(axis=1), people)
        chosen = thresholds.of_impostors(fpir, strangers, where)
        self.contents = contents._replace(threshold=chosen)
        return chosen

    def identify(
        self, sequences: Sequence[np.ndarray], joints: str | None = None, top: int = 3
    ) -> list[Answer]:
        """Who walks in each of the sequences, or nobody who is known.

        Args:
          sequences: poses (T, V, 3), as of `Model.embed`.
          top: candidates of each answer, at most.

        Raises:
          DataError: nobody is enrolled; as `Model.embed`.
        """
        if not len(self.contents.names):
            raise DataError("nobody is enrolled: enrol people first")
        found, told = self._embedded(sequences, joints)
        names, distances = self._distances(found)
        return [
            self._answer(names, row, one, top) for row, one in zip(distances, told, strict=True)
        ]

    def found_again(self) -> tuple[int, int]:
        """How many enrolled walks have another of their name, and how many it finds again.

        Each is looked for with itself left out, and everybody else's there.
        """
        c = self.contents
        rest = c.names, c.weights, c.network.metric, c.match
        if not len(c.names):
            return 0, 0
        own = matching.of_own(c.embeddings, *rest)
        others = matching.of_strangers(c.embeddings, *rest)
        tried = ~np.isnan(own)
        found = tried & (own < others) & (own < self.threshold.value)
        return int(tried.sum()), int(found.sum())

    def _answer(self, names: list[str], row: np.ndarray, told: quality.Quality, top: int) -> Answer:
        order = np.argsort(row, kind="stable")
        near = tuple((names[i], float(row[i])) for i in order[: max(1, top)])
        distance, limit = near[0][1], self.threshold.value
        why = ""
        if not told.weight:
            why = f"nobody can be told by this: {'; '.join(quality.useless(told))}"
        elif not limit:
            why = f"no threshold: {self.threshold.found}"
        elif distance >= limit:
            why = "no name is near enough"
        margin = float(row[order[1]] - row[order[0]]) if len(row) > 1 else None
        known = self.threshold.strangers
        share = known.as_near(distance) if known.people else None
        name = None if why else near[0][0]
        return Answer(name, distance, limit, near, margin, share, told, why)

    def _embedded(
        self, sequences: Sequence[np.ndarray], joints: str | None
    ) -> tuple[np.ndarray, list[quality.Quality]]:
        """Embeddings (n, D, P) and qualities; what is to be said goes into `notes`."""
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            found = self.model.embed(sequences, joints=joints)
        said = dict.fromkeys(str(w.message) for w in caught)
        self.notes = [line for line in said if not line.startswith("doubtful among")]
        told = []
        for sequence in sequences:
            usual = joint_format(self.model.joints)
            if joints or np.shape(sequence)[1] != usual.num_joints:
                usual = joint_format(joints) if joints else stated(np.shape(sequence)[1])
            told.append(quality.of(np.asarray(sequence), usual))
        return found, told

    def _distances(self, probes: np.ndarray) -> tuple[list[str], np.ndarray]:
        c = self.contents
        return matching.to_names(
            probes, c.embeddings, c.names, c.weights, c.network.metric, c.match
        )
