"""When to answer "unknown": a threshold that a stranger passes as rarely as promised.

What is known is at which distance strangers came to their nearest name. Each counts as a person,
however many of their walks were looked at, and one more, the next stranger, is counted as the
worst: so the promise holds for people never seen, if they are like those, and not only on average
over the walks at hand (conformal prediction with groups: Lee, Barber and Willett, 2023).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Strangers(NamedTuple):
    """Searches of people who are not in the gallery.

    Attributes:
      distances: (n,) to the nearest name, ascending.
      weights: (n,) of the search: all of a person's together weigh 1 (or a little more, see
        `of_enrolled`).
      people: how many there are.
    """

    distances: np.ndarray
    weights: np.ndarray
    people: int

    def below(self, fpir: float) -> float:
        """The largest threshold that promises `fpir`; 0 if there are too few people."""
        allowed = fpir * (self.people + 1) - 1
        passed = np.cumsum(self.weights)
        at = int(np.searchsorted(passed, allowed + 1e-9, side="right"))
        if allowed < -1e-9:
            return 0.0
        return float(self.distances[at]) if at < len(self.distances) else float("inf")

    def promise(self, threshold: float) -> float:
        """The rate that a threshold promises: the share of strangers nearer than it, at most."""
        passed = self.weights[self.distances < threshold].sum()
        return float(min(1.0, (1 + passed) / (self.people + 1)))

    def as_near(self, distance: float) -> float:
        """The share of strangers that come as near as `distance`, the next one counted in."""
        passed = self.weights[self.distances <= distance].sum()
        return float(min(1.0, (1 + passed) / (self.people + 1)))


NOBODY = Strangers(np.zeros(0), np.zeros(0), 0)


def of_people(distances: Sequence[float], people: Sequence[str]) -> Strangers:
    """Strangers out of the distance of each walk and whose walk it is.

    >>> found = of_people([0.3, 0.1, 0.2], ["ann", "bob", "ann"])
    >>> found.distances.tolist(), found.weights.tolist(), found.below(1 / 3)
    ([0.1, 0.2, 0.3], [1.0, 0.5, 0.5], 0.1)
    """
    if not len(distances):
        return NOBODY
    _, index, counts = np.unique(np.asarray(people), return_inverse=True, return_counts=True)
    order = np.argsort(distances, kind="stable")
    weights = 1 / counts[index]
    return Strangers(np.asarray(distances, float)[order], weights[order], len(counts))


def of_enrolled(distances: Sequence[float], people: Sequence[str]) -> Strangers:
    """The same of enrolled people, each looked for among all the others.

    A gallery with one name fewer is passed more rarely: at most by the factor n / (n - 1), which
    the weights make up for.
    """
    found = of_people(distances, people)
    if found.people < 2:
        return NOBODY
    return found._replace(weights=found.weights * found.people / (found.people - 1))


class Threshold(NamedTuple):
    """What decides between a name and "unknown".

    Attributes:
      value: a distance below it is a name; 0: nobody is named, infinite: everybody.
      fpir: the false-positive identification rate that was asked for.
      promised: the rate that is promised.
      found: how, in words.
      strangers: the searches that it rests on.
    """

    value: float
    fpir: float
    promised: float
    found: str
    strangers: Strangers


def choose(fpir: float, enrolled: Strangers, shipped: Strangers) -> Threshold:
    """The threshold from the enrolled people, and where they are too few, from shipped walkers.

    The shipped ones are synthetic: real people may come nearer to each other than these. So the
    threshold is never above the nearest two of the enrolled people either.
    """
    if enrolled.below(fpir) > 0:
        value, of = enrolled.below(fpir), enrolled
        return Threshold(value, fpir, of.promise(value), f"of {of.people} enrolled people", of)
    nearest = float(enrolled.distances[0]) if enrolled.people else float("inf")
    value = shipped.below(fpir)
    if value > 0:
        found = f"of {shipped.people} synthetic walkers that came with the network"
        if nearest < value:
            found += f", lowered to the nearest two of {enrolled.people} enrolled people"
        return Threshold(min(value, nearest), fpir, shipped.promise(value), found, shipped)
    if enrolled.people:
        found = f"of {enrolled.people} enrolled people, the nearest two: too few for more"
        return Threshold(nearest, fpir, enrolled.promise(nearest), found, enrolled)
    found = "of nothing yet: enrol a second person, or run calibrate --impostors"
    return Threshold(0.0, fpir, 0.0, found, NOBODY)


def of_impostors(fpir: float, strangers: Strangers, where: str) -> Threshold:
    """The threshold from people who are known not to be in the gallery."""
    value = strangers.below(fpir)
    found = f"of {strangers.people} impostors in {where}"
    if not value > 0:
        value = float(strangers.distances[0])
        found += ", the nearest of them: too few for more"
    return Threshold(value, fpir, strangers.promise(value), found, strangers)
