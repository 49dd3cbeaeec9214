import io
import os
import pickle
import struct
import time
import tracemalloc

import numpy as np
import pytest

from gaitjax.errors import DataError
from gaitjax.untrusted import safe_pickle

POSES = np.arange(4 * 17 * 3, dtype=np.float32).reshape(4, 17, 3)


@pytest.fixture
def write(tmp_path):
    def write(content) -> str:
        path = tmp_path / "sequence.pkl"
        path.write_bytes(content if isinstance(content, bytes) else pickle.dumps(content))
        return path

    return write


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", ">f4", ">i4", "i8", "u1", "?"])
def test_arrays_come_back(write, protocol, dtype):
    poses = POSES.astype(dtype)
    arrays = [
        poses,
        np.asfortranarray(poses),
        poses[::2, 1:],
        poses[:0],
        poses[0, 0, 0:1].reshape(()),
    ]
    for array in arrays:
        loaded = safe_pickle.load(write(pickle.dumps(array, protocol)))
        assert loaded.dtype == array.dtype
        np.testing.assert_array_equal(loaded, array)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_list_of_equal_arrays_is_stacked(write, protocol):
    frames = [POSES[0], POSES[1].copy(), POSES[2]]
    loaded = safe_pickle.load(write(pickle.dumps(frames, protocol)))
    np.testing.assert_array_equal(loaded, POSES[:3])


@pytest.mark.parametrize("module", [b"numpy.core.multiarray", b"numpy._core.multiarray"])
def test_old_and_new_numpy_names(write, module):
    content = pickle.dumps(POSES, 2)
    old = next(m for m in (b"numpy._core.multiarray", b"numpy.core.multiarray") if m in content)
    loaded = safe_pickle.load(write(content.replace(old, module)))
    np.testing.assert_array_equal(loaded, POSES)


class Attack:
    def __reduce__(self):
        return os.mkdir, ("/tmp/gaitjax_pickle_was_run",)


@pytest.mark.parametrize(
    "value, names",
    [
        (Attack(), "posix.mkdir"),
        ([POSES, Attack()], "posix.mkdir"),
        (np.float64(1.0), "holds a float"),
        (np.ma.masked_array(POSES), "numpy.ma"),
        (np.array(["a", POSES], dtype=object), "'O8'"),
        (np.array(["text"]), "'U4'"),
        (np.zeros(3, "c8"), "'c8'"),
        ({"poses": POSES}, "a dict ('poses')"),
        ([1.0, 2.0], "list of something else"),
        ([1, 2], "list of something else"),
        ([POSES, POSES[:2]], "different shapes"),
        ([POSES[0], POSES[0].astype("f8")], "different shapes or types"),
        ([], "empty list"),
        ("text", "holds 'text'"),
    ],
)
def test_anything_else_is_refused(write, value, names):
    path = write(value)
    with pytest.raises(DataError) as raised:
        safe_pickle.load(path)
    message = str(raised.value)
    assert str(path) in message and names in message and "Re-save it" in message
    assert not os.path.exists("/tmp/gaitjax_pickle_was_run")


@pytest.mark.parametrize(
    "opcodes",
    [
        b"cos\nsystem\n(S'true'\ntR.",  # protocol 0 text
        b"(S'true'\nios\nsystem\n.",  # INST
        b"\x80\x02cnumpy\ndtype\n)\x81.",  # NEWOBJ
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\n}b.",  # state for a function
        b"\x80\x02cnumpy\nndarray\nK\x05\x85R.",  # a direct call of ndarray
        b"\x80\x04\x95\x00\x00\x00\x00\x00\x00\x00\x00P1\n.",  # persistent id
        b"\x80\x02\x82\x01.",  # extension registry
    ],
)
def test_other_opcodes_are_refused(write, opcodes):
    with pytest.raises(DataError):
        safe_pickle.load(write(opcodes))


