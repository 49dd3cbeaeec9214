"""Writes the tables of data sets and of numbers into README and docs: python docs/make_tables.py

A table stands between two marks that name it. Numbers come from gaitjax/zoo/numbers.json, what
is known about data sets from gaitjax/data/sets.py.
"""

import re
import sys
from collections.abc import Callable
from pathlib import Path

DOCS = Path(__file__).parent
if __name__ == "__main__":
    sys.path.insert(0, str(DOCS.parent))

from gaitjax import zoo  # noqa: E402
from gaitjax.command import tables  # noqa: E402
from gaitjax.data import sets  # noqa: E402
from gaitjax.zoo import numbers  # noqa: E402

ACROSS = "Rank-1 across views"


def zoo_table() -> list[str]:
    """The released weights."""
    return zoo.markdown().splitlines()


def demo_table() -> list[str]:
    """What `make demo` reaches."""
    head = ("Rank-1, nearest of 160 gallery walks", "trained", "untrained", "chance")
    of = numbers.of("gaitgraph2_walkers")
    rows = [
        (
            name,
            *(f"{value:.2f}" for value in (of[score].ours, of[score].untrained, of[score].chance)),
        )
        for name, score in (("gallery of all views", "Rank-1"), ("gallery of another view", ACROSS))
    ]
    return tables.markdown([head, *rows])


def cmu_table() -> list[str]:
    """The networks on the CMU walks."""
    about = {"skeletongait_cmu_walks": ", maps drawn from the poses"}
    rows = [("config", "Rank-1", "untrained", "mAP", "untrained")]
    for config in dict.fromkeys(
        n.config for n in numbers.read() if n.config.endswith("_cmu_walks")
    ):
        of = numbers.of(config)
        cells = [f"{v:.1f}" for s in (ACROSS, "mAP") for v in (of[s].ours, of[s].untrained)]
        rows.append((f"`{config}`{about.get(config, '')}", *cells))
    return tables.markdown(rows)


def missing_joints_table() -> list[str]:
    """What filling missed joints in other ways costs."""
    config = "gaitgraph2_cmu_walks"
    known = {
        "": "`data.impute=interpolate`, as in the configs",
        "data.impute=frame_mean": "`data.impute=frame_mean`, as GaitGraph2 has it elsewhere",
        "data.impute=knn": "`data.impute=knn`, as SkeletonGait has it elsewhere",
        "--exact": "prepared with `--exact`: no errors, cameras in place",
    }
    rows = [("data", "Rank-1, all views", "Rank-1 across views")]
    for variant, about in known.items():
        of = numbers.of(config, variant)
        rows.append((about, f"{of['Rank-1'].ours:.1f}", f"{of[ACROSS].ours:.1f}"))
    rows.append(
        ("limb lengths alone, as above", "", f"{numbers.of('limb lengths')[ACROSS].ours:.1f}")
    )
    return tables.markdown(rows)


def recipes_table() -> list[str]:
    """Recipes on cameras seen and unseen, the best first."""
    return _recipes("six", "azimuths", "sizes", "varied")


def exchanged_table() -> list[str]:
    """The chosen recipe on people by whom nothing was chosen."""
    return _recipes(*(f"{t} exchanged" for t in ("six", "azimuths", "sizes", "varied")))


def probes_table() -> list[str]:
    """What each network on the CMU walks looks at: a column for each."""
    columns: dict[str, dict[str, numbers.Number]] = {}
    for n in numbers.read():
        _, said, looked = n.variant.rpartition("@ probe ")
        if said:
            columns.setdefault(n.config.partition("_")[0], {})[looked] = n
    rows = [("", *(f"`{network}`" for network in columns))]
    for looked in next(iter(columns.values())):
        rows.append((looked, *(_of_runs(of[looked]) for of in columns.values())))
    return tables.markdown(rows)


