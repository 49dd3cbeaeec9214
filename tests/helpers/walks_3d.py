"""A made-up walker in three dimensions, as sets of motion capture and depth cameras record one."""

from pathlib import Path

import numpy as np

from gaitjax.prepare.sets import cu_denver
from gaitjax.skeleton import KINECT
from tests.helpers.c3d_files import c3d

_SEGMENTS = dict(shoulder="HUP", elbow="HUO", wrist="RAO", hip="FEP", knee="FEO", ankle="TIO")


def body(person: int, rate: float, seconds: float = 1.5) -> dict[str, np.ndarray]:
    """COCO's joints from the shoulders down, and "head", (T, 3) metres: x ahead, y left, z up.

    `person` tells the lengths of the limbs and the pace.
    """
    rng = np.random.default_rng(person)
    size = rng.uniform(0.9, 1.1, 6)
    t = np.arange(int(seconds * rate) + 1) / rate
    phase = 2 * np.pi * rng.uniform(0.8, 1.1) * t
    x, zero = rng.uniform(1.0, 1.4) * t, 0 * t
    joints = {"head": np.stack([x, zero, zero + 1.45 + 0.15 * size[0]], axis=1)}
    for side, sign in (("left", 1), ("right", -1)):

        def hang(start, length, angle):
            return start + length * np.stack([np.sin(angle), zero, -np.cos(angle)], axis=1)

        swing = 0.4 * np.sin(phase + (sign > 0) * np.pi)
        hip = np.stack([x, zero + sign * 0.1 * size[1], zero + 0.9], axis=1)
        knee = hang(hip, 0.42 * size[2], swing)
        shoulder = np.stack([x, zero + sign * 0.19 * size[3], zero + 1.4], axis=1)
        elbow = hang(shoulder, 0.3 * size[4], -swing / 2)
        joints |= {
            f"{side}_hip": hip,
            f"{side}_knee": knee,
            f"{side}_ankle": hang(knee, 0.40 * size[2], swing - 0.2),
            f"{side}_shoulder": shoulder,
            f"{side}_elbow": elbow,
            f"{side}_wrist": hang(elbow, 0.25 * size[5], 0.2 - swing / 2),
        }
    return joints


def plug_in_gait(
    person: int, azimuth: float = 180.0, rate: float = 100.0, subject: str = ""
) -> dict[str, np.ndarray]:
    """Points of a C3D file, millimetres, z up: the walker goes where `azimuth` points to."""
    joints = body(person, rate)
    points = {
        f"{side[0].upper()}{segment}": joints[f"{side}_{joint}"]
        for side in ("left", "right")
        for joint, segment in _SEGMENTS.items()
    }
    for name, ahead, left in (("LF", 1, 1), ("RF", 1, -1), ("LB", -1, 1), ("RB", -1, -1)):
        points[f"{name}HD"] = joints["head"] + [0.08 * ahead, 0.07 * left, 0.07]
    points["LHipAngles"] = np.full_like(joints["head"], 20.0)  # no place
    cos, sin = np.cos(np.radians(azimuth)), np.sin(np.radians(azimuth))
    turn = np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1]])
    place = np.array([-0.9, 0.3, 0.0])
    return {subject + name: 1000 * (point @ turn + place) for name, point in points.items()}


def kinect(person: int, tilt: float = 8.0) -> np.ndarray:
    """Joints of KINECT (T, 20, 3) of somebody who comes to a sensor that looks down by `tilt`."""
    joints = body(person, 30.0)
    half = lambda joint: (joints[f"left_{joint}"] + joints[f"right_{joint}"]) / 2  # noqa: E731
    joints |= {"neck": half("shoulder"), "mid_hip": half("hip")}
    joints["spine"] = (joints["neck"] + joints["mid_hip"]) / 2
    for side in ("left", "right"):
        joints[f"{side}_hand"] = joints[f"{side}_wrist"] + [0, 0, -0.08]
        joints[f"{side}_foot"] = joints[f"{side}_ankle"] + [0.1, 0, -0.05]
    x, y, z = np.moveaxis(np.stack([joints[name] for name in KINECT.joints], axis=1), -1, 0)
    ahead, up = 4.0 - x, z - 1.2  # from the sensor
    cos, sin = np.cos(np.radians(tilt)), np.sin(np.radians(tilt))
    # Whoever comes has the left side on the sensor's right: its x points to the sensor's left.
    return np.stack([-y, cos * up + sin * ahead, cos * ahead - sin * up], axis=-1)


def kinect_text(points: np.ndarray, separator: str = " ") -> str:
    """Lines as CU Denver's page tells them."""
    names = cu_denver._NAMES
    return "".join(
        separator.join([name, *(f"{v:.6f}" for v in place), "0", "0", "0", "1"]) + "\n"
        for frame in points
        for name, place in zip(names, frame, strict=True)
    )


def van_criekinge(root: Path) -> Path:
    """The archive's folders: four able-bodied people, two after a stroke, two passes each."""
    for number in range(1, 5):
        folder = root / "138_HealthyPiG_10.05" / f"SUBJ{number:02d}"
        folder.mkdir(parents=True)
        for k in range(3):
            points = plug_in_gait(number, azimuth=180 * k)
            if k == 0:
                points = {name: place[:1].repeat(5, axis=0) for name, place in points.items()}
            (folder / f"SUBJ{number} ({k}).c3d").write_bytes(c3d(points))
    for number, names in ((3, ("BWA6", "BWA_10", "TVC-3 Cal 04")), (11, ("bwa 1", "bwa2"))):
        folder = root / "50_StrokePiG" / f"TVC{number:02d}"
        folder.mkdir(parents=True)
        for name in names:
            (folder / f"{name}.c3d").write_bytes(c3d(plug_in_gait(100 + number)))
    return root


def cu_denver_texts(root: Path) -> Path:
    """Six people with two walks each."""
    for person in (10267, 10555, 13209, 14723, 58035, 10268):
        (root / str(person)).mkdir(parents=True)
        for walk in (9, 10):
            (root / str(person) / f"{walk}.txt").write_text(kinect_text(kinect(person)))
    return root
