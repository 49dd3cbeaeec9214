"""Weights files: both formats, damage, strangers' content, files of version 0.1.0."""

import json
import struct
import zipfile

import ml_dtypes
import numpy as np
import pytest

from gaitjax import digest, weights
from gaitjax.errors import DamagedError, DataError, WeightsError
from gaitjax.untrusted import safe_npz, safe_tensors

VARIABLES = {
    "params": {"dense": {"kernel": np.arange(6, dtype=np.float32).reshape(2, 3)}},
    "batch_stats": {"bn": {"mean": np.ones(3, np.float32)}},
}
METADATA = {"step": 7, "config": {"seed": 1, "text": "ä", "list": [1, 2.5]}}


def same(a: dict, b: dict) -> bool:
    return digest.of_tree(a) == digest.of_tree(b)


@pytest.mark.parametrize("suffix", weights.SUFFIXES)
def test_both_formats_keep_every_bit(tmp_path, suffix):
    path = weights.save(tmp_path / "new" / f"w{suffix}", VARIABLES, METADATA)
    variables, metadata = weights.load(path)
    assert same(variables, VARIABLES) and metadata == METADATA
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_files_of_version_0_1_0_have_no_digests(tmp_path):
    path = tmp_path / "w.npz"
    arrays = {"params/a": np.ones(2), "metadata": np.array(json.dumps(METADATA))}
    np.savez(path, **arrays)
    variables, metadata = weights.load(path)
    assert variables["params"]["a"].tolist() == [1, 1] and metadata == METADATA


@pytest.mark.parametrize(
    "change",
    [
        lambda arrays: arrays["params/dense/kernel"].view(np.uint32).__ixor__(1),
        lambda arrays: arrays.pop("batch_stats/bn/mean"),
        lambda arrays: arrays.update({"params/new": np.ones(1)}),
        lambda arrays: arrays.update({"params/dense/kernel": np.zeros((3, 2), np.float32)}),
        lambda arrays: arrays.update(
            metadata=np.array(str(arrays["metadata"]).replace('"seed": 1', '"seed": 3'))
        ),
    ],
)
def test_what_was_not_written_is_refused(tmp_path, change):
    arrays = safe_npz.load(weights.save(tmp_path / "w.npz", VARIABLES, METADATA))
    change(arrays)
    np.savez(tmp_path / "w.npz", **arrays)
    with pytest.raises(DamagedError, match=r"w\.npz.*damaged"):
        weights.load(tmp_path / "w.npz")


def test_a_digest_sees_every_bit_and_every_place():
    rng = np.random.default_rng(0)
    for shape in [(), (1,), (5,), (4096,), (3, 4097, 2), (9000,)]:
        array = rng.normal(size=shape)
        seen = {digest.of(array)}
        bits = array.copy().reshape(-1).view(np.uint8)
        for place in rng.integers(0, len(bits), 20):
            bits[place] ^= 1 << rng.integers(8)
            seen.add(digest.of(bits.view(array.dtype).reshape(shape)))
        assert len(seen) > 1 and (len(seen) == 21 or not shape)
    words = rng.normal(size=3 * 4096)
    moved = {digest.of(np.roll(words, n)) for n in (0, 1, 4096, 5000)}
    assert len(moved) == 4
    assert digest.of(np.zeros(4, np.float32)) != digest.of(np.zeros(2, np.float64))
    assert digest.of(np.zeros((2, 3))) != digest.of(np.zeros((3, 2)))


def npy(shape: str, descr: str = "'<f4'", data: bytes = b"") -> bytes:
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + data


@pytest.mark.parametrize(
    "member",
    [
        npy("(1000000000000,)"),
        npy("(-1,)"),
        npy("('a',)"),
        npy("(500000000, 'aaaa')"),
        npy("(2,)", "'|O'", b"\x80\x04N."),
        npy("(2,)", "[('a', '<f4')]", bytes(8)),
        npy("(" * 300 + ")" * 300),
        npy("(2,)", data=bytes(7)),
        npy("(2,)", data=bytes(9)),
        b"\x93NUMPY\x07\x00",
        b"",
    ],
)
def test_a_hostile_array_is_one_line(tmp_path, member):
    path = tmp_path / "w.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("params/a.npy", member)
    with pytest.raises(DataError, match=r"w\.npz: no \.npz of arrays, or damaged") as caught:
        safe_npz.load(path)
    assert len(str(caught.value)) < 500
    with pytest.raises(DamagedError):
        weights.load(path)


