"""Every format that we read: a valid file, what reads it, and what damages its structure."""

import argparse
import gzip
import importlib.util
import io
import json
import os
import pickle
import re
import tarfile
import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from gaitjax import weights
from gaitjax.config import load, stored
from gaitjax.data import partitions, readers, records
from gaitjax.prepare import inspect
from gaitjax.prepare.driver import Job
from gaitjax.prepare.sets import asf, casiab, cu_denver, gait3d, oumvlp, oumvlp_walker
from gaitjax.training import checkpoint, metrics
from gaitjax.untrusted import archives, safe_c3d, safe_json, safe_pickle, safe_tensors
from tests.helpers import tiny_sets, walks_3d
from tests.helpers.c3d_files import c3d
from tests.programs.damage import entries, fields, lines, members, npz, program, rows, tensors, tree

CMU = Path(__file__).parents[1] / "golden" / "cmu" / "02"

WALK = tiny_sets.poses(2, 17)[:3].astype(float).round(3)
WALK18 = tiny_sets.poses(2, 18)[:3].astype(float).round(3)
JOB = Job("00001", "00", "000", ("00001/000_00",))

# Where the code of a hostile pickle would leave its trace.
CANARY = "fuzz_canary_was_here"


class Hostile:
    def __reduce__(self):
        return os.mkdir, (CANARY,)


def flat(joints) -> list[float]:
    return np.asarray(joints).ravel().tolist()


def dumped(content) -> bytes:
    return json.dumps(content).encode()


def pickled(content) -> bytes:
    return pickle.dumps(content, protocol=4)


def args_of(module, folder, *options):
    parser = argparse.ArgumentParser()
    module.add_arguments(parser)
    args = parser.parse_args(options)
    args.source, args.dataset = os.path.realpath(folder), module.__name__.split(".")[-1]
    return args


def made(module, folder, *options) -> bool:
    """Makes every sequence of a source, checks the poses; whether any was dropped."""
    plan = module.plan(args_of(module, folder, *options))
    dropped = False
    for job in plan.jobs:
        array, notes = plan.make(job)[:2]
        if array is None:
            assert notes
            dropped = True
        else:
            check_poses(array)
    return dropped


def check_poses(poses: np.ndarray) -> None:
    assert poses.ndim == 3 and poses.shape[2] == 3 and len(poses)
    assert np.isfinite(poses.astype(np.float32)).all()


def video(name: str):
    def read(folder):
        sequence = readers.read(folder / name, image_size=(640, 480))
        check_poses(sequence.poses)
        assert sequence.poses.shape[1] == 17 and len(sequence.frames) == len(sequence.poses)

    return read


def openpose_folder(folder):
    (folder / "clip_000002_keypoints.json").write_bytes(FRAME)
    video("")(folder)


def index(folder):
    frames = [(2, np.stack([WALK18[0], WALK18[1]])), (4, np.stack([WALK18[0], WALK18[1]]))]
    chosen = oumvlp_walker.by_index(str(folder), JOB, frames, [1, 2, 3, 4], Counter())
    assert set(chosen) <= {0, 1}


def silhouettes(folder):
    frames = [(1, np.stack([WALK18[0], WALK18[1]]))]
    chosen = oumvlp_walker.by_silhouettes(str(folder), JOB, frames, [1, 2, 3], Counter())
    assert set(chosen) <= {0, 1}


def zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("001/nm-01/000/1.txt", "1,2,3\n" * 50)
        archive.writestr("001/nm-01/000/2.txt", "4,5,6\n" * 50)
    return buffer.getvalue()