def _recipes(*tests: str) -> list[str]:
    """A row for each recipe that was scored on `tests`, the best on all but the first on top."""
    found: dict[tuple[str, str], dict[str, numbers.Number]] = {}
    for n in numbers.read():
        settings, at, test = n.variant.rpartition("@ ")
        if at and test in tests:
            found.setdefault((n.config, settings.strip()), {})[test] = n
    rows = [("recipe", "seeds", *(test.split()[0] for test in tests))]
    unseen = {k: sum(of[test].ours or 0 for test in tests[1:]) for k, of in found.items()}
    for (config, settings), of in sorted(found.items(), key=lambda item: -unseen[item[0]]):
        name = config if config == "limb lengths" else f"`{f'{config} {settings}'.strip()}`"
        rows.append((name, str(len(of[tests[0]].seeds)), *(_of_runs(of[test]) for test in tests)))
    return tables.markdown(rows)


def _of_runs(n: numbers.Number) -> str:
    """Mean, interval over identities, and of several runs the lowest and the highest."""
    low, high = n.interval or (0, 0)
    runs = f"; {min(n.runs):.1f} - {max(n.runs):.1f}" if len(n.runs) > 1 else ""
    return f"{n.ours:.1f} ({low:.0f} to {high:.0f}{runs})"


def data_table() -> list[str]:
    """Every data set."""
    head = ("data set", "`data.name`", "joints", "found by", "who trains", "protocol", "to prepare")
    rows = []
    for name, record in sets.SETS.items():
        made = record.preparation
        how = f"`{made.command}`" if made else f"`{record.made_by} --output {name}`"
        split = "built in" if record.split else "a JSON"
        if record.partition_from == sets.WRITTEN:
            split = "written with it"
        joints = ", ".join(f"`{joints}`" for joints in dict.fromkeys(record.joints.values()))
        protocol = f"`{record.protocol}`"
        rows.append((record.title, f"`{name}`", joints, record.estimator, split, protocol, how))
    return tables.markdown([head, *rows], left=range(len(head)))


def origins_table() -> list[str]:
    """Where they come from, and what they are."""
    rows = [("data set", "identities", "frames a second", "folders may hold", "terms", "from")]
    for record in sets.SETS.values():
        identities = "{:,} + {:,}".format(*record.identities) if record.identities else "any"
        rate = f"{record.frame_rate:g}" if record.frame_rate else ""
        parts = ", ".join(record.modalities)
        rows.append((record.title, identities, rate, parts, record.terms, record.origin))
    return tables.markdown(rows, left=(0, 3, 4, 5))


TABLES: dict[str, tuple[str, Callable[[], list[str]]]] = {
    "zoo": ("README.md", zoo_table),
    "demo": ("README.md", demo_table),
    "cmu walks": ("README.md", cmu_table),
    "missing joints": ("docs/cmu_walks.md", missing_joints_table),
    "recipes": ("docs/cmu_walks.md", recipes_table),
    "probes": ("docs/cmu_walks.md", probes_table),
    "exchanged people": ("docs/cmu_walks.md", exchanged_table),
    "data sets": ("docs/data.md", data_table),
    "origins": ("docs/data.md", origins_table),
}


def with_tables(path: str, page: str) -> str:
    """The page at `path` with today's tables between their marks."""
    for name, (where, make) in TABLES.items():
        if where == path:
            begin = f"<!-- table of {name}: python docs/make_tables.py -->"
            end = f"<!-- end of {name} -->"
            pattern = re.escape(begin) + ".*?" + re.escape(end)
            table = "\n".join([begin, *make(), end])
            page, found = re.subn(pattern, lambda _, t=table: t, page, flags=re.DOTALL)
            if found != 1:
                raise ValueError(f"{path}: {found} places for the table {name!r}; expected one")
    return page


def pages() -> dict[str, Path]:
    """The pages that hold tables, by path from the root."""
    return {where: DOCS.parent / where for where, _ in TABLES.values()}


if __name__ == "__main__":
    for path, file in pages().items():
        file.write_text(with_tables(path, file.read_text()))
