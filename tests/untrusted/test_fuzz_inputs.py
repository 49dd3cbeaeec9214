"""Damaged and hostile input of every format: a result or a DataError, soon, and nothing else.

Each format starts from a valid file. Bytes are flipped, cut, doubled and replaced by awkward
words; json is also damaged as a tree. Everything is derived from fixed seeds.
"""

import argparse
import io
import json
import os
import pickle
import re
import signal
import tarfile
import zipfile
import zlib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gaitjax.data import partitions, records
from gaitjax.data.readers import pose_files
from gaitjax.errors import DataError
from gaitjax.prepare import inspect
from gaitjax.prepare.driver import Job
from gaitjax.prepare.sets import asf, casiab, gait3d, oumvlp, oumvlp_walker
from gaitjax.untrusted import archives, safe_json, safe_pickle
from tests.helpers import tiny_sets

MUTANTS = 250  # of each format
SECONDS = 5.0  # a mutant may take; they take about a millisecond
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
        sequence = pose_files.read(folder / name)
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


def tarred() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, text in (("1", b"1,2,3\n" * 50), ("2", b"4,5,6\n" * 50)):
            info = tarfile.TarInfo(f"001/nm-01/000/{name}.txt")
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text))
    return buffer.getvalue()


def unpack(folder):
    inside = folder / "unpacked"
    try:
        (archive,) = folder.iterdir()
        archives.unpack(archive, inside)
        assert {p.resolve().is_relative_to(inside) for p in inside.rglob("*")} <= {True}
    finally:
        left = [p for p in folder.iterdir() if p.name not in (archive.name, "unpacked")]
        assert not left, "something was unpacked elsewhere"


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
ROW = ",".join(map(str, flat(WALK[0])))
TEXT = "311,438," + ROW
TEXT_CLASS = "tensorflow_datasets.core.features.text_feature.Text"
AMC = re.match(rb"(?s).*?(?=\n3\r?\n)", (CMU / "02_02.amc").read_bytes())[0]  # two frames

# Name of the file, its valid bytes, what reads it: true if it dropped all there is.
FORMATS = {
    "oumvlp frame": (
        "00001/000_00/0001.json",
        FRAME,
        lambda folder: made(oumvlp, folder, "--person", "first"),
    ),
    "index json": ("00001/00/000.json", dumped({"2": 1, "0004": 0}), index),
    "index pickle": ("00001/00/000.pkl", pickled({2: 1, "0004": 0}), index),
    "silhouette": ("00001/00/000/0001.png", png(), silhouettes),
    "pickled silhouettes": (
        "00001/00/000/000.pkl",
        pickled(np.full((3, 40, 60), 255, np.uint8)),
        silhouettes,
    ),
    "alphapose": ("x.json", dumped(RESULTS), video("x.json")),
    "coco": (
        "x.json",
        dumped([entry | {"image_id": t} for t, entry in enumerate(RESULTS)]),
        video("x.json"),
    ),
    "mmpose": ("x.json", dumped({"instance_info": INSTANCES}), video("x.json")),
    "openpose": ("clip_000001_keypoints.json", FRAME, openpose_folder),
    "csv": (
        "x.csv",
        "\n".join(["image_name,x,y"] + [f"001-nm-01-090-00{t}.png,{ROW}" for t in (1, 2)]).encode(),
        lambda folder: made(casiab, folder),
    ),
    "txt": (
        "0001/camid1_videoid1/seq0/human_crop_f1.txt",
        TEXT.encode(),
        lambda folder: made(gait3d, folder),
    ),
    "pickle": (
        "001/nm-01/090/090.pkl",
        pickled(WALK.astype(np.float32)),
        lambda folder: inspect.read(folder, "001/nm-01/090") is None,
    ),
    "hostile pickle": (
        "x.pkl",
        pickled([WALK[:1], Hostile()]),
        lambda folder: safe_pickle.load(folder / "x.pkl") is None,
    ),
    "hostile index": ("00001/00/000.pkl", pickled({2: Hostile()}), index),
    "partition": (
        "x.json",
        dumped({"TRAIN_SET": ["001"], "TEST_SET": ["002", "003"], "PROBE_SET": ["a-b-c"]}),
        lambda folder: partitions.read(folder / "x.json") is None,
    ),
    "asf": (
        "x.asf",
        (CMU / "02.asf").read_bytes(),
        lambda folder: asf.read_skeleton(folder / "x.asf") is None,
    ),
    "amc": ("x.amc", AMC, motion),
    "zip": ("x.zip", zipped(), unpack),
    "tar": ("x.tar.gz", tarred(), unpack),
    "records": (
        "features.json",
        dumped(
            {
                "pythonClassName": "tensorflow_datasets.core.features.features_dict.FeaturesDict",
                "featuresDict": {"features": {"type": {"pythonClassName": TEXT_CLASS, "text": {}}}},
            }
        ),
        lambda folder: records.check_features(folder),
    ),
}
HOSTILE = ("hostile pickle", "hostile index")
WORDS = [
    b"1e999", b"-1e999", b"NaN", b"Infinity", b"-Infinity", b"nan", b"inf", b"true", b"null",
    b"{", b"}", b"[", b"]", b'"', b":", b",", b"\\", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\n",
    b"9" * 30, b"9" * 500, b"9" * 5000, b"1e308", b"1e-400", b"-0", b"0x10", b"1_000", b"\xc2\xb2",
    b"[" * 2000, b'{"a":' * 2000, b"(" * 500, b'"people": 1,', b'"keypoints": [],', b" ", b"\r\n",
    b"..", b"/", b"\\u0000", b"\\ud800",
]  # fmt: skip
VALUES = [
    None, True, False, 0, -1, 1, 2**31, 10**30, 10**320, 1e300, -1.5, float("nan"), float("inf"),
    "", "0", "7.jpg", "x" * 5000, "\u0000", "²", [], {}, [[]], [None], {"a": 1}, [1, 2, 3],
    [[1, 2]], [0.5] * 51, [0.5] * 54, [True] * 51, ["1"] * 51, [[0.5, 0.5]] * 17, [{}] * 3,
]  # fmt: skip


