"""How good the poses of real videos are: limbs, sides, and four cameras that see one person.

    pip download --no-deps sports2d==0.8.34 pose2sim==0.10.49     # videos; unpack the two wheels
    python -m tests.programs.real_videos DIR        # where they were unpacked, or a video

For each video: people, time a frame, and of those who are seen longest how often left and right
change places, and how much a joint trembles. Then the joints of four calibrated
cameras are brought together in space and compared with what each camera saw (Pose2Sim's Demo).
"""

import argparse
import time
import xml.etree.ElementTree as xml
from pathlib import Path

import numpy as np

from gaitjax import video
from gaitjax.skeleton import COCO

LIMBS = {
    "upper arm": "shoulder elbow", "forearm": "elbow wrist", "thigh": "hip knee",
    "shank": "knee ankle",
}  # fmt: skip
SURE = 0.5  # confidence of joints that are counted


def joint(side: str, name: str) -> int:
    return COCO.joints.index(f"{side}_{name}")


def exchanges(poses: np.ndarray) -> int:
    """Frames whose legs, with left and right exchanged, would lie nearer to those before."""
    legs = poses[:, [joint(s, n) for s in ("left", "right") for n in ("hip", "knee", "ankle")], :2]
    before, now = legs[:-1], legs[1:]
    kept = np.linalg.norm(now - before, axis=-1).sum(axis=1)
    return int(
        (np.linalg.norm(now[:, [3, 4, 5, 0, 1, 2]] - before, axis=-1).sum(axis=1) < kept).sum()
    )


def tremble(poses: np.ndarray, height: float) -> float:
    """Median distance of a joint from the middle of where it is before and after, in heights."""
    off = poses[1:-1, :, :2] - (poses[:-2, :, :2] + poses[2:, :, :2]) / 2
    sure = (poses[1:-1, :, 2] > SURE) & (poses[:-2, :, 2] > SURE) & (poses[2:, :, 2] > SURE)
    return float(np.median(np.linalg.norm(off, axis=-1)[sure])) / height


def told(path: Path) -> list[video.Track]:
    """Reads one video and prints what it says of it."""
    times, people = [time.perf_counter()], 0
    for frame in video.follow(path):
        times.append(time.perf_counter())
        people += len(frame.people)
    spent = 1000 * np.diff(times)
    tracks = video.read(path, progress=False)
    print(
        f"{path.parent.parent.name}/{path.name}: {len(tracks)} tracks, {people / len(spent):.1f} "
        f"people a frame; {len(spent)} frames at {frame.fps:g} a second, of {np.median(spent):.0f} "
        f"ms (nine of ten within {np.quantile(spent, 0.9):.0f}), the first, models loaded, "
        f"{spent[0]:.0f}: {1000 / np.median(spent) / frame.fps:.2f} times real time"
    )
    for track in tracks[:3]:
        poses = track.poses
        print(
            f"  person {track.name}: {len(poses)} frames, {track.height:.0f} pixels; confidence "
            f"{np.median(poses[..., 2]):.2f}; legs exchanged in {exchanges(poses)} frames; tremble "
            f"{100 * tremble(poses, track.height):.2f} % of the height"
        )
    return tracks


def cameras(path: Path) -> list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """Of Qualisys' calibration: intrinsic matrix, rotation, place (millimetres), distortion."""
    result = []
    for camera in xml.parse(path).getroot().iter("camera"):
        place = {key: float(value) for key, value in camera.find("transform").items()}
        lens = {
            key: float(value) for key, value in camera.find("intrinsic").items() if value != "none"
        }
        # Given in 64ths of a pixel; the camera looks along its negative z, y up.
        inner = np.diag([lens["focalLengthU"], lens["focalLengthV"], 64]) / 64
        inner[:2, 2] = lens["centerPointU"] / 64, lens["centerPointV"] / 64
        turn = np.array([[place[f"r{i}{j}"] for j in "123"] for i in "123"])
        at = np.array([place[axis] for axis in "xyz"])
        bent = [lens[f"{kind}Distortion{i}"] for kind in ("radial", "tangental") for i in "12"]
        result.append((inner, np.diag([1.0, -1, -1]) @ turn, at, np.array(bent)))
    return result


def in_space(rays: np.ndarray, places: np.ndarray) -> np.ndarray:
    """(3,) nearest to lines through `places` (N, 3) along `rays` (N, 3)."""
    rays = rays / np.linalg.norm(rays, axis=1, keepdims=True)
    across = np.eye(3) - rays[:, :, None] * rays[:, None]
    return np.linalg.solve(across.sum(axis=0), np.einsum("nij,nj->i", across, places))


def four_cameras(folder: Path, tracks: list[video.Track]) -> None:
    """Prints how far, in pixels and millimetres, four cameras' joints are from one person's."""
    import cv2

    calibrated = cameras(folder / "calibration" / "Calib.qca.txt")
    shared = sorted(set.intersection(*(set(track.frames.tolist()) for track in tracks)))
    poses = np.stack([t.poses[np.searchsorted(t.frames, shared)] for t in tracks])  # (4, T, 17, 3)
    points = np.full((len(shared), COCO.num_joints, 3), np.nan)
    errors = []
    for t in range(len(shared)):
        for j in range(COCO.num_joints):
            sees = [c for c in range(len(tracks)) if poses[c, t, j, 2] > SURE]
            if len(sees) < 3:
                continue
            rays, places = [], []
            for c in sees:
                inner, turn, at, bent = calibrated[c]
                flat = cv2.undistortPoints(
                    poses[c, t, j, None, None, :2].astype(float), inner, bent
                )
                rays.append(turn.T @ [*flat[0, 0], 1.0])
                places.append(at)
            points[t, j] = in_space(np.array(rays), np.array(places))
            for c in sees:
                inner, turn, at, bent = calibrated[c]
                vector = cv2.Rodrigues(turn)[0]
                drawn, _ = cv2.projectPoints(points[t, j, None], vector, -turn @ at, inner, bent)
                errors.append((j, np.linalg.norm(drawn[0, 0] - poses[c, t, j, :2])))
    errors = np.array(errors)
    print(f"{folder.name}, four cameras, {len(shared)} frames: joints where the others see them, "
          f"median {np.median(errors[:, 1]):.1f} pixels, of ten nine within "
          f"{np.quantile(errors[:, 1], 0.9):.1f}")  # fmt: skip
    for name, ends in LIMBS.items():
        a, b = ends.split()
        both = []
        for side in ("left", "right"):
            length = np.linalg.norm(points[:, joint(side, a)] - points[:, joint(side, b)], axis=-1)
            length = length[np.isfinite(length)]
            if len(length):
                both.append(f"{side} {np.median(length):.0f} +- {length.std():.0f} mm")
        print(f"  {name}: {', '.join(both)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    if folder.is_file():
        told(folder)
        return
    told(folder / "Sports2D/Demo/demo.mp4")
    for name in ("Demo_SinglePerson", "Demo_MultiPerson"):
        place = folder / "Pose2Sim" / name
        people = [told(path) for path in sorted(place.glob("videos/cam*.mp4"))]
        if name == "Demo_SinglePerson":  # another one stands behind, further away
            four_cameras(place, [max(p, key=lambda t: t.height * len(t.frames)) for p in people])


if __name__ == "__main__":
    main()
