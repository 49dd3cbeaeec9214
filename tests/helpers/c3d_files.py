"""C3D files as Vicon writes them, made by hand from the format's guide."""

import struct

import numpy as np

_BLOCK = 512
_INTEL = 84


def c3d(
    points: dict[str, np.ndarray],
    rate: float = 100.0,
    unit: str = "mm",
    channels: int = 2,
    integers: bool = False,
) -> bytes:
    """A file of `points`, name -> (T, 3) in `unit`; NaN is written as not captured.

    Args:
      channels: of forces, ten samples a frame.
      integers: 16 bits a number, in tenths of the unit, as old files have it.
    """
    places = np.stack(list(points.values()), axis=1)  # (T, V, 3)
    frames, count = places.shape[:2]
    scale, samples, first = (0.1 if integers else -0.1), 10 if channels else 0, 31
    names = list(points)
    groups: dict[str, dict[str, tuple]] = {
        "TRIAL": {
            "ACTUAL_START_FIELD": ("h", (2,), [first, 0]),
            "ACTUAL_END_FIELD": ("h", (2,), [first + frames - 1, 0]),
        },
        "POINT": {
            "USED": ("h", (), [count]),
            "SCALE": ("f", (), [scale]),
            "RATE": ("f", (), [rate]),
            "DATA_START": ("h", (), [0]),  # filled in below
            "FRAMES": ("h", (), [frames]),
            "UNITS": _texts([unit]),
            "LABELS": _texts(names),
            "DESCRIPTIONS": _texts(["" for _ in names]),
        },
        "ANALOG": {
            "USED": ("h", (), [channels]),
            "RATE": ("f", (), [rate * samples]),
            "LABELS": _texts([f"Force{i}" for i in range(channels)]),
            "DESCRIPTIONS": _texts(["" for _ in range(channels)]),
            "GEN_SCALE": ("f", (), [1.0]),
            "SCALE": ("f", (channels,), [1.0] * channels),
            "OFFSET": ("h", (channels,), [0] * channels),
        },
    }
    blocks = -(-len(_section(groups, 0)) // _BLOCK)
    start = 2 + blocks  # the first block is number 1
    groups["POINT"]["DATA_START"] = ("h", (), [start])
    section = _section(groups, blocks).ljust(_BLOCK * blocks, b"\0")
    header = struct.pack(
        "<BBHHHHHfHHf", 2, 80, count, channels * samples, first, first + frames - 1, 10, scale,
        start, samples, rate,
    )  # fmt: skip
    lost = np.isnan(places).any(axis=-1, keepdims=True)
    values = np.where(lost, 0, places)
    words = np.concatenate([values * (10 if integers else 1), np.where(lost, -1, 0)], axis=-1)
    forces = np.zeros((frames, channels * samples))
    rows = np.concatenate([words.reshape(frames, -1), forces], axis=1)
    data = rows.round().astype("<i2") if integers else rows.astype("<f4")
    return header.ljust(_BLOCK, b"\0") + section + data.tobytes()


def _texts(texts: list[str]) -> tuple:
    width = max([len(text) for text in texts] + [1])
    return "c", (width, len(texts)), "".join(text.ljust(width) for text in texts).encode()


def _section(groups: dict[str, dict[str, tuple]], blocks: int) -> bytes:
    out = bytes([1, 80, blocks, _INTEL])
    for number, (group, parameters) in enumerate(groups.items(), start=1):
        out += struct.pack("<bb", len(group), -number) + group.encode() + struct.pack("<hB", 3, 0)
        for name, (kind, dimensions, values) in parameters.items():
            size = {"c": -1, "h": 2, "f": 4}[kind]
            data = values if kind == "c" else struct.pack(f"<{len(values)}{kind}", *values)
            body = struct.pack("<bB", size, len(dimensions)) + bytes(dimensions) + data + b"\0"
            out += struct.pack("<bb", len(name), number) + name.encode()
            out += struct.pack("<h", len(body) + 2) + body
    return out + b"\0\0"
