"""Every data set, one record each: what its files hold, who trains and tests, how it is scored.

Preparation, builders, configs, evaluation, the tables of the documents and
`zoo reproduce` follow from these records. To add a data set, add its record here and, if its
raw form is a new one, a module in `gaitjax.prepare.sets` that reads it.

Sources: specification sections 2, 9.3 to 9.6 and 10; the numbering of OUMVLP (Takemura et
al., 2018) and CASIA-B (Yu et al., 2006).
"""

import difflib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from gaitjax.errors import DataError

PREFIX = "tfds:"  # of data.name: stored by tensorflow-datasets
STORED_VERSION = "1.0.0"  # of what is stored there
POSES_AND_SILHOUETTES = ("pose", "map", "silhouette")
UNDOCUMENTED = "not documented"
WRITTEN = "The command that makes the data set writes it."  # where a partition comes from


class Roles(NamedTuple):
    """Type strings of the gallery and, by condition, of the probes.

    With `contains` a type takes a role when it contains one of the strings, else when it
    equals one. `views` lists the views the data set has; empty: any.
    """

    gallery: tuple[str, ...]
    probes: dict[str, tuple[str, ...]]
    contains: bool = False
    views: tuple[str, ...] = ()


class Preparation(NamedTuple):
    """How `python -m gaitjax.prepare` makes the data set.

    Attributes:
      command: the subcommand.
      module: below `gaitjax.prepare`, with HELP, HOLDS, add_arguments and plan.
      reads: what the module reads, in a few words.
      as_published: options that make what the published numbers are of; {joints} is the
        number of joints.
      fetches: the command can do without --source.
    """

    command: str
    module: str
    reads: str
    as_published: tuple[str, ...] = ()
    fetches: bool = False


class DataSet(NamedTuple):
    """All that is known about a data set.

    Attributes:
      title: as papers write it.
      joints: joint format of the files by what configs call the set; the first is the usual
        one.
      modalities: parts its folders may hold.
      protocol: the evaluation protocol of its configs.
      estimator: what found the poses.
      origin: where it comes from, and what to do to get it.
      terms: what one has to do to use it, in a word or two.
      identities: how many train and how many test, as published; None: as one makes it.
      preparation: None for data that is made by a command of its own, `made_by`.
      split: folders -> training and test identities; None if a JSON has to say it.
      partition_from: where that JSON comes from.
      pose_file: the pose's file in folders that hold several; "" takes them in sorted order.
      roles: gallery and probes of the single-view protocol, which then has the set's name.
      cross_view: the same for the cross-view protocol, if they are others.
      ranks: reported by the single-view protocol.
      stored: tensorflow-datasets may hold it.
      frame_rate: frames a second; None if not known.
    """

    title: str
    joints: dict[str, str]
    modalities: tuple[str, ...]
    protocol: str
    estimator: str
    origin: str
    terms: str
    identities: tuple[int, int] | None
    preparation: Preparation | None
    made_by: str = ""
    split: Callable[[Sequence[str]], tuple[tuple[str, ...], tuple[str, ...]]] | None = None
    partition_from: str = "OpenGait publishes it under datasets/ in its repository."
    pose_file: str = ""
    roles: Roles | None = None
    cross_view: Roles | None = None
    ranks: tuple[int, ...] = (1,)
    stored: bool = True
    frame_rate: float | None = None

    @property
    def numbers(self) -> tuple[int, int]:
        """`identities` of a set that has published ones."""
        assert self.identities, self.title
        return self.identities


def _numbered(first: int, last: int, width: int) -> list[str]:
    return [f"{i:0{width}d}" for i in range(first, last + 1)]


def _oumvlp_split(_) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Odd ids train; 10307, the last, tests."""
    ids = _numbered(1, 10307, 5)
    return tuple(ids[:-1:2]), tuple(ids[1::2] + ids[-1:])


def _casiab_split(_) -> tuple[tuple[str, ...], tuple[str, ...]]:
    ids = _numbered(1, 124, 3)
    return tuple(ids[:74]), tuple(ids[74:])


def _grew_split(folders: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """<id>train trains; five digits, and the unnamed probes, test."""
    train = tuple(i for i in folders if i.endswith("train"))
    return train, tuple(i for i in folders if i == "probe" or (len(i) == 5 and i.isdigit()))


def by_number(name: str) -> str:
    """The set of somebody whom no published partition places: odd numbers train, even ones test.

    It depends on the name alone, so that whoever holds a part of the data has that part right.

    >>> by_number("SUBJ017"), by_number("10268")
    ('train', 'test')
    """
    return "train" if int(name[-1]) % 2 else "test"


OUMVLP_VIEWS = tuple(f"{angle:03d}" for angle in (*range(0, 91, 15), *range(180, 271, 15)))
_CASIAB_VIEWS = tuple(f"{angle:03d}" for angle in range(0, 181, 18))
_PICKLES = "sets.pickles"
_FILMED = "motion capture, virtual cameras with an estimator's errors"


def _later(condition: str) -> tuple[str, ...]:
    """The types of a person's passes but for the first."""
    return tuple(f"{condition}-{number:02d}" for number in range(1, 30))