def tared(members: list[tuple[str, bytes]]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, member in members:
            info = tarfile.TarInfo(name)
            info.size = len(member)
            archive.addfile(info, io.BytesIO(member))
    return buffer.getvalue()


def unpacked(name: str):
    def read(folder):
        inside = folder / "unpacked"
        try:
            archives.unpack(folder / name, inside)
            assert {p.resolve().is_relative_to(inside) for p in inside.rglob("*")} <= {True}
        finally:
            left = [p for p in folder.iterdir() if p.name not in (name, "unpacked")]
            assert not left, "something was unpacked elsewhere"

    return read


def png() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.full((240, 320), 255, np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def motion(folder):
    skeleton = asf.read_skeleton(CMU / "02.asf")
    asf.pose(skeleton, asf.read_motion(folder / "x.amc", skeleton))


PEOPLE = [{"pose_keypoints_2d": flat(WALK18[0])}, {"pose_keypoints_2d": flat(WALK18[1])}]
FRAME = dumped({"version": 1.0, "people": PEOPLE})
RESULTS = [
    {"image_id": f"{t}.jpg", "category_id": 1, "keypoints": flat(w), "score": 2.5, "idx": [0.0]}
    for t, w in enumerate(WALK)
]
INSTANCES = [
    {
        "frame_id": t,
        "instances": [
            {"keypoints": w[:, :2].tolist(), "keypoint_scores": w[:, 2].tolist(), "bbox_score": 1}
        ],
    }
    for t, w in enumerate(WALK)
]
SHARES = flat(WALK[0] / [640, 480, 1])
COLUMNS = {
    "name": "person",
    "keypoints": {"x": SHARES[::3], "y": SHARES[1::3], "visible": SHARES[2::3]},
}
POINTS = [{"x": 0.4 + i / 99, "y": 0.2 + i / 50, "visibility": 0.9} for i in range(33)]
LABELLED = {
    "images": [{"id": t, "file_name": f"{t}.jpg"} for t in range(len(WALK))],
    "annotations": [entry | {"image_id": t} for t, entry in enumerate(RESULTS)],
    "categories": [{"name": "person", "keypoints": ["nose"]}],
}
SKELETONS = {
    "frame_dir": "a",
    "img_shape": (480, 640),
    "keypoint": WALK[None, ..., :2],
    "keypoint_score": WALK[None, ..., 2],
}
ROW = ",".join(map(str, flat(WALK[0])))
TEXT = "311,438," + ROW
AMC = re.match(rb"(?s).*?(?=\n3\r?\n)", (CMU / "02_02.amc").read_bytes())[0]  # two frames


def weights_file(suffix: str) -> bytes:
    """A small weights file without digests, as a stranger may write it."""
    rng = np.random.default_rng(0)
    flat = {"params/a/kernel": rng.normal(size=(2, 3)), "batch_stats/b/mean": rng.normal(size=3)}
    texts = json.dumps({"step": 7, "config": {"seed": 1}})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"w{suffix}"
        if suffix == ".npz":
            np.savez(path, metadata=np.array(texts), **flat)
        else:
            safe_tensors.save(path, flat, {"metadata": texts})
        return path.read_bytes()


def loaded(name: str):
    def read(folder):
        variables, metadata = weights.load(folder / name)
        assert isinstance(variables, dict) and isinstance(metadata, dict)

    return read


ANNOTATED = {
    "split": {"train": ["a", "b"]},
    "annotations": [{"frame_dir": "a", "keypoint": WALK[None], "label": 1, "img_shape": (2, 3)}],
}

TEXTS = [(f"001/{i}.txt", b"1,2,3\n" * 50) for i in range(2)]
TEXT_CLASS = "tensorflow_datasets.core.features.text_feature.Text"

# Name of the file, its valid bytes, what reads it (true if it dropped all there is), and what
# damages its structure.
FORMATS: dict[str, tuple[str, bytes, Callable, Callable | None]] = {
    "oumvlp frame": (
        "00001/000_00/0001.json",
        FRAME,
        lambda folder: made(oumvlp, folder, "--person", "first"),
        tree,
    ),
    "index json": ("00001/00/000.json", dumped({"2": 1, "0004": 0}), index, tree),
    "index pickle": ("00001/00/000.pkl", pickled({2: 1, "0004": 0}), index, program),
    "silhouette": ("00001/00/000/0001.png", png(), silhouettes, None),
    "pickled silhouettes": (
        "00001/00/000/000.pkl",
        pickled(np.full((3, 40, 60), 255, np.uint8)),
        silhouettes,
        program,
    ),
    "alphapose": ("x.json", dumped(RESULTS), video("x.json"), tree),
    "coco": (
        "x.json",
        dumped([entry | {"image_id": t} for t, entry in enumerate(RESULTS)]),
        video("x.json"),
        tree,
    ),
    "mmpose": ("x.json", dumped({"instance_info": INSTANCES}), video("x.json"), tree),
    "openpose": ("clip_000001_keypoints.json", FRAME, openpose_folder, tree),
    "annotations": ("x.json", dumped(LABELLED), video("x.json"), tree),
    "openpifpaf": (
        "x.jsonl",
        b"\n".join(dumped({"frame": t, "predictions": [e]}) for t, e in enumerate(RESULTS)),
        video("x.jsonl"),
        rows,
    ),
    "ultralytics": ("x.json", dumped([[COLUMNS], [COLUMNS]]), video("x.json"), tree),
    "mediapipe": ("x.json", dumped([POINTS, POINTS]), video("x.json"), tree),
    "yolo": ("1.txt", ("0 .5 .5 .1 .4 " + " ".join(map(str, SHARES))).encode(), video(""), lines),
    "pyskl": ("x.pkl", pickled({"annotations": [SKELETONS]}), video("x.pkl"), program),
    "csv": (
        "x.csv",
        "\n".join(["image_name,x,y"] + [f"001-nm-01-090-00{t}.png,{ROW}" for t in (1, 2)]).encode(),
        lambda folder: made(casiab, folder),
        lines,
    ),
    "txt": (
        "0001/camid1_videoid1/seq0/human_crop_f1.txt",
        TEXT.encode(),
        lambda folder: made(gait3d, folder),
        lines,
    ),
    "pickle": (
        "001/nm-01/090/090.pkl",
        pickled(WALK.astype(np.float32)),
        lambda folder: inspect.read(folder, "001/nm-01/090") is None,
        program,
    ),
    "old pickle": (
        "x.pkl",
        pickle.dumps(WALK.astype(np.float32), protocol=2),
        lambda folder: safe_pickle.load(folder / "x.pkl") is None,
        program,
    ),
    "tree pickle": (
        "x.pkl",
        pickled(ANNOTATED),
        lambda folder: safe_pickle.load_tree(folder / "x.pkl") is Ellipsis,
        program,
    ),
    "hostile pickle": (
        "x.pkl",
        pickled([WALK[:1], Hostile()]),
        lambda folder: safe_pickle.load(folder / "x.pkl") is None,
        program,
    ),
    "hostile index": ("00001/00/000.pkl", pickled({2: Hostile()}), index, program),
    "partition": (
        "x.json",
        dumped({"TRAIN_SET": ["001"], "TEST_SET": ["002", "003"], "PROBE_SET": ["a-b-c"]}),
        lambda folder: partitions.read(folder / "x.json") is None,
        tree,
    ),
    "asf": (
        "x.asf",
        (CMU / "02.asf").read_bytes(),
        lambda folder: asf.read_skeleton(folder / "x.asf") is None,
        lines,
    ),
    "amc": ("x.amc", AMC, motion, lines),
    "kinect": (
        "x.txt",
        walks_3d.kinect_text(walks_3d.kinect(1)[:3]).encode(),
        lambda folder: cu_denver.read((folder / "x.txt").read_bytes(), str(folder)) is None,
        lines,
    ),
    "zip": ("x.zip", zipped(), unpacked("x.zip"), members),
    "tar": ("x.tar", tared(TEXTS), unpacked("x.tar"), entries),
    "tar.gz": ("x.tar.gz", gzip.compress(tared(TEXTS)), unpacked("x.tar.gz"), None),
    "records": (
        "features.json",
        dumped(
            {
                "pythonClassName": "tensorflow_datasets.core.features.features_dict.FeaturesDict",
                "featuresDict": {"features": {"type": {"pythonClassName": TEXT_CLASS, "text": {}}}},
            }
        ),
        records.check_features,
        tree,
    ),
    "config": (
        "config.json",
        load("gaitgraph2_walkers").to_json().encode(),
        lambda folder: stored(safe_json.load(folder / "config.json")) is None,
        tree,
    ),
    "metrics": (
        "metrics.jsonl",
        b"".join(dumped({"step": t, "loss": 1.5, "eval/rank1": 2.0}) + b"\n" for t in range(1, 9)),
        lambda folder: metrics.evaluated(folder, 3) is None,
        rows,
    ),
    "weights npz": ("w.npz", weights_file(".npz"), loaded("w.npz"), npz),
    "weights safetensors": (
        "w.safetensors",
        weights_file(".safetensors"),
        loaded("w.safetensors"),
        tensors,
    ),
    "checkpoint": (
        "meta/metadata",
        dumped({"step": 7, "config": {"seed": 1, "model": {"name": "gaitgraph2"}}}),
        lambda folder: checkpoint._read_meta(folder) is None,
        tree,
    ),
}
if importlib.util.find_spec("c3d"):  # the library, an extra
    FORMATS["c3d"] = (
        "x.c3d",
        c3d({name: 1000 * place[:, :3] for name, place in zip("abc", WALK, strict=True)}),
        lambda folder: safe_c3d.read(folder / "x.c3d") is None,
        fields,
    )