def test_every_truncation_is_one_clear_error(write):
    content = pickle.dumps(POSES)
    for length in range(1, len(content)):
        path = write(content[:length])
        with pytest.raises(DataError, match="damaged or cut short"):
            safe_pickle.load(path)


def test_flipped_bytes_never_escape(write):
    content = bytearray(pickle.dumps(POSES[:1, :2]))
    rng = np.random.default_rng(0)
    for _ in range(2000):
        damaged = content.copy()
        damaged[rng.integers(len(damaged))] = rng.integers(256)
        path = write(bytes(damaged))
        try:
            assert safe_pickle.load(path).nbytes <= len(content)
        except DataError:
            pass


def test_empty_and_missing_files(write, tmp_path):
    with pytest.raises(DataError, match="empty"):
        safe_pickle.load(write(b""))
    with pytest.raises(DataError, match=r"nowhere\.pkl: cannot be read"):
        safe_pickle.load(tmp_path / "nowhere.pkl")
    with pytest.raises(DataError, match="not a pickle"):
        safe_pickle.load(write(b"\x93NUMPY\x01\x00v\x00"))


def bomb_shape() -> bytes:
    """A few bytes of data said to have a shape of 10**15 elements."""
    content = pickle.dumps(np.zeros((70000, 0), np.uint8), 3)
    assert content.count(struct.pack("<I", 70000)) == 1
    return content.replace(struct.pack("<I", 70000) + b"K\x00", b"\xff\xff\xff\x7fM\xff\xff")


def bomb_buffer() -> bytes:
    return b"\x80\x05\x96" + struct.pack("<Q", 2**40) + b"xxxx."


def bomb_memo() -> bytes:
    return b"\x80\x02Nr\xff\xff\xff\xff0."


def bomb_list() -> bytes:
    """One 100 kB array, 50 thousand times in a list."""
    buffer = io.BytesIO()
    pickler = pickle.Pickler(buffer, 3)
    pickler.dump([np.zeros(100_000, np.uint8)] * 50_000)
    return buffer.getvalue()


def bomb_encode() -> bytes:
    """One 100 kB text, encoded again and again."""
    text = b"X" + struct.pack("<I", 100_000) + b"x" * 100_000
    make = b"c_codecs\nencode\nq\x00" + text + b"X\x06\x00\x00\x00latin1\x86q\x01R"
    return b"\x80\x02](" + make + b"h\x00h\x01R" * 50_000 + b"e."


ARRAY = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R"
DTYPE = b"cnumpy\ndtype\nX\x02\x00\x00\x00u1\x89\x88\x87R"
DOUBLED = b"N" + b"q\x00h\x00\x86" * 40  # a tuple of a tuple ..., 2 ** 40 values
LONG = b"\x8a\xff" + b"\x7f" * 255  # a number of 2040 bits
TEXT = b"X" + struct.pack("<I", 100_000) + b"x" * 100_000


def built(shape: bytes, dtype: bytes = DTYPE, content: bytes = b"C\x04aaaa") -> bytes:
    """An array of this shape and type."""
    return b"\x80\x05" + ARRAY + b"(K\x01" + shape + dtype + b"\x89" + content + b"tb."


def bomb_repeat() -> bytes:
    """A text as a length: Python would repeat it."""
    return built(b"J" + struct.pack("<i", 500_000_000) + b"X\x04\x00\x00\x00aaaa\x86")


def bomb_product() -> bytes:
    return built(b"(" + LONG + b"q\x01" + b"h\x01" * 20_000 + b"t")


def bomb_product_of_small_numbers() -> bytes:
    return built(b"(" + b"K\xff" * 20_000 + b"t")


def bomb_name() -> bytes:
    return b"\x80\x04" + DOUBLED + b"X\x01\x00\x00\x00x\x93."


def bomb_function() -> bytes:
    return b"\x80\x04" + DOUBLED + b")R."


def bomb_code() -> bytes:
    return b"\x80\x04cnumpy\ndtype\n" + DOUBLED + b"\x89\x88\x87R."