SETS = {
    "oumvlp": DataSet(
        title="OUMVLP",
        joints={"oumvlp": "alphapose", "oumvlp17": "coco"},
        modalities=POSES_AND_SILHOUETTES,
        protocol="oumvlp",
        estimator="AlphaPose or OpenPose",
        origin="OUMVLP-Pose: request it with the release agreement on the OU-ISIR biometric "
        "database site of Osaka University's SANKEN (ISIR)",
        terms="release agreement",
        identities=(5153, 5154),
        preparation=Preparation(
            "oumvlp",
            "sets.oumvlp",
            "OUMVLP-Pose: json for each frame, AlphaPose or OpenPose",
            as_published=("--compat", "--joints", "{joints}"),
        ),
        split=_oumvlp_split,
        roles=Roles(("01",), {"NM": ("00",)}, views=OUMVLP_VIEWS),
        frame_rate=25,
    ),
    "grew": DataSet(
        title="GREW",
        joints={"grew": "coco"},
        modalities=POSES_AND_SILHOUETTES,
        protocol="grew_local",
        estimator=UNDOCUMENTED,
        origin="GREW: request it with the agreement form on the GREW benchmark site",
        terms="agreement form",
        identities=(20_000, 6000),
        preparation=Preparation(
            "grew", "sets.grew", "GREW-Pose: text for each frame", as_published=("--compat",)
        ),
        split=_grew_split,
    ),
    "gait3d": DataSet(
        title="Gait3D",
        joints={"gait3d": "coco"},
        modalities=POSES_AND_SILHOUETTES,
        protocol="gait3d",
        estimator="HRNet",
        origin="Gait3D: request it with the agreement form on the Gait3D project page",
        terms="agreement form",
        identities=(3000, 1000),
        preparation=Preparation(
            "gait3d", "sets.gait3d", "Gait3D-Pose: text for each frame", as_published=("--compat",)
        ),
        frame_rate=25,
    ),
    "casiab": DataSet(
        title="CASIA-B",
        joints={"casiab": "coco"},
        modalities=POSES_AND_SILHOUETTES,
        protocol="casiab",
        estimator="HRNet, by GaitGraph's authors",
        origin="CASIA-B: request it from the Center for Biometrics and Security Research (CBSR) "
        "of the Chinese Academy of Sciences",
        terms="request",
        identities=(74, 50),
        preparation=Preparation(
            "casiab", "sets.casiab", "CASIA-B poses: GaitGraph's csv, or ready pickles"
        ),
        split=_casiab_split,
        roles=Roles(
            ("nm-01", "nm-02", "nm-03", "nm-04"),
            {"NM": ("nm-05", "nm-06"), "BG": ("bg-01", "bg-02"), "CL": ("cl-01", "cl-02")},
            views=_CASIAB_VIEWS,
        ),
        cross_view=Roles(
            ("nm-02", "bg-02", "cl-02"),
            {"NM": ("nm-01",), "BG": ("bg-01",), "CL": ("cl-01",)},
            views=_CASIAB_VIEWS,
        ),
        frame_rate=25,
    ),
    "sustech1k": DataSet(
        title="SUSTech1K",
        joints={"sustech1k": "coco"},
        modalities=POSES_AND_SILHOUETTES,
        protocol="sustech1k",
        estimator=UNDOCUMENTED,
        origin="SUSTech1K: request it with the agreement form on the SUSTech1K project page of "
        "Southern University of Science and Technology",
        terms="agreement form",
        identities=(250, 800),
        preparation=Preparation(
            "sustech1k", _PICKLES, "SUSTech1K: 16 pickles a sequence, of which 03 is the pose"
        ),
        pose_file="03*.pkl",
        roles=Roles(
            ("00-nm",),
            {
                "Normal": ("01-nm",),
                "Bag": ("bg",),
                "Clothing": ("cl",),
                "Carrying": ("cr",),
                "Umbrella": ("ub",),
                "Uniform": ("uf",),
                "Occlusion": ("oc",),
                "Night": ("nt",),
                "Overall": ("01", "02", "03", "04"),
            },
            contains=True,
        ),
        ranks=(1, 2, 3, 4, 5),
    ),
    "ccpg": DataSet(
        title="CCPG",
        joints={"ccpg": "alphapose"},
        modalities=POSES_AND_SILHOUETTES,
        protocol="ccpg",
        estimator=UNDOCUMENTED,
        origin="CCPG: request it with the agreement form on the CCPG project page",
        terms="agreement form",
        identities=(100, 100),
        preparation=Preparation("ccpg", _PICKLES, "CCPG: 18-joint pickles"),
    ),
    "walkers": DataSet(
        title="synthetic walkers",
        joints={"walkers": "coco"},
        modalities=("pose", "map"),
        protocol="gallery_probe",
        estimator="virtual cameras with an estimator's errors",
        origin="synthetic walkers: made here",
        terms="free",
        identities=None,
        preparation=None,
        made_by="python -m gaitjax.data.walkers",
        partition_from=WRITTEN,
        frame_rate=25,
    ),
    "cmu_walks": DataSet(
        title="CMU walks",
        joints={"cmu_walks": "coco"},
        modalities=("pose", "map"),
        protocol="gallery_probe",
        estimator=_FILMED,
        origin="walks of the CMU Graphics Lab Motion Capture Database: free at mocap.cs.cmu.edu",
        terms="free",
        identities=(7, 7),
        preparation=Preparation(
            "cmu_walks",
            "sets.cmu_walks",
            "walks of the CMU motion-capture database, free to use",
            fetches=True,
        ),
        partition_from=WRITTEN,
        frame_rate=30,
    ),
    "van_criekinge": DataSet(
        title="Van Criekinge",
        joints={"van_criekinge": "coco"},
        modalities=("pose", "map"),
        protocol="van_criekinge",
        estimator=_FILMED,
        origin="walks of able-bodied people and of people after a stroke (Van Criekinge et al., "
        "2023): free at figshare, collection 6503791",
        terms="CC0",
        identities=(69, 119),
        preparation=Preparation(
            "van_criekinge",
            "sets.van_criekinge",
            "C3D files of 138 able-bodied people and 50 after a stroke, CC0",
        ),
        partition_from=WRITTEN,
        roles=Roles(
            ("ab-00", "st-00"),
            {"Able-bodied": _later("ab"), "Stroke": _later("st")},
        ),
        frame_rate=30,
    ),
    "cu_denver": DataSet(
        title="CU Denver",
        joints={"cu_denver": "coco", "cu_denver20": "kinect"},
        modalities=("pose", "map"),
        protocol="gallery_probe",
        estimator="Kinect v2, virtual cameras with an estimator's errors",
        origin="CU Denver Gait Dataset (Konz et al., 2022): free at "
        "cse.ucdenver.edu/~bdlab/datasets/gait",
        terms="cite; no licence seen",
        identities=(62, 38),
        preparation=Preparation(
            "cu_denver", "sets.cu_denver", "text files of 100 people, Kinect v2"
        ),
        partition_from=WRITTEN,
        frame_rate=30,
    ),
    "own": DataSet(
        title="a data set of your own",
        joints={"own": "coco"},
        modalities=POSES_AND_SILHOUETTES,
        protocol="gallery_probe",
        estimator="any",
        origin="a data set of your own, with a partition.json",
        terms="yours",
        identities=None,
        preparation=Preparation("opengait", _PICKLES, "any folder of poses in OpenGait's layout"),
        partition_from="List the identities of either set in it.",
        stored=False,
    ),
}

