"""Symbolic links that lead out of a data set's folder: followed, unless they are to be refused."""

import os
from pathlib import Path

from gaitjax.errors import DataError

CHOICES = ("follow", "refuse")


def refuse(root: str | os.PathLike, how: str) -> None:
    """DataError for the first link below `root` that leads out of it.

    Args:
      how: the option that asked for it, for the error.
    """
    real = os.path.realpath(root)
    left = [os.fspath(root)]
    while left:
        with os.scandir(left.pop()) as entries:
            for entry in entries:
                if entry.is_symlink():
                    target = os.path.realpath(entry.path)
                    if not Path(target).is_relative_to(real):
                        raise DataError(
                            f"{entry.path} leads to {target}, outside of {root}, and {how} "
                            "refuses such links: put a copy in its place, or follow them"
                        )
                elif entry.is_dir():
                    left.append(entry.path)
