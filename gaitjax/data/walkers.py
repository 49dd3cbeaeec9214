"""Synthetic people who walk past cameras: a data set to learn and test with, made in seconds.

Each identity has its own body proportions and way of walking. Hip and knee angles follow
short Fourier and bump series over the gait cycle, the length of the steps moves the body
forward, and a perspective camera per view films COCO-17 joints at 25 frames a second, to
which the errors of a pose estimator are added. What should not tell people apart changes
from walk to walk: the height in metres, distance and aim of the camera, the moment it
starts. The angles have the shape of textbook gait curves (Winter, 2009); they are no
measurements.

    python -m gaitjax.data.walkers --output walkers
"""

import json
import os
import pickle
import sys
from pathlib import Path

import numpy as np

from gaitjax import command, files
from gaitjax.data import cameras
from gaitjax.data.partitions import PARTITION_FILE
from gaitjax.errors import DataError
from gaitjax.skeleton import COCO

TYPES = ("nm-01", "nm-02", "bg-01", "cl-01")  # normal twice, with a bag, in a coat
VIEWS = ("000", "045", "090", "135")  # degrees; 000 from the front, 090 from the left
FPS = 25
IMAGE = (320, 240)  # pixels
_FOCAL = 520.0  # pixels
PARAMETERS_FILE = "walkers.json"
_VERSION = 1  # raise when the same parameters give other walkers

# Mean and standard deviation over people: wider than in life, so that they are soon learnt.
_CADENCE = (0.93, 0.078)  # strides a second
_LENGTHS = dict(  # body heights
    thigh=(0.245, 0.016),
    shank=(0.246, 0.016),
    trunk=(0.288, 0.017),
    neck=(0.117, 0.010),
    hip_width=(0.100, 0.013),
    shoulder_width=(0.210, 0.021),
    upper_arm=(0.170, 0.013),
    forearm=(0.146, 0.012),
    head_forward=(0.030, 0.016),
    sway=(0.012, 0.007),
)
_ANGLES = dict(  # degrees
    hip_mean=(6.0, 3.9),
    hip_swing=(22.0, 3.2),
    hip_second=(3.0, 2.0),
    knee_rest=(5.0, 3.2),
    knee_loading=(13.0, 5.2),
    knee_swing=(55.0, 6.5),
    leg_spread=(0.5, 2.0),
    pelvis_turn=(5.0, 2.6),
    pelvis_drop=(4.0, 2.0),
    lean=(3.0, 3.9),
    shoulder_turn=(5.0, 3.2),
    shoulder_slope=(0.0, 2.6),
    arm_rest=(-4.0, 5.2),
    arm_swing_left=(18.0, 7.8),
    arm_swing_right=(18.0, 7.8),
    arm_spread=(7.0, 3.9),
    elbow_rest=(18.0, 9.1),
    elbow_swing=(14.0, 7.8),
    head_pitch=(4.0, 7.8),
)
_ANKLE = 0.039  # height of the ankle
_HEAD = 0.935  # height of its centre
_FACE = dict(  # forward, left, up from the centre of the head
    nose=(0.055, 0, 0),
    left_eye=(0.045, 0.018, 0.018),
    right_eye=(0.045, -0.018, 0.018),
    left_ear=(-0.005, 0.042, 0.008),
    right_ear=(-0.005, -0.042, 0.008),
)


def generate(
    root: str | os.PathLike,
    seed: int = 0,
    identities: int = 100,
    test_identities: int = 40,
    frames: int = 60,
    views: tuple[str, ...] = VIEWS,
) -> Path:
    """Write walkers to `root/<id>/<type>/<view>/<view>.pkl` with `root/partition.json`.

    The folder appears whole or not at all. Does nothing if it holds this very set already.

    Args:
      seed: everything follows from it; identity i is the same in sets of any size.
      identities: number of people, the last `test_identities` of whom are for testing.
      frames: mean length of a sequence; each has 0.8 to 1.2 times as many.
      views: azimuths of the cameras, degrees of three digits.

    Returns:
      `root` as a path.

    Raises:
      DataError: `root` holds something else; numbers that make no data set.
    """
    root = files.expanded(root)
    if not 0 < test_identities < identities or not 5 <= frames <= 120 or seed < 0:
        raise DataError(
            f"walkers: identities {identities}, test_identities {test_identities}, frames "
            f"{frames}, seed {seed}; expected 0 < test_identities < identities, seed >= 0 and 5 to "
            "120 frames, after which they would walk into the camera"
        )
    parameters: dict = dict(
        version=_VERSION,
        seed=seed,
        identities=identities,
        test_identities=test_identities,
        frames=frames,
    )
    if views != VIEWS:
        parameters["views"] = list(views)
    if _holds(root, parameters):
        return root
    width = max(3, len(str(identities)))
    ids = [f"{i:0{width}d}" for i in range(1, identities + 1)]
    try:
        with files.whole_folder(root) as temporary:
            for number, name in enumerate(ids, start=1):
                for kind, poses in zip(TYPES, identity(seed, number, frames, views), strict=True):
                    for view, pose in zip(views, poses, strict=True):
                        folder = temporary / name / kind / view
                        folder.mkdir(parents=True)
                        (folder / f"{view}.pkl").write_bytes(pickle.dumps(pose))
            split = identities - test_identities
            partition = dict(TRAIN_SET=ids[:split], TEST_SET=ids[split:])
            (temporary / PARTITION_FILE).write_text(json.dumps(partition) + "\n")
            (temporary / PARAMETERS_FILE).write_text(json.dumps(parameters) + "\n")
    except OSError:
        if not _holds(root, parameters):  # unless another process was faster
            raise
    return root


