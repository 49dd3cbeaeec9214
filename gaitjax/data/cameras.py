"""Virtual cameras around a walker, and the errors a pose estimator makes on what they film.

Coordinates are metres: x forward, y to the walker's left, z up. Both synthetic walkers and
the walks of motion capture are filmed with these.
"""

import argparse
import re

import numpy as np


def azimuths(text: str) -> tuple[str, ...]:
    """The type of an option that lists where cameras stand: "000,090" as ("000", "090")."""
    views = text.split(",")
    for view in views:
        if not re.fullmatch(r"\d{3}", view) or int(view) >= 360:
            raise argparse.ArgumentTypeError(f"{view!r}; expected 000 to 359, as in 000,090")
    return tuple(views)


def project(
    points: np.ndarray, cameras: np.ndarray, aims: np.ndarray, focal: float, image: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """What pinhole cameras see of `points`.

    Args:
      points: (T, V, 3).
      cameras, aims: (W, 3), where each camera is and where it looks; its image is level.
      focal: pixels.
      image: width and height; the aim appears in its middle.

    Returns:
      (W, T, V, 2) pixels, x right and y down; (W, T, V) metres in front of the camera.
    """
    ahead = aims - cameras
    ahead /= np.linalg.norm(ahead, axis=-1, keepdims=True)
    right = np.cross(ahead, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right, axis=-1, keepdims=True)
    axes = np.stack([right, np.cross(ahead, right), ahead], axis=1)  # right, down, depth
    seen = np.einsum("waj,wtvj->wtva", axes, points - cameras[:, None, None])
    return focal * seen[..., :2] / seen[..., 2:] + np.array(image) / 2, seen[..., 2]


def estimate(
    pixels: np.ndarray,
    depth: np.ndarray,
    blur: float | np.ndarray,
    rng: np.random.Generator,
    scale: float = 1.0,
) -> np.ndarray:
    """Poses (W, T, V, 3) float32 as an estimator would find them.

    Joints behind the body are found less well, and those are missed more often. Half of the
    error changes from frame to frame, half slowly; confidence falls with it. Missed joints
    are (0, 0, 0).

    Args:
      pixels, depth: from `project`.
      blur: 1 for an easy sight; a number or an array (W, T, V).
      scale: what a pixel of error counts for the confidence; 1 suits bodies 110 pixels tall.
    """
    shape = depth.shape
    depth = depth - depth.mean(axis=-1, keepdims=True)
    hidden = 1 / (1 + np.exp(-(depth - 0.12) / 0.03))
    body = pixels[..., 1].max(axis=-1) - pixels[..., 1].min(axis=-1)
    sigma = 0.005 * blur * (1 + hidden) * body[..., None]
    error = sigma[..., None] * (
        0.8 * rng.standard_normal((*shape, 2)) + 0.8 * _slow(rng, (*shape, 2))
    )
    confidence = 0.92 - 0.25 * hidden - 0.02 * blur * np.linalg.norm(error, axis=-1) * scale
    confidence += 0.04 * rng.standard_normal(shape)
    poses = np.concatenate([pixels + error, np.clip(confidence, 0.05, 1)[..., None]], axis=-1)
    poses[_slow(rng, shape) > 2.9 - 0.6 * hidden - 0.3 * (blur - 1)] = 0.0
    return poses.astype(np.float32)


def _slow(rng: np.random.Generator, shape: tuple[int, ...], width: int = 5) -> np.ndarray:
    """Unit normal noise that changes slowly over axis 1."""
    white = rng.standard_normal((shape[0], shape[1] + width - 1, *shape[2:]))
    windows = np.lib.stride_tricks.sliding_window_view(white, width, axis=1)
    return windows.sum(axis=-1) / np.sqrt(width)
