"""What a zip archive may unpack to."""

import os
import zipfile
from collections.abc import Sequence

from gaitjax.errors import DataError

EXPANSION = 200  # bytes unpacked for a byte of the archive; texts of numbers reach about 10


def check_expansion(path: str | os.PathLike, members: Sequence[zipfile.ZipInfo]) -> None:
    """DataError if the archive at `path` would unpack to more than 200 times its size."""
    total, size = sum(member.file_size for member in members), os.stat(path).st_size
    if total > EXPANSION * size:
        raise DataError(
            f"{path}: {size} bytes that would unpack to {total}, more than {EXPANSION} times "
            "as many; nothing was unpacked"
        )