def identity(
    seed: int, number: int, frames: int = 60, views: tuple[str, ...] = VIEWS
) -> list[np.ndarray]:
    """One person's walks: for each of TYPES an array (views, T, 17, 3) float32.

    x, y in pixels of a 320 x 240 image, y down, and confidence; missed joints are zeros.
    The cameras of one walk film it at the same time.
    """
    rng = np.random.default_rng([seed, number])

    def draw(distribution):
        mean, sd = distribution
        return mean + sd * np.clip(rng.standard_normal(), -2.5, 2.5)

    person = {"cadence": draw(_CADENCE)}
    person |= {name: draw(value) for name, value in _LENGTHS.items()}
    person |= {name: np.radians(draw(value)) for name, value in _ANGLES.items()}
    # Camera distances vary, so only proportions can be seen: all stand equally tall.
    legs_to_head = sum(person[name] for name in ("thigh", "shank", "trunk", "neck"))
    for name in _LENGTHS:
        person[name] *= (_HEAD - _ANKLE) / legs_to_head

    walks = []
    for kind in TYPES:
        condition = kind[:2]
        count = int(rng.integers(int(0.8 * frames), int(1.2 * frames), endpoint=True))
        points = _walk(_dressed(person, condition, rng), count, rng)
        blur = {"nm": 1.0, "bg": 1.15, "cl": 1.5}[condition]
        walks.append(_film(points, np.array([float(v) for v in views]), blur, rng))
    return walks


def _dressed(person: dict, condition: str, rng: np.random.Generator) -> dict:
    """How the person walks this time: small changes from day to day, a bag or a coat."""
    walk = dict(person)
    for name in ("cadence", "hip_swing", "knee_swing", "arm_swing_left", "arm_swing_right"):
        walk[name] *= 1 + 0.03 * rng.standard_normal()
    for name in ("lean", "head_pitch", "arm_rest", "elbow_rest"):
        walk[name] += np.radians(1.0) * rng.standard_normal()
    if condition == "bg":
        side = str(rng.choice(["left", "right"]))
        walk["bag_side"] = side
        walk["bag_elbow"] = np.radians(rng.choice([10.0, 80.0]))  # in the hand, on the shoulder
        walk[f"arm_swing_{side}"] *= 0.3
        walk["lean"] += np.radians(2.0)
    elif condition == "cl":
        walk["shoulder_width"] *= 1.08
        walk["hip_width"] *= 1.10
        walk["arm_spread"] += np.radians(6.0)
        walk["arm_swing_left"] *= 0.8
        walk["arm_swing_right"] *= 0.8
        walk["knee_swing"] *= 0.95
    return walk


