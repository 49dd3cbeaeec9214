"""Damaged and hostile input of every format: a result or one of our errors, soon, and no more.

python -m tests.programs.fuzz --count 2000

Each format starts from a valid file. Its bytes are flipped, cut, doubled and replaced by awkward
words; its structure is damaged too: a node of a tree, a line of a text, a member or header of an
archive, an opcode of a pickle is lost, doubled, moved or replaced by what a hostile writer would
put there. Every reader must end within seconds, take memory of the order of the file, run
nothing, and say what is wrong in one of our errors. All of it follows from the seed.
"""

import argparse
import contextlib
import gzip
import io
import json
import os
import pickle
import pickletools
import re
import signal
import struct
import sys
import tarfile
import tempfile
import traceback
import tracemalloc
import warnings
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from gaitjax import weights
from gaitjax.config import load, stored
from gaitjax.data import partitions, readers, records
from gaitjax.errors import GaitjaxError
from gaitjax.prepare import inspect
from gaitjax.prepare.driver import Job
from gaitjax.prepare.sets import asf, casiab, gait3d, oumvlp, oumvlp_walker
from gaitjax.training import checkpoint, metrics
from gaitjax.untrusted import archives, safe_json, safe_pickle, safe_tensors
from tests.helpers import tiny_sets

SECONDS = 5.0  # a mutant may take; they take about a millisecond
MEMORY, SHARE = 2**26, 100  # bytes a mutant may take, and more for each byte of its file
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


def lines(data: bytes, rng: np.random.Generator) -> bytes:
    """A text with one line or word lost, doubled, moved, repeated or replaced."""
    rows = data.split(b"\n")
    i, j = rng.integers(0, len(rows), 2).tolist()
    kind = rng.integers(6)
    if kind == 0:
        del rows[i]
    elif kind == 1:
        rows.insert(j, rows[i])
    elif kind == 2:
        rows[i], rows[j] = rows[j], rows[i]
    elif kind == 3:
        rows[i:i] = [rows[i]] * 2000
    else:
        words = re.split(rb"([ ,\t]+)", rows[i])
        word = WORDS[rng.integers(len(WORDS))]
        k = int(rng.integers(len(words)))
        words[k : k + (kind == 4)] = [word] * int(rng.integers(1, 4))
        rows[i] = b"".join(words)
    return b"\n".join(rows)


def program(data: bytes, rng: np.random.Generator) -> bytes:
    """A pickle with pieces of programs put between its opcodes, or lost, or moved."""
    places = [place for *_, place in pickletools.genops(data)] + [len(data)]
    pieces = [data[a:b] for a, b in zip(places[:-1], places[1:], strict=True)]
    for _ in range(rng.integers(1, 4)):
        i, j = rng.integers(0, len(pieces), 2).tolist()
        kind = rng.integers(4)
        if kind == 0:
            del pieces[i]
            pieces = pieces or [b"."]
        elif kind == 1:
            pieces[i], pieces[j] = pieces[j], pieces[i]
        else:
            pieces.insert(i, OPCODES[rng.integers(len(OPCODES))] * int(rng.integers(1, 3)))
    return b"".join(pieces)


LONG = b"\x8a\xff" + b"\x7f" * 255  # a number of 2040 bits
OPCODES = [
    b"N", b"\x88", b"K\x01", b"J\xff\xff\xff\x7f", LONG, b"X\x04\x00\x00\x00aaaa",
    b"C\x04aaaa", b"}",
    b"]", b")",
    b"(", b"t", b"\x85", b"\x86", b"\x87", b"a", b"e", b"s", b"u", b"\x94", b"q\x00", b"h\x00",
    b"h\x01", b"R", b"b", b"\x93", b".", b"0", b"2", b"\x81", b"Q", b"I99\n", b"S'a'\n",
    b"cos\nsystem\n", b"cnumpy\ndtype\n", b"cnumpy\nndarray\n",
    b"cnumpy.core.multiarray\n_reconstruct\n", b"cnumpy.core.multiarray\nscalar\n",
    b"c_codecs\nencode\n", b"cnumpy.core.numeric\n_frombuffer\n", b"N" + b"q\x00h\x00\x86" * 40,
    b"]" + b"q\x00(h\x00h\x00e" * 40, b"(" + LONG + b"h\x00" * 2000 + b"t", b"]" * 2000,
    b"}\x94" * 2000, b"(J\x00\x65\xcd\x1dX\x04\x00\x00\x00aaaat",
    b"G\x7f\xf0\x00\x00\x00\x00\x00\x00", b"\x96" + struct.pack("<Q", 2**40),
    b"\x95" + b"\xff" * 8,
]  # fmt: skip


