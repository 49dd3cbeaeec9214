"""How a file can be damaged: its bytes, and the structure of each kind of format."""

import io
import json
import pickletools
import re
import struct
import tarfile
import warnings
import zipfile

import numpy as np

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


def fields(data: bytes, rng: np.random.Generator) -> bytes:
    """A C3D file with one to three fields of its header or parameters replaced."""
    out = bytearray(data)
    end = data.index(b"DESCRIPTIONS", data.index(b"ANALOG"))
    for _ in range(rng.integers(1, 4)):
        value = FIELDS[rng.integers(len(FIELDS))]
        at = int(rng.integers(0, end))
        out[at : at + len(value)] = value
    return bytes(out)


FIELDS = [
    b"\0", b"\xff", b"\x01", b"\x7f", b"\x80", b"\0\0", b"\xff\xff", b"\xff\x7f", b"\0\x80",
    *(struct.pack("<f", value) for value in (0, -1, 1e30, -1e-30, np.inf, np.nan)),
]  # fmt: skip
