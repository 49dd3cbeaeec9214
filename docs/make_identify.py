"""Measures the default network of gaitjax.identify, and writes the tables of docs/identify.md.

    python docs/make_identify.py --measure --cmu CMU     measures into docs/identify.json: minutes
    python docs/make_identify.py --tune DIR              and what tuning brings: minutes
    python docs/make_identify.py                         writes the tables from there

People are synthetic walkers of a seed that the network was not trained on, and the test subjects of
the CMU walks, each as `Gallery` sees them: embeddings, nearest walk of a name.
"""

import argparse
import json
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

DOCS = Path(__file__).parent
PAGE, RECORD = DOCS / "identify.md", DOCS / "identify.json"
if __name__ == "__main__":
    sys.path.insert(0, str(DOCS.parent))

from gaitjax.command import tables  # noqa: E402

SEED, PEOPLE, STRANGERS = 118, 20, 20  # walkers: enrolled, and others who come too
VIEWS = ("000", "045", "090", "180", "270")
FRAMES = 100  # 4 s; the longest that a walker stays before the camera is 120
FPS = 25


def walkers_of(people: int) -> list[dict]:
    """Everybody's walks: type -> view -> poses."""
    from gaitjax.data import walkers

    found = []
    for number in range(1, people + 1):
        walks = walkers.identity(SEED, number, FRAMES, VIEWS)
        found.append(
            {
                kind: dict(zip(VIEWS, poses, strict=True))
                for kind, poses in zip(walkers.TYPES, walks, strict=True)
            }
        )
    return found


def rates(model, enrolled: dict, probes: list, match: str = "nearest") -> dict:
    """Identification rate and FNIR at FPIR of probes (name or None, poses), with intervals.

    Args:
      enrolled: name -> poses of its walks.
      probes: (person, poses); people who are not enrolled are strangers.
    """
    from gaitjax.evaluation import bootstrap, open_set
    from gaitjax.identify import matching, quality
    from gaitjax.skeleton import COCO

    names = np.array([name for name, walks in enrolled.items() for _ in walks])
    poses = [walk for walks in enrolled.values() for walk in walks]
    weights = np.array([quality.of(walk, COCO).weight for walk in poses])
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
    import gaitjax
    from gaitjax.data.readers import pose_tracks
    from gaitjax.identify.enrolled import SHIPPED

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
    for seconds in (1, 2, 3):
        rows[f"{seconds} s long"] = rates(
            model, usual, probes(cut=lambda w, s=seconds: w[: s * FPS])
        )
    twice = [(n, np.concatenate([p["nm-02"][v], p["nm-01"][v]])) for n, p in named for v in side]
    other = {n: [p["bg-01"][v] for v in side] for n, p in named[:PEOPLE]}
    single = [(n, p["nm-02"][v]) for n, p in named for v in side]
    rows["enrolled with a bag, 5 s long"] = rates(model, other, single)
    rows["enrolled with a bag, 10 s long: twice 5 s"] = rates(model, other, twice)
    cmu_rows = of_cmu(model, cmu) if cmu else {}
    return {
        "walkers": rows,
        "cmu": cmu_rows,
        "people": PEOPLE,
        "strangers": STRANGERS,
        "fingerprint": fingerprint_of(model),
        "date": time.strftime("%Y-%m-%d"),
    }


def fingerprint_of(model) -> str:
    from gaitjax.identify.gallery import fingerprint

    return fingerprint(model)


def of_cmu(model, root: str) -> dict:
    """The test subjects: trial 00 of each is enrolled, the others are looked for."""
    import pickle

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
    """Ten people, tuned on their walks in everyday clothes and with a bag, looked for in a coat.

    Enrolled with the walks that were tuned on; thirty others come as strangers.
    """
    import pickle
    import shutil

    import gaitjax
    from gaitjax.identify.enrolled import SHIPPED
    from gaitjax.identify.tune import tune

    people, side, before = walkers_of(40), ("000", "090"), ("nm-01", "bg-01")
    named = [(f"{i:03d}", person) for i, person in enumerate(people)]
    shutil.rmtree(folder, ignore_errors=True)
    for name, person in named[:10]:
        for kind in before:
            for view in side:
                where = folder / "people" / name / kind / view
                where.mkdir(parents=True)
                (where / f"{view}.pkl").write_bytes(pickle.dumps(person[kind][view]))
    split = {"TRAIN_SET": [name for name, _ in named[:10]], "TEST_SET": []}
    (folder / "people" / "partition.json").write_text(json.dumps(split))
    enrolled = {n: [p[k][v] for k in before for v in side] for n, p in named[:10]}
    probes = [(n, p["cl-01"][v]) for n, p in named for v in side]
    rows = {"as it comes": rates(gaitjax.load(SHIPPED / "weights.npz"), enrolled, probes)}
    for about, frozen in (("tuned, the last layer alone", True), ("tuned", False)):
        began = time.monotonic()
        workdir = tune(folder / "people", folder / f"run_{frozen}", frozen=frozen)
        _KNOWN.clear()
        rows[about] = rates(gaitjax.load(workdir), enrolled, probes)
        rows[about]["seconds"] = time.monotonic() - began
    return rows


def table(rows: dict) -> list[str]:
    """One measurement a row."""
    head = ["", "identified", "FNIR at FPIR 0.1 %", "at 1 %", "at 10 %", "walks, strangers"]
    cells = [
        [
            name,
            _spread(row["identified"], row["identified_interval"]),
            *(_spread(*pair) for pair in zip(row["fnir"], row["fnir_interval"], strict=True)),
            f"{row['mated']}, {row['strangers']}",
        ]
        for name, row in rows.items()
    ]
    return tables.markdown([head, *cells])


def _spread(value: float, bounds) -> str:
    return f"{value:.1f}" + (f" ({bounds[0]:.0f}-{bounds[1]:.0f})" if bounds else "")


def with_tables(page: str) -> str:
    """The page with the tables of the record between their marks."""
    record = json.loads(RECORD.read_text())
    for name in [name for name in ("walkers", "cmu", "tuning") if name in record]:
        begin = f"<!-- table of {name}: python docs/make_identify.py -->"
        end = f"<!-- end of {name} -->"
        text = "\n".join([begin, *table(record[name]), end])
        pattern = re.escape(begin) + ".*?" + re.escape(end)
        page, found = re.subn(pattern, lambda _, t=text: t, page, flags=re.DOTALL)
        if found != 1:
            raise ValueError(f"{found} places for the table {name!r}; expected one")
    return page


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--measure", action="store_true")
    parser.add_argument("--cmu", default="", help="what python -m gaitjax.prepare cmu_walks made")
    parser.add_argument("--tune", type=Path, help="folder for the runs")
    args = parser.parse_args()
    if args.measure or args.tune:
        from gaitjax import sharding

        sharding.start(multihost=False)
    found: dict = measure(args.cmu) if args.measure else {}
    if args.tune:
        found["tuning"] = tuning(args.tune)
    known = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    RECORD.write_text(json.dumps(known | found, indent=1) + "\n")
    PAGE.write_text(with_tables(PAGE.read_text()))