def _walk(t: dict, count: int, rng: np.random.Generator) -> np.ndarray:
    """(count, 17, 3) metres: x forward, y to the walker's left, z up."""
    phase = 2 * np.pi * (t["cadence"] * np.arange(count) / FPS + rng.random())  # 0: left heel down
    zero = np.zeros(count)

    def bump(cycle, centre, sharpness):
        return np.exp(sharpness * (np.cos(cycle - 2 * np.pi * centre) - 1))

    def limb(angle, length, spread):
        return length * np.stack(
            [np.sin(angle), 0 * angle + np.sin(spread), -np.cos(angle)], axis=-1
        )

    def leg(cycle, spread):
        hip = (
            t["hip_mean"]
            + t["hip_swing"] * np.cos(cycle + 0.1)
            + t["hip_second"] * np.cos(2 * cycle - 1.0)
        )
        knee = (
            t["knee_rest"]
            + t["knee_loading"] * bump(cycle, 0.13, 4.0)
            + t["knee_swing"] * bump(cycle, 0.72, 3.5)
        )
        thigh = limb(hip, t["thigh"], spread)
        return thigh, thigh + limb(hip - knee, t["shank"], spread)

    legs = {
        "left": leg(phase, t["leg_spread"]),
        "right": leg(phase + np.pi, -t["leg_spread"]),
    }
    # The lower foot carries the pelvis; two steps a stride carry it on.
    height = _ANKLE + np.logaddexp(*(-150 * ankle[:, 2] for _, ankle in legs.values())) / 150
    step = np.ptp(leg(np.linspace(0, 2 * np.pi, 50), 0.0)[1][:, 0])
    forward = 2 * step * t["cadence"] * (np.arange(count) - count / 2) / FPS
    pelvis = np.stack([forward, t["sway"] * np.cos(phase - 0.6 * np.pi), height], axis=-1)

    turn, drop = t["pelvis_turn"] * np.cos(phase), t["pelvis_drop"] * np.cos(phase - 1.5 * np.pi)
    half_hips = t["hip_width"] / 2 * np.stack([np.sin(turn), np.cos(turn), -np.sin(drop)], axis=-1)
    chest = pelvis + t["trunk"] * np.array([np.sin(t["lean"]), 0, np.cos(t["lean"])])
    turn = -t["shoulder_turn"] * np.cos(phase)
    level = zero + np.sin(t["shoulder_slope"])
    half_shoulders = (
        t["shoulder_width"] / 2 * np.stack([np.sin(turn), np.cos(turn), level], axis=-1)
    )

    joint = {}
    for side, sign, cycle in (("left", 1, phase), ("right", -1, phase + np.pi)):
        hip, shoulder = pelvis + sign * half_hips, chest + sign * half_shoulders
        knee, ankle = legs[side]
        swing = -np.cos(cycle)
        arm = t["arm_rest"] + t[f"arm_swing_{side}"] * swing
        elbow = t["elbow_rest"] + t["elbow_swing"] * (swing + 1) / 2
        if t.get("bag_side") == side:
            elbow = zero + t["bag_elbow"]
        spread = sign * t["arm_spread"]
        upper = shoulder + limb(arm, t["upper_arm"], spread)
        lower = upper + limb(arm + elbow, t["forearm"], spread / 2)
        joint |= {f"{side}_hip": hip, f"{side}_knee": hip + knee, f"{side}_ankle": hip + ankle}
        joint |= {f"{side}_shoulder": shoulder, f"{side}_elbow": upper, f"{side}_wrist": lower}

    pitch = t["head_pitch"] + np.radians(1.5) * np.cos(2 * phase)
    cos, sin = np.cos(pitch), np.sin(pitch)
    head = chest + np.array([t["head_forward"], 0, t["neck"]])
    for name, (ahead, beside, up) in _FACE.items():
        offset = [ahead * cos + up * sin, zero + beside, up * cos - ahead * sin]
        joint[name] = head + np.stack(offset, axis=-1)

    metres = rng.uniform(1.55, 1.9)
    points = metres * np.stack([joint[name] for name in COCO.joints], axis=1)
    points[..., 0] += rng.uniform(-0.3, 0.3)
    points[..., 1] += rng.uniform(-0.3, 0.3)
    return points


def _film(
    points: np.ndarray, azimuths: np.ndarray, blur: float, rng: np.random.Generator
) -> np.ndarray:
    """Poses (views, T, 17, 3) of `points` (T, 17, 3) as an estimator would find them."""
    views = len(azimuths)
    azimuth = np.radians(azimuths + rng.normal(0, 2.0, views))
    distance = rng.uniform(7.0, 9.0, views)
    heights = rng.uniform(1.2, 2.0, views)
    camera = np.stack([distance * np.cos(azimuth), distance * np.sin(azimuth), heights], axis=-1)
    aim = np.array([0, 0, 0.9]) + rng.normal(0, 0.1, (views, 3))
    pixels, depth = cameras.project(points, camera, aim, _FOCAL, IMAGE)
    return cameras.estimate(pixels, depth, blur, rng)


def _holds(root: Path, parameters: dict) -> bool:
    """Whether `root` holds exactly this set; DataError if it holds something else."""
    if not root.exists() or (root.is_dir() and not any(root.iterdir())):
        return False
    try:
        found = json.loads((root / PARAMETERS_FILE).read_text())
    except PermissionError:
        raise
    except (OSError, ValueError):
        found = "no set of walkers"
    if found != parameters:
        raise DataError(
            f"{root} holds {found}, not the walkers asked for, {parameters}; choose another "
            "folder or delete this one"
        )
    return True


def main(argv: list[str] | None = None) -> int:
    return command.run(_main, argv)


def _main(argv: list[str]) -> None:
    parser = command.parser(
        "Make a data set of synthetic walkers.",
        "python -m gaitjax.data.walkers --output walkers --identities 50",
        prog="python -m gaitjax.data.walkers",
    )
    add = parser.add_argument
    add("--output", required=True, type=command.path, help="folder to make")
    add("--seed", type=int, default=0, help="other walkers for another number (default 0)")
    add("--identities", type=int, default=100, help="people (default 100)")
    add("--test_identities", type=int, default=40, help="how many of them are for testing (40)")
    add("--frames", type=int, default=60, help="mean length of a sequence (60)")
    add(
        "--views",
        type=cameras.azimuths,
        default=VIEWS,
        metavar="LIST",
        help=f"the cameras' azimuths, degrees (default {','.join(VIEWS)})",
    )
    args = parser.parse_args(command.respelled(argv, {"--test-identities": "--test_identities"}))
    root = generate(
        args.output, args.seed, args.identities, args.test_identities, args.frames, args.views
    )
    count = args.identities * len(TYPES) * len(args.views)
    print(f"{root}: {count} sequences of {args.identities} walkers")


if __name__ == "__main__":
    sys.exit(main())