def npz(data: bytes, rng: np.random.Generator) -> bytes:
    """An .npz with one member's header, data or name replaced."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [(info.filename, archive.read(info)) for info in archive.infolist()]
    i = int(rng.integers(len(members)))
    name, member = members[i]
    kind = rng.integers(5)
    if kind == 0:
        del members[i]
    elif kind == 1:
        members.append((HOSTILE_NAMES[rng.integers(len(HOSTILE_NAMES))], member))
    elif kind == 2:
        members[i] = (name, damaged(member, rng))
    else:
        shape = ["(10**9,)", "(1000000000000,)", "(-1,)", "(500000000, 'aaaa')", "()", "(2, 3)"]
        descr = ["'<f4'", "'|O'", "'<U9999999'", "[('a', '<f4')]", "'<f8'", "('<f4', (9, 9))"]
        header = (
            f"{{'descr': {descr[rng.integers(len(descr))]}, 'fortran_order': False, "
            f"'shape': {shape[rng.integers(len(shape))]}}}"
        ).encode()
        header = [header, b"(" * 5000, WORDS[rng.integers(len(WORDS))]][rng.integers(3)] + b"\n"
        rest = bytes(int(rng.integers(0, 40)))
        members[i] = (name, b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + rest)
    return archived(members, rng)


def archived(members: list[tuple[str, bytes]], rng: np.random.Generator) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w") as archive:
        warnings.simplefilter("ignore")  # of names that come twice
        for name, member in members:
            kind = zipfile.ZIP_DEFLATED if rng.integers(2) else zipfile.ZIP_STORED
            archive.writestr(name, member, kind)
    data = bytearray(buffer.getvalue())
    if not rng.integers(4):  # sizes and offsets of the directory, which readers believe
        i = data.rfind(b"PK\x01\x02") + int(rng.integers(8, 46))
        data[i : i + 4] = struct.pack("<I", int(rng.choice([0, 1, 2**31, 2**32 - 1])))
    return bytes(data)


def members(data: bytes, rng: np.random.Generator) -> bytes:
    """A zip with members of hostile names, kinds and sizes."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        some = [(info.filename, archive.read(info)) for info in archive.infolist()]
    for _ in range(rng.integers(1, 3)):
        i = int(rng.integers(len(some)))
        name = HOSTILE_NAMES[rng.integers(len(HOSTILE_NAMES))]
        some.insert(i, (name, b"0" * int(rng.choice([0, 10, 2_000_000]))))
    return archived(some, rng)


def entries(data: bytes, rng: np.random.Generator) -> bytes:
    """A tar with entries of hostile names, kinds, sizes and targets."""
    buffer = io.BytesIO()
    kinds = (tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.DIRTYPE)
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for _ in range(rng.integers(1, 5)):
            info = tarfile.TarInfo(HOSTILE_NAMES[rng.integers(len(HOSTILE_NAMES))])
            info.type, info.linkname = kinds[rng.integers(len(kinds))], "../../x"
            info.size = int(rng.choice([0, 10, 20_000])) if info.isreg() else 0
            archive.addfile(info, io.BytesIO(bytes(info.size)))
    return buffer.getvalue()


HOSTILE_NAMES = [
    "../x", "/x", "a/../../x", "C:x", "a\\..\\x", "params/a", "params/a/b.npy", "metadata.npy",
    "x" * 300, "a/", ".", "..", " ", "\ud7ff.npy", "CON", "params", "params/.npy", "a\nb",
]  # fmt: skip