def damaged(data: bytes, rng: np.random.Generator) -> bytes:
    """One to three injuries: flipped bytes, a cut, a piece doubled or lost, a word put in."""
    out = bytearray(data)
    for _ in range(rng.integers(1, 4)):
        a, b = sorted(rng.integers(0, len(out) + 1, 2).tolist())
        kind = rng.integers(6)
        if kind == 0:
            for i in rng.integers(0, max(len(out), 1), rng.integers(1, 9)).tolist():
                if i < len(out):
                    out[i] ^= 1 << rng.integers(8)
        elif kind == 1:
            del out[a:]
        elif kind == 2:
            del out[a : min(b, a + 200)]
        elif kind == 3:
            out[a:a] = out[a : min(b, a + 200)] * int(rng.integers(1, 4))
        elif kind == 4:
            out[a:a] = WORDS[rng.integers(len(WORDS))]
        elif numbers := list(re.finditer(rb"-?[0-9.]+", bytes(out[:20_000]))):
            number = numbers[rng.integers(len(numbers))]
            out[slice(*number.span())] = WORDS[rng.integers(len(WORDS))]
    return bytes(out)


def changed(content, rng: np.random.Generator):
    """A copy of a JSON value with one node lost, doubled or replaced."""
    content = json.loads(json.dumps(content))
    node = content
    for depth in range(10):
        if not isinstance(node, list | dict) or not node:
            return VALUES[rng.integers(len(VALUES))] if depth == 0 else content
        keys = list(range(len(node))) if isinstance(node, list) else list(node)
        key = keys[rng.integers(len(keys))]
        inner = isinstance(node[key], list | dict) and node[key]
        if inner and rng.random() < 0.7:
            node = node[key]
            continue
        kind = rng.integers(4)
        if kind == 0:
            del node[key]
        elif kind == 1 and isinstance(node, list):
            node.insert(key, node[key])
        elif kind == 1:
            node[str(VALUES[rng.integers(len(VALUES))])[:50]] = node[key]
        else:
            node[key] = VALUES[rng.integers(len(VALUES))]
        return content
    return content


def mutants(data: bytes, name: str) -> list[bytes]:
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    some = [damaged(data, rng) for _ in range(MUTANTS)]
    if data[:1] in (b"{", b"["):
        trees = (changed(json.loads(data), rng) for _ in range(MUTANTS))
        some += [json.dumps(tree).encode() for tree in trees]
    some += [b"", b"\x00" * 100, b"\xef\xbb\xbf", b"\xff" * 100, b"[" * 100_000, b"{}", b"[]"]
    some += [b"null", b"1e999", b'"x"', b"9" * 100_000, b"\x80\x04.", data + data, data[::-1]]
    return some


class TooLong(BaseException):  # so that no reader can catch it
    pass


@pytest.fixture
def limited():
    """Ends what takes longer than SECONDS."""

    def stop(*_):
        raise TooLong

    before = signal.signal(signal.SIGALRM, stop)
    yield lambda: signal.setitimer(signal.ITIMER_REAL, SECONDS)
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.filterwarnings("ignore::RuntimeWarning", "error:.*cast:RuntimeWarning")
@pytest.mark.parametrize("name", FORMATS)
def test_damaged_input(name, tmp_path, monkeypatch, limited):
    monkeypatch.chdir(tmp_path)
    file, data, read = FORMATS[name]
    refused = 0
    for i, mutant in enumerate([data, *mutants(data, name)]):
        folder = tmp_path / str(i)
        path = folder / file
        path.parent.mkdir(parents=True)
        path.write_bytes(mutant)
        limited()
        try:
            refused += bool(read(folder))
        except DataError as error:
            assert 20 < len(str(error)) < 20_000
            refused += 1
        except BaseException as error:
            pytest.fail(f"mutant {i}, {mutant[:200]!r}: {error!r}", pytrace=True)
        if i == 0:
            assert refused == (name in HOSTILE), "the file as it is"
        assert not (tmp_path / CANARY).exists(), f"mutant {i} ran code"
    signal.setitimer(signal.ITIMER_REAL, 0)
    assert refused > 10


def test_the_canary_would_sing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pickle.loads(pickled(Hostile()))
    assert (tmp_path / CANARY).exists()


def test_json_frames_are_bounded(tmp_path):
    path = tmp_path / "x.json"
    with open(path, "wb") as file:
        file.truncate(safe_json.FRAME_LIMIT + 1)
    with pytest.raises(DataError, match="refused above 16 MiB"):
        safe_json.load(path)
    os.mkfifo(tmp_path / "pipe.json")
    with pytest.raises(DataError, match="not an ordinary file"):
        safe_json.load(tmp_path / "pipe.json")
    with pytest.raises(DataError, match="not an ordinary file"):
        pose_files.read(tmp_path / "pipe.json")


def test_last_of_two_equal_keys_counts():
    assert safe_json.parse(b'\xef\xbb\xbf{"a": 1, "a": 2}', "x") == {"a": 2}