def test_a_small_file_that_expands_is_refused(tmp_path):
    path = tmp_path / "w.npz"
    np.savez_compressed(path, **{"params/a": np.zeros(2**22), "metadata": np.array("{}")})
    assert path.stat().st_size < 2**16
    with pytest.raises(WeightsError, match="more than 200 times as many; nothing was unpacked"):
        weights.load(path)


def tensors(header, data: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def entry(dtype="F32", shape=(1,), offsets=(0, 4)) -> dict:
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00" * 7,
        struct.pack("<Q", 2**60) + b"{}",
        tensors(b"{"),
        tensors(b"[" * 50),
        tensors(b'{"a":' * 100_000),
        tensors({"a": entry()}, bytes(3)),
        tensors({"a": entry()}, bytes(5)),
        tensors({"a": entry("F31")}, bytes(4)),
        tensors({"a": entry(["F32"])}, bytes(4)),
        tensors({"a": entry(shape=(500_000_000, "aaaa"))}, bytes(4)),
        tensors({"a": entry(shape=[10**300] * 100)}, bytes(4)),
        tensors({"a": entry(shape=(-1, -1))}, bytes(4)),
        tensors({"a": entry(offsets=(4, 0))}, bytes(4)),
        tensors({"a": entry(offsets=(0,))}, bytes(4)),
        tensors({"a": entry(), "b": entry()}, bytes(4)),
        tensors({"a": 7, "b": None}, bytes(4)),
        tensors({"a": entry(), "__metadata__": {"metadata": 7}}, bytes(4)),
    ],
)
def test_hostile_safetensors_are_one_line(tmp_path, content):
    path = tmp_path / "w.safetensors"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        safe_tensors.load(path)
    assert str(path) in str(caught.value) and len(str(caught.value)) < 500


def test_safetensors_are_those_of_everybody(tmp_path):
    """The bytes are what the format's own page describes; bfloat16 and scalars included."""
    arrays = {"a": np.float32([1, 2]), "b": np.ones((), ml_dtypes.bfloat16), "c": np.zeros((0, 3))}
    path = tmp_path / "w.safetensors"
    safe_tensors.save(path, arrays, {"x": "y"})
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    assert json.loads(data[8 : 8 + length]) == {
        "__metadata__": {"x": "y"},
        "a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]},
        "b": {"dtype": "BF16", "shape": [], "data_offsets": [8, 10]},
        "c": {"dtype": "F64", "shape": [0, 3], "data_offsets": [10, 10]},
    }
    assert data[8 + length :] == np.float32([1, 2]).tobytes() + b"\x80\x3f"
    found, metadata = safe_tensors.load(path)
    assert metadata == {"x": "y"} and same(found, arrays)


@pytest.mark.parametrize("name", ["w.npz", "w.pt", "w.safetensors"])
def test_files_of_another_kind_are_called_by_their_name(tmp_path, name):
    path = tmp_path / name
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model/data.pkl", b"")
    with pytest.raises(WeightsError, match=r"a PyTorch file; .*convert it first: python -m conv"):
        weights.load(path)
    path.write_bytes(b"\x80\x02}q\x00.")
    with pytest.raises(WeightsError, match="a PyTorch file"):
        weights.load(path)
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(WeightsError, match="git lfs pull"):
        weights.load(path)


def test_branches_that_are_arrays(tmp_path):
    np.savez(
        tmp_path / "w.npz",
        **{"params/a": np.ones(1), "params/a/b": np.ones(1), "metadata": np.array("{}")},
    )
    with pytest.raises(WeightsError, match="one array is named as a branch of another"):
        weights.load(tmp_path / "w.npz")