def tensors(data: bytes, rng: np.random.Generator) -> bytes:
    """A .safetensors file with its header damaged as a tree."""
    (length,) = struct.unpack("<Q", data[:8])
    header = json.dumps(changed(json.loads(data[8 : 8 + length]), rng)).encode()
    stated = len(header) if rng.integers(8) else int(rng.choice([0, 1, 2**40, 2**63]))
    return struct.pack("<Q", stated) + header + data[8 + length :]


def tree(data: bytes, rng: np.random.Generator) -> bytes:
    """JSON damaged as a tree."""
    return json.dumps(changed(json.loads(data), rng)).encode()


def rows(data: bytes, rng: np.random.Generator) -> bytes:
    """Lines of JSON, one damaged as a tree, or as lines."""
    some = data.split(b"\n")
    i = int(rng.integers(len(some)))
    if some[i] and rng.integers(2):
        some[i] = tree(some[i], rng)
        return b"\n".join(some)
    return lines(data, rng)


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
EDGES = [
    b"", b"\x00" * 100, b"\xef\xbb\xbf", b"\xff" * 100, b"[" * 100_000, b"{}", b"[]", b"null",
    b"1e999", b'"x"', b"9" * 100_000, b"\x80\x04.", b'{"a":' * 100_000,
]  # fmt: skip


def mutants(name: str, count: int, seed: int) -> Iterator[bytes]:
    """`count` damaged files of a format by bytes, as many by structure, and some fixed ones."""
    rng = np.random.default_rng((seed, zlib.crc32(name.encode())))
    _, data, _, structure = FORMATS[name]
    yield from (damaged(data, rng) for _ in range(count))
    if structure is not None:
        yield from (structure(data, rng) for _ in range(count))
    yield from [*EDGES, data + data, data[::-1]]


class TooLong(BaseException):  # so that no reader can catch it
    pass


@contextlib.contextmanager
def limited(size: int) -> Iterator[None]:
    """TooLong for what takes longer than SECONDS; MemoryError for what takes too much."""

    def stop(*_):
        raise TooLong

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    tracemalloc.start()
    try:
        yield
        used = tracemalloc.get_traced_memory()[1]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        tracemalloc.stop()
    if used > MEMORY + SHARE * size:
        raise MemoryError(f"{used} bytes for a file of {size}")


class Unsafe(Exception):
    """A reader failed a mutant."""


def run(name: str, count: int, folder: Path, seed: int = 0) -> tuple[int, int]:
    """Reads the mutants of a format: (how many, how many of them were refused).

    Raises:
      Unsafe: another error than ours, too long, too much memory, or code that ran.
    """
    file, data, read, _ = FORMATS[name]
    total = refused = 0
    os.chdir(folder)
    for mutant in [data, *mutants(name, count, seed)]:
        place = folder / str(total)
        path = place / file
        path.parent.mkdir(parents=True)
        path.write_bytes(mutant)
        try:
            with limited(len(mutant)):
                refusal = bool(read(place))
        except GaitjaxError as error:
            refusal = True
            if not 20 < len(str(error)) < 20_000:
                raise Unsafe(
                    f"{name}: mutant {total} of seed {seed}: {str(error)[:200]!r}"
                ) from None
        except BaseException as error:
            trace = "".join(traceback.format_exception(error)[-3:])
            raise Unsafe(
                f"{name}: mutant {total} of seed {seed}, {mutant[:200]!r}: {error!r}\n{trace}"
            ) from None
        if total == 0 and refusal != (name in HOSTILE):
            raise Unsafe(f"{name}: the file as it is")
        if (folder / CANARY).exists():
            raise Unsafe(f"{name}: mutant {total} of seed {seed} ran code")
        total, refused = total + 1, refused + refusal
    return total, refused


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=250, help="mutants of each kind (250)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--format", choices=FORMATS, nargs="+", default=list(FORMATS))
    args, failed = parser.parse_args(), 0
    for name in args.format:
        with tempfile.TemporaryDirectory() as folder:
            try:
                total, refused = run(name, args.count, Path(folder), args.seed)
                print(f"{name:20} {total} files, {refused} refused, {total - refused} read")
            except Unsafe as error:
                failed += 1
                print(f"{name:20} FAILED: {error}")
            os.chdir("/")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