def bomb_order() -> bytes:
    return b"\x80\x04" + DTYPE + b"(K\x03" + DOUBLED + b"NNNK\x00K\x00K\x00tb."


def bomb_data() -> bytes:
    return built(b"K\x04\x85", content=DOUBLED)


def bomb_state() -> bytes:
    return b"\x80\x05" + ARRAY + DOUBLED + b"b."


def bomb_key() -> bytes:
    return b"\x80\x04}" + DOUBLED + b"Ns."


def bomb_long_keys() -> bytes:
    """One long number, hashed again and again."""
    return b"\x80\x04}(" + LONG + b"q\x01N" + b"h\x01N" * 20_000 + b"u."


def bomb_long_names() -> bytes:
    return b"\x80\x04" + TEXT + b"q\x01" + b"h\x01h\x01\x93" * 10 + b"."


def bomb_memory() -> bytes:
    """Two bytes for an empty dictionary that is kept."""
    return b"\x80\x04" + b"}\x94" * 20_000 + b"."


def bomb_value() -> bytes:
    return b"\x80\x04" + DOUBLED + b"."


def bomb_lists() -> bytes:
    """A list of a list twice, of a list twice, ..."""
    return b"\x80\x04]" + b"".join(b"q%c](h%ch%ce" % (i, i, i) for i in range(40)) + b"."


def bomb_itself() -> bytes:
    return b"\x80\x04]q\x00(" + b"h\x00" * 1000 + b"e."


def bomb_depth() -> bytes:
    return b"\x80\x04" + b"]" * 20_000 + b"a" * 19_999 + b"."


BOMBS = [value for name, value in list(globals().items()) if name.startswith("bomb_")]


@pytest.mark.parametrize("read", [safe_pickle.load, safe_pickle.load_tree])
@pytest.mark.parametrize("bomb", BOMBS)
def test_small_files_take_little_memory_and_time(write, bomb, read):
    content = bomb()
    path = write(content)
    begin = time.process_time()
    tracemalloc.start()
    try:
        with pytest.raises(DataError) as caught:
            read(path)
            raise AssertionError("loaded")
        assert tracemalloc.get_traced_memory()[1] < 5_000_000 + 40 * len(content)
        assert time.process_time() - begin < 5
        assert len(str(caught.value)) < 1000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_trees_come_back(write, protocol):
    shared = ["a", 1]
    tree = {
        "split": {"train": ["a", "b"], "test": []},
        "annotations": [
            {"keypoint": POSES, "label": np.int64(3), "score": np.float32(0.5), "shape": (2, 3)},
            {"text": "ä", "none": None, "yes": True, "number": -1.5, "big": 2**40, 7: b"bytes"},
        ],
        "again": [shared, shared],
    }
    loaded = safe_pickle.load_tree(write(pickle.dumps(tree, protocol)))
    first, second = loaded["annotations"]
    np.testing.assert_array_equal(first.pop("keypoint"), POSES)
    assert first == {"label": 3, "score": 0.5, "shape": (2, 3)}
    assert (type(first["label"]), type(first["score"])) == (int, float)
    assert second == tree["annotations"][1]
    assert loaded["split"] == tree["split"] and loaded["again"] == tree["again"]


@pytest.mark.parametrize("value", [{"a": Attack()}, {1.5: 2}, {(1, 2): 3}, 2**65, 1j, {1, 2}])
def test_trees_of_anything_else_are_refused(write, value):
    with pytest.raises(DataError, match="Nothing in it was run"):
        safe_pickle.load_tree(write(pickle.dumps(value, 4)))
    assert not os.path.exists("/tmp/gaitjax_pickle_was_run")


def test_trees_are_bounded(write):
    path = write(pickle.dumps({"a": b"x" * 2000}))
    with pytest.raises(DataError, match="refused above"):
        safe_pickle.load_tree(path, limit=1000)
