"""What docs/identify.md says of the default network of gaitjax.identify, measured.

People are synthetic walkers of a seed that the network was not trained on, and the test subjects of
the CMU walks, each as `Gallery` sees them: embeddings, nearest walk of a name.
"""

import json
import pickle
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import gaitjax
from gaitjax.data import walkers
from gaitjax.data.readers import pose_tracks
from gaitjax.evaluation import bootstrap, open_set
from gaitjax.identify import matching, quality
from gaitjax.identify.networks import SHIPPED, fingerprint
from gaitjax.identify.tune import tune
from gaitjax.skeleton import COCO

SEED, PEOPLE, STRANGERS = 118, 20, 20  # walkers: enrolled, and others who come too
VIEWS = ("000", "045", "090", "180", "270")
FRAMES = 100  # 4 s in the mean, 0.8 to 1.2 times that
LONG = 160  # in the mean, so that every walk has 5 s
FPS = 25


def walkers_of(people: int, frames: int = FRAMES) -> list[dict]:
    """Everybody's walks: type -> view -> poses."""
    found = []
    for number in range(1, people + 1):
        walks = walkers.identity(SEED, number, frames, VIEWS)
        found.append(
            {
                kind: dict(zip(VIEWS, poses, strict=True))
                for kind, poses in zip(walkers.TYPES, walks, strict=True)
            }
        )
    return found


def rates(model, enrolled: dict, probes: list, match: str = "nearest", weighs: bool = True) -> dict:
    """Identification rate and FNIR at FPIR of probes (name or None, poses), with intervals.

    Args:
      enrolled: name -> poses of its walks.
      probes: (person, poses); people who are not enrolled are strangers.
      weighs: whether the quality of an enrolled walk does in a mean; else all weigh the same.
    """
    names = np.array([name for name, walks in enrolled.items() for _ in walks])
    poses = [walk for walks in enrolled.values() for walk in walks]
    weights = np.array([quality.of(walk, COCO).weight if weighs else 1.0 for walk in poses])
    known, distances = matching.to_names(
        embedded(model, [walk for _, walk in probes]),
        embedded(model, poses),
        names,
        np.maximum(weights, 1e-3),
        model.metric,
        match,
    )
    people = np.array([person for person, _ in probes])
    own = people[:, None] == np.array(known)[None]
    mine = np.where(own, distances, np.inf).min(axis=1)
    others = np.where(own, np.inf, distances).min(axis=1)
    mated = own.any(axis=1)
    found = np.where(mine < others, mine, np.inf)
    made = open_set.Searches(people, np.where(mated, found, np.nan), others)
    at = open_set.rates(made, samples=500)
    assert at is not None, "somebody is enrolled and comes"
    right = (mine < others)[mated].astype(float)
    cell = np.zeros(len(right), int)
    interval = bootstrap.interval(right, people[mated], cell, np.ones(1, bool), samples=500)
    return {
        "identified": 100 * right.mean(),
        "identified_interval": interval,
        "fnir": [row["fnir"] for row in at["at"]],
        "fnir_interval": [
            None if row["fnir_interval"] is None else list(row["fnir_interval"]) for row in at["at"]
        ],
        "mated": at["mated"],
        "strangers": at["nonmated"],
    }


# Embeddings of poses asked for again, by the identity of the array: it is kept, so that no other
# array takes that.
_KNOWN: dict[int, tuple[np.ndarray, np.ndarray]] = {}


def embedded(model, poses: list) -> np.ndarray:
    new = [walk for walk in poses if id(walk) not in _KNOWN]
    if new:
        for walk, embedding in zip(new, model.embed(new), strict=True):
            _KNOWN[id(walk)] = walk, embedding
    return np.stack([_KNOWN[id(walk)][1] for walk in poses])


def coarser(poses: np.ndarray, height: float, rng: np.random.Generator) -> np.ndarray:
    """The walk as on an image in which the body is `height` pixels high: joints to a pixel."""
    seen = np.asarray(poses[..., :2].any(axis=-1))
    tall = np.median(
        np.where(seen, poses[..., 1], -np.inf).max(1) - np.where(seen, poses[..., 1], np.inf).min(1)
    )
    small = poses[..., :2] * height / tall
    small = np.round(small + rng.normal(0, 0.5, small.shape))
    return np.concatenate([np.where(seen[..., None], small, 0), poses[..., 2:]], axis=-1)


