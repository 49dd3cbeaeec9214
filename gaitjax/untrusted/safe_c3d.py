"""C3D files of motion capture, read as data of bounded size: points by name, and their rate.

The format: "The C3D File Format, a technical user guide" (c3d.org). The library `c3d` reads the
bytes; forces, muscles and events are left out.
"""

import io
import os
import warnings
from types import ModuleType
from typing import NamedTuple

import numpy as np

from gaitjax.errors import DataError
from gaitjax.extras import optional
from gaitjax.untrusted import reading

_BYTES = 64 << 20  # a walk has 2 MB
_FRAMES = 100_000
_METRES = {"mm": 0.001, "cm": 0.01, "m": 1.0}
_FAR = 1000.0  # metres: beyond is no place in a laboratory


class Capture(NamedTuple):
    """What was captured.

    Attributes:
      rate: frames a second.
      points: name -> (T, 3) float64 metres, in the file's own axes; NaN where not captured.
    """

    rate: float
    points: dict[str, np.ndarray]


def library() -> ModuleType:
    """What reads the bytes; DataError says how to install it."""
    return optional("c3d", "c3d", "reads motion capture files")


def read(path: str | os.PathLike) -> Capture:
    """The points of a C3D file; of names as "anna:LASI" what stands behind the colon.

    Raises:
      DataError: the library is missing; no ordinary file, unreadable or above 64 MiB; no C3D
        file or a damaged one; more than 100,000 frames; another unit of length.
    """
    c3d = library()
    data = reading.read(path, _BYTES)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what matters of it is checked below
            return _capture(c3d.Reader(io.BytesIO(data)))
    except Exception as error:  # whatever a malformed file provokes
        reason = (str(error) or type(error).__name__)[:200]
        raise DataError(
            f"{path}: no C3D file with points, or a damaged one ({reason}); copy it again"
        ) from None


def _capture(reader) -> Capture:
    """The points of a `c3d.Reader`; ValueError says what is wrong."""
    labels = []
    for name in ("POINT:LABELS", "POINT:LABELS2", "POINT:LABELS3"):  # 255 each
        if (parameter := reader.get(name)) is not None:
            labels += _texts(parameter)
    count, frames, rate = reader.point_used, reader.frame_count, float(reader.point_rate)
    unit = "".join(_texts(reader.get("POINT:UNITS"))[:1]).lower()
    if not 0 < count <= len(labels):
        raise ValueError(f"{count} points with {len(labels)} names")
    if not 0 < frames <= _FRAMES:
        raise ValueError(f"{frames} frames; at most {_FRAMES}")
    if not 1 <= rate <= 10_000:
        raise ValueError(f"{rate:g} frames a second")
    if unit not in _METRES:
        raise ValueError(f"unit of length {unit[:10]!r}; known: {', '.join(_METRES)}")
    rows = [points[:, :4].copy() for _, points, _ in reader.read_frames(copy=False)]
    if len(rows) != frames:
        raise ValueError(f"{len(rows)} of {frames} frames are there")
    values = np.stack(rows).astype(np.float64)
    places = values[..., :3] * _METRES[unit]
    if np.abs(places).max() > _FAR:
        raise ValueError(f"a point {np.abs(places).max():.3g} metres away")
    lost = (values[..., 3] < 0) | (places == 0).all(axis=-1)
    places[lost] = np.nan
    names = [label.rpartition(":")[2] for label in labels[:count]]
    return Capture(rate, {name: places[:, i] for i, name in enumerate(names) if name})


def _texts(parameter) -> list[str]:
    """The texts of a `c3d.Param`, all of one width in the file."""
    if parameter is None or not 1 <= len(parameter.dimensions) <= 2:
        raise ValueError("no names of points or no unit of length")
    width, count = (*parameter.dimensions, 1)[:2]
    data = parameter.bytes
    if len(data) != width * count:
        raise ValueError("names that are cut short")
    return [data[i * width : (i + 1) * width].decode("latin-1").strip() for i in range(count)]