VARIANTS = {variant: name for name, record in SETS.items() for variant in record.joints}


def get(name: str) -> DataSet:
    """The record of `name`, which may begin with PREFIX; DataError names the nearest ones."""
    stored = name.startswith(PREFIX)
    bare = name.removeprefix(PREFIX)
    if bare in SETS and (SETS[bare].stored or not stored):
        return SETS[bare]
    near = difflib.get_close_matches(name, SETS, n=3, cutoff=0.4)
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    raise DataError(
        f"unknown data set {name!r} (data.name): {hint}Known: {', '.join(SETS)}, "
        f"and of tensorflow-datasets {PREFIX}<name>."
    )


def how_to_get(name: str, root: str | Path = "DIR") -> str:
    """One sentence: where the data set comes from and the command that makes or prepares it."""
    record = get(name)
    if name.startswith(PREFIX):
        return (
            "Build it from the prepared folder with: python -m gaitjax.data.builders "
            f"{name.removeprefix(PREFIX)} --config.data.root=DIR --data_dir {root}"
        )
    if record.preparation is None:
        return f"Make it with: {record.made_by} --output {root}"
    command = f"python -m gaitjax.prepare {record.preparation.command}"
    if record.preparation.fetches:
        return f"{record.origin}; fetch and prepare it with: {command} --output {root}"
    return (
        f"{record.origin}; then prepare it with: {command} --source DOWNLOADED_DIR --output {root}"
    )


def stored_folder(data_dir: str | os.PathLike, name: str) -> Path:
    """Where tensorflow-datasets keeps the set `name` (with or without PREFIX)."""
    return Path(data_dir) / name.removeprefix(PREFIX) / STORED_VERSION