def measure(cmu: str) -> dict:
    model = gaitjax.load(SHIPPED / "weights.npz")
    people = walkers_of(PEOPLE + STRANGERS)
    named = [(f"{i:03d}", person) for i, person in enumerate(people)]
    side = ("000", "090")

    def enrolled(views=side, kinds=("nm-01",), cut: Callable = lambda w: w):
        chosen = named[:PEOPLE]
        return {n: [cut(p[k][v]) for k in kinds for v in views] for n, p in chosen}

    def probes(views=side, kinds=("nm-02",), cut: Callable = lambda w: w):
        return [(n, cut(p[k][v])) for n, p in named for k in kinds for v in views]

    usual = enrolled()
    rows: dict[str, dict] = {"usual": rates(model, usual, probes())}
    rows["match mean"] = rates(model, usual, probes(), "mean")
    rows["enrolled twice"] = rates(model, enrolled(kinds=("nm-01", "bg-01")), probes())
    for view in VIEWS:
        where = "" if view in side else ", where no camera was before"
        rows[f"camera {view}{where}"] = rates(model, usual, probes((view,)))
    for view in ("000", "045", "180", "270"):
        rows[f"enrolled from 090 alone, seen from {view}"] = rates(
            model, enrolled(("090",)), probes((view,))
        )
    for kind, about in (("bg-01", "with a bag"), ("cl-01", "in a coat")):
        rows[about] = rates(model, usual, probes(kinds=(kind,)))
    for height in (120, 60, 30):
        rng = np.random.default_rng(height)
        rows[f"body {height} pixels high"] = rates(
            model, usual, probes(cut=lambda w, h=height, r=rng: coarser(w, h, r))
        )
    for step in (2, 3):
        rows[f"{FPS / step:.3g} frames a second, not said"] = rates(
            model, usual, probes(cut=lambda w, s=step: w[::s])
        )
        rows[f"{FPS / step:.3g} frames a second, with --frame_rate"] = rates(
            model,
            usual,
            probes(cut=lambda w, s=step: pose_tracks.resample(w[::s], FPS / s, FPS)[0]),
        )
    longer = walkers_of(PEOPLE + STRANGERS, LONG)

    def lasting(person, kind, view, seconds):
        """From the middle of the walk, where the camera is."""
        walk = longer[person][kind][view]
        first = (len(walk) - seconds * FPS) // 2
        return walk[first : first + seconds * FPS]

    for seconds in (1, 2, 3, 5):
        rows[f"{seconds} s long"] = rates(
            model,
            usual,
            [(n, lasting(i, "nm-02", v, seconds)) for i, (n, _) in enumerate(named) for v in side],
        )
    # Ten seconds are both normal walks, so that another one is enrolled.
    other = {n: [p["bg-01"][v] for v in side] for n, p in named[:PEOPLE]}
    for seconds, about in ((2, "2 s"), (5, "5 s"), (10, "10 s: twice 5 s")):
        parts = ("nm-02", "nm-01")[: 1 + seconds // 10]
        rows[f"enrolled with a bag, {about} long"] = rates(
            model,
            other,
            [
                (n, np.concatenate([lasting(i, k, v, seconds // len(parts)) for k in parts]))
                for i, (n, _) in enumerate(named)
                for v in side
            ],
        )
    cmu_rows = of_cmu(model, cmu) if cmu else {}
    return {
        "walkers": rows,
        "quality": weighed(model, usual, probes()),
        "named": at_threshold(model, usual, probes()),
        "cmu": cmu_rows,
        "people": PEOPLE,
        "strangers": STRANGERS,
        "fingerprint": fingerprint(model),
        "date": time.strftime("%Y-%m-%d"),
    }


def _without(*joints: int) -> Callable:
    """Takes joints of COCO out of a walk."""

    def spoilt(walk: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        walk = walk.copy()
        walk[:, list(joints)] = 0
        return walk

    return spoilt


def _standing(walk: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Two seconds of the frame with most joints, which tremble."""
    fullest = walk[np.argmax(walk[..., 2].astype(bool).sum(axis=1))]
    stands = np.repeat(fullest[None], 50, axis=0)
    stands[..., :2] += rng.normal(0, 0.7, stands[..., :2].shape) * (stands[..., 2:] > 0)
    return stands


FAULTS: dict[str, Callable[[np.ndarray, np.random.Generator], np.ndarray]] = {
    "none": lambda walk, rng: walk,
    "50 frames": lambda walk, rng: walk[:50],
    "25 frames": lambda walk, rng: walk[:25],
    "15 frames": lambda walk, rng: walk[:15],
    "8 frames": lambda walk, rng: walk[:8],
    "somebody who stands": _standing,
    "half of the joints missed": lambda walk, rng: np.where(
        rng.random(walk.shape[:2] + (1,)) < 0.5, walk, 0
    ),
    "legs out of sight": _without(13, 14, 15, 16),
    "feet out of sight": _without(15, 16),
    "head out of sight": _without(0, 1, 2, 3, 4),
    "one hand out of sight": _without(9),
}


def at_threshold(model, usual: dict, probes: list) -> dict:
    """Who is named at the threshold that a gallery finds by itself, by what the walk lacks.

    As if `who` refused nothing: its refusals are counted beside.
    """
    gallery = gaitjax.Gallery(model)
    for name, walks in usual.items():
        gallery.enrol(name, walks)
    rows = {}
    for fault, spoilt in FAULTS.items():
        rng = np.random.default_rng(0)
        walks = [spoilt(np.asarray(walk), rng) for _, walk in probes]
        told = [answer.candidates[0] for answer in gallery.identify(walks, top=1)]
        near = np.array([distance < gallery.threshold.value for _, distance in told])
        known = np.array([name in usual for name, _ in probes])
        right = np.array([a == b for (a, _), (b, _) in zip(told, probes, strict=True)])
        weights = np.array([quality.of(walk, COCO).weight for walk in walks])
        rows[fault] = {
            "weight": weights.mean(),
            "refused": 100 * (weights == 0).mean(),
            "right": 100 * (near & right)[known].mean(),
            "wrong": 100 * (near & ~right)[known].mean(),
            "strangers": 100 * near[~known].mean(),
        }
    return rows


def weighed(model, usual: dict, probes: list) -> dict:
    """Everybody enrolled with bad walks too: good ones with one fault.

    Args:
      usual: name -> walks from 000 and from 090.
      probes: of these two cameras in turn.
    """
    cases = {}
    for fault in ("legs out of sight", "half of the joints missed", "15 frames"):
        spoilt, rng = FAULTS[fault], np.random.default_rng(0)
        both = {
            name: [*walks, *(spoilt(np.asarray(w), rng) for w in walks)]
            for name, walks in usual.items()
        }
        cases[f"{fault} too"] = both, probes
    front = {name: [side, walk[:20]] for name, (walk, side) in usual.items()}
    cases["from 090, from 000 for 0.8 s, seen from 000"] = front, probes[::2]
    rows = {}
    for about, (walks, sought) in cases.items():
        rows[f"enrolled {about}: nearest"] = rates(model, walks, sought)
        better = {name: _best(own) for name, own in walks.items()}
        rows[f"enrolled {about}: nearest, bad ones left out"] = rates(model, better, sought)
        rows[f"enrolled {about}: mean, weighed"] = rates(model, walks, sought, "mean")
        rows[f"enrolled {about}: mean, all alike"] = rates(model, walks, sought, "mean", False)
    return rows


def _best(walks: list) -> list:
    """The walks that weigh at least half of the best."""
    weights = [quality.of(np.asarray(walk), COCO).weight for walk in walks]
    return [w for w, weight in zip(walks, weights, strict=True) if weight >= max(weights) / 2]


def of_cmu(model, root: str) -> dict:
    """The test subjects: trial 00 of each is enrolled, the others are looked for."""
    folder = Path(root)
    split = json.loads((folder / "partition.json").read_text())["TEST_SET"]

    def walk(subject, trial, view):
        (file,) = (folder / subject / trial / view).glob("*.pkl")
        return pickle.loads(file.read_bytes())

    views = ("000", "030", "060", "090", "180", "270")
    later = {s: sorted(p.name for p in (folder / s).iterdir())[1:] for s in split}
    usual = {s: [walk(s, "00", v) for v in views] for s in split}
    everything = [(s, walk(s, t, v)) for s in split for t in later[s] for v in views]
    rows = {"all cameras": rates(model, usual, everything)}
    rows["all cameras, match mean"] = rates(model, usual, everything, "mean")
    alone = {s: [walk(s, "00", "090")] for s in split}
    for view in views:
        seen = [(s, walk(s, t, view)) for s in split for t in later[s]]
        rows[f"enrolled from 090 alone, seen from {view}"] = rates(model, alone, seen)
    for seconds in (1, 2):
        short = [(s, w[: seconds * 30]) for s, w in everything]
        rows[f"{seconds} s long"] = rates(model, usual, short)
    return rows


def tuning(folder: Path) -> dict:
    """The people enrolled, tuned on their walks in everyday clothes and with a bag, looked for in a
    coat. Enrolled with the walks that were tuned on; the strangers come in a coat too.
    """
    people, side, before = walkers_of(PEOPLE + STRANGERS), ("000", "090"), ("nm-01", "bg-01")
    named = [(f"{i:03d}", person) for i, person in enumerate(people)]
    shutil.rmtree(folder, ignore_errors=True)
    for name, person in named[:PEOPLE]:
        for kind in before:
            for view in side:
                where = folder / "people" / name / kind / view
                where.mkdir(parents=True)
                (where / f"{view}.pkl").write_bytes(pickle.dumps(person[kind][view]))
    split = {"TRAIN_SET": [name for name, _ in named[:PEOPLE]], "TEST_SET": []}
    (folder / "people" / "partition.json").write_text(json.dumps(split))
    enrolled = {n: [p[k][v] for k in before for v in side] for n, p in named[:PEOPLE]}
    probes = [(n, p["cl-01"][v]) for n, p in named for v in side]
    rows = {"as it comes": rates(gaitjax.load(SHIPPED / "weights.npz"), enrolled, probes)}
    for about, frozen in (("tuned, the last layer alone", True), ("tuned", False)):
        began = time.monotonic()
        workdir = tune(folder / "people", folder / f"run_{frozen}", frozen=frozen)
        _KNOWN.clear()
        rows[about] = rates(gaitjax.load(workdir), enrolled, probes)
        rows[about]["seconds"] = time.monotonic() - began
    return rows
