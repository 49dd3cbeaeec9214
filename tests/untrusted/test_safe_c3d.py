"""C3D files: what is read of them, and one clear error for what cannot be."""

import os

import numpy as np
import pytest

from gaitjax.errors import DataError
from tests.helpers.c3d_files import c3d

pytest.importorskip("c3d")
from gaitjax.untrusted import safe_c3d  # noqa: E402

RNG = np.random.default_rng(0)
POINTS = {name: RNG.uniform(-3000, 3000, (12, 3)) for name in ("LASI", "anna:RASI", "C7")}
POINTS["C7"][3:5] = np.nan


@pytest.mark.parametrize("options", [{}, {"channels": 0}, {"integers": True}])
def test_points_by_name_in_metres(tmp_path, options):
    (tmp_path / "x.c3d").write_bytes(c3d(POINTS, rate=120.0, **options))
    rate, points = safe_c3d.read(tmp_path / "x.c3d")
    assert rate == 120 and list(points) == ["LASI", "RASI", "C7"]
    for found, expected in zip(points.values(), POINTS.values(), strict=True):
        np.testing.assert_allclose(found, expected / 1000, atol=6e-5 if options else 1e-6)


def test_other_units(tmp_path):
    (tmp_path / "x.c3d").write_bytes(c3d({"A": np.ones((3, 3))}, unit="m"))
    np.testing.assert_array_equal(safe_c3d.read(tmp_path / "x.c3d").points["A"], np.ones((3, 3)))
    (tmp_path / "x.c3d").write_bytes(c3d({"A": np.ones((3, 3))}, unit="in"))
    with pytest.raises(DataError, match="x.c3d.*unit of length 'in'; known: mm, cm, m"):
        safe_c3d.read(tmp_path / "x.c3d")


def changed(at: int, value: bytes) -> bytes:
    data = bytearray(c3d(POINTS))
    data[at : at + len(value)] = value
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "no C3D file"),
        (b"a text", "no C3D file"),
        (c3d(POINTS)[:-300], r"9 of 12 frames are there"),
        (changed(2, b"\xff\xff"), "point count"),
        (changed(512, bytes(600)), "no C3D file"),
        (c3d({"A": np.full((3, 3), 1e9)}), r"a point 1e\+06 metres away"),
        (c3d(POINTS, rate=0.5), "0.5 frames a second"),
    ],
)
def test_what_cannot_be_read_says_why(tmp_path, data, says):
    path = tmp_path / "x.c3d"
    path.write_bytes(data)
    with pytest.raises(DataError, match=f"{path}: .*{says}"):
        safe_c3d.read(path)


def test_what_is_no_file_is_not_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe.c3d")
    with pytest.raises(DataError, match="not an ordinary file"):
        safe_c3d.read(tmp_path / "pipe.c3d")
    with open(tmp_path / "big.c3d", "wb") as file:
        file.truncate((64 << 20) + 1)
    with pytest.raises(DataError, match="refused above 64 MiB"):
        safe_c3d.read(tmp_path / "big.c3d")
