"""A digest of each array of a file, so that a flipped bit is never used.

Sums of words run at the speed of memory, ten times as fast as a CRC, and so a digest costs next to
nothing beside writing or reading its array. It guards against damage, not against malice.
"""

import hashlib
import json
import os
import zlib
from collections.abc import Collection, Mapping

import jax
import numpy as np

from gaitjax import progress
from gaitjax.errors import DamagedError

_ROW = 4096  # words
_ARRAYS, _REST = "digests", "digest"  # in metadata: of each array, and of all else


def of(array) -> str:
    """The digest of an array's type, shape and bytes.

    Long arrays: the CRC of the sums, modulo 2**64, of every 4096 words of 8 bytes; one changed
    bit changes one sum. Short ones, and the rest of long ones: the CRC of their bytes.
    """
    array = np.asarray(array, order="C")
    data = array.reshape(-1).view(np.uint8)
    whole = len(data) // (8 * _ROW) * (8 * _ROW)
    crc = zlib.crc32(data[whole:].data)
    if whole:
        sums = data[:whole].view(np.uint64).reshape(-1, _ROW).sum(1, np.uint64)
        crc = zlib.crc32(sums, crc)
    return f"{array.dtype.name} {array.shape} {crc:08x}"


def of_json(value) -> str:
    """The digest of a JSON value; DamagedError if it is nested without end."""
    try:
        text = json.dumps(value, sort_keys=True)
    except RecursionError:
        raise DamagedError("lists within lists without end; the metadata are damaged") from None
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def of_file(path: str | os.PathLike) -> str:
    """SHA-256 of a file's bytes, as others state it of theirs."""
    hashed, size = hashlib.sha256(), os.stat(path).st_size
    with open(path, "rb") as file, progress.counted(size, "checksum", "B") as advance:
        while block := file.read(1 << 20):
            hashed.update(block)
            advance(len(block))
    return hashed.hexdigest()


def of_tree(tree) -> dict[str, str]:
    """Digests of a pytree of arrays, by path: {"params/dense/kernel": ...}."""
    return {
        jax.tree_util.keystr(path, simple=True, separator="/"): of(leaf)
        for path, leaf in jax.tree_util.tree_leaves_with_path(tree)
    }


def sealed(metadata: Mapping, tree) -> dict:
    """`metadata`, JSON-able, with the digests of the arrays of `tree` and one of itself."""
    metadata = json.loads(json.dumps(metadata)) | {_ARRAYS: of_tree(tree)}
    return metadata | {_REST: of_json(metadata)}


def opened(metadata: dict, source: str) -> tuple[dict, dict[str, str] | None]:
    """What was `sealed`, checked, and the digests of the arrays; None: version 0.1.0 wrote none.

    Raises:
      DamagedError: the metadata are not what was written; names `source`.
    """
    rest = {key: value for key, value in metadata.items() if key != _REST}
    if metadata.keys() & {_ARRAYS, _REST} and (
        metadata.get(_REST) != of_json(rest) or not isinstance(rest.get(_ARRAYS), dict)
    ):
        raise DamagedError(
            f"{source}: damaged: the metadata are not what was written; copy it again or use "
            "another"
        )
    digests = rest.pop(_ARRAYS, None)
    return rest, digests


def check(
    tree, digests: Mapping[str, str] | None, source: str, branches: Collection[str] | None = None
) -> None:
    """DamagedError, which names `source`, unless `tree` holds exactly the arrays of `digests`.

    Args:
      digests: as of `opened`.
      branches: that `tree` holds, as "params"; None: all.
    """
    if digests is None:
        return
    found = of_tree(tree)
    expected = {
        path: value
        for path, value in digests.items()
        if branches is None or path.partition("/")[0] in branches
    }
    wrong = [p for p in found | expected if found.get(p) != expected.get(p)]
    if wrong:
        raise DamagedError(
            f"{source}: damaged: {len(wrong)} of {len(expected)} arrays are not what was written "
            f"({wrong[0]}, ...); copy it again or use another"
        )
