"""Sequences that `gaitjax.data.builders` stored with tensorflow-datasets, read back."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np

from gaitjax.data import sets
from gaitjax.data.listing import Listing, stamp
from gaitjax.errors import DataError
from gaitjax.extras import optional
from gaitjax.untrusted import safe_json

_CLASS = re.compile(r"tensorflow_datasets\.core\.features\.\w+\.(FeaturesDict|Tensor|Text)")
_FEATURES = frozenset(("poses", "label", "type", "view"))
_KEYS = frozenset(
    "pythonClassName featuresDict features tensor text shape dimensions dtype encoding".split()
)
_LIMIT = 2**20  # bytes of features.json; real ones have some 1500


def load_tfds():
    """The package; DataError tells how to install it."""
    return optional("tensorflow_datasets", "tfds", "stores and reads these data sets")


def read(
    root: Path, name: str, side: str
) -> tuple[Listing, Callable[[int], tuple[np.ndarray, str]]]:
    """The sequences of a split in data-set order, and what gives poses and name of each.

    The listing has no files of sequences; its stamps are those of the files of the records.

    Args:
      root: folder of tensorflow-datasets.
      name: of the data set, with the prefix "tfds:".
      side: "train" or "test".

    Raises:
      DataError: tensorflow-datasets is not installed; damaged files, or files that name
        code of others to be imported.
    """
    tfds, folder = load_tfds(), sets.stored_folder(root, name)
    paths = [folder, *sorted(folder.iterdir())]
    stamps = {str(path.relative_to(root)): stamp(path) for path in paths}
    check_features(folder)
    try:
        found = list(tfds.builder_from_directory(folder).as_data_source(split=side))
    except Exception as error:  # whatever damaged files provoke
        raise DataError(
            f"{folder}: cannot be read ({(str(error).splitlines() or [''])[0][:200]}); remove it "
            f"and build it again. {sets.how_to_get(name, str(root))}"
        ) from error
    labels, types, views = (
        np.array([record[key].decode("utf-8") for record in found])
        for key in ("label", "type", "view")
    )

    def sequence(row: int) -> tuple[np.ndarray, str]:
        return found[row]["poses"], f"{labels[row]}/{types[row]}/{views[row]} in {folder}"

    return Listing(root, labels, types, views, (), stamps), sequence


def check_features(folder: Path) -> None:
    """DataError unless `folder` describes its records with what our builders use, and no more.

    The reader of tensorflow-datasets imports whatever module the description names.
    """
    path = folder / "features.json"
    left = [(safe_json.load(path, _LIMIT), _KEYS)]
    while left:
        item, allowed = left.pop()
        if isinstance(item, list):
            left += [(value, _KEYS) for value in item]
        for key, value in item.items() if isinstance(item, dict) else ():
            names_class = key == "pythonClassName"
            if names_class and not (isinstance(value, str) and _CLASS.fullmatch(value)):
                found = f"names the class {str(value)[:100]!r}, whose module would be imported"
            elif key not in allowed:
                found = f"holds {key[:100]!r}"
            else:
                left.append((value, _FEATURES if key == "features" else _KEYS))
                continue
            raise DataError(
                f"{path}: {found}; expected the FeaturesDict, Tensor and Text of "
                "tensorflow_datasets alone. Nothing was imported: build the data set again from "
                "its prepared folder"
            )
