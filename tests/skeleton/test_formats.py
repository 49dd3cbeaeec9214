"""Joint formats: what the reference fixes, what follows from names, conversions, telling."""

import numpy as np
import pytest

from gaitjax import skeleton
from gaitjax.data import walkers
from gaitjax.errors import DataError
from gaitjax.skeleton import COCO, FORMATS, convert
from tests.helpers.tiny_sets import TO_COCO

WALK = walkers.identity(0, 3, 24)[0][1].astype(np.float64)

BODY_25 = (
    "nose neck right_shoulder right_elbow right_wrist left_shoulder left_elbow left_wrist mid_hip "
    "right_hip right_knee right_ankle left_hip left_knee left_ankle right_eye left_eye right_ear "
    "left_ear left_big_toe left_small_toe left_heel right_big_toe right_small_toe right_heel"
).split()  # OpenPose's documentation of its output


def in_format(fmt: skeleton.JointFormat) -> np.ndarray:
    """The walk in a format; what COCO does not have lies where something near it does."""
    poses = convert(COCO, fmt, partial=True)(WALK)
    near = {"toe": "ankle", "heel": "ankle", "foot": "ankle", "hand": "wrist", "pinky": "wrist",
            "index": "wrist", "thumb": "wrist"}  # fmt: skip
    for j in np.flatnonzero(~poses.any(axis=(0, 2))):
        side = skeleton.side(fmt.joints[j])
        places = [place for word, place in near.items() if word in fmt.joints[j]]
        name = f"{side}_{places[0]}" if places else "nose"
        poses[:, j] = WALK[:, COCO.joints.index(name)]
        if fmt.joints[j] == "head_bottom":
            poses[:, j] = WALK[:, [0, 5, 6]].mean(axis=1)
    return poses


def test_the_reference_s_graphs():
    """Checkpoints depend on every number (specification sections 4.1, 4.5, 10.1)."""
    assert COCO.parents == (5, 0, 0, 1, 2, 0, 0, 5, 6, 7, 8, 5, 6, 11, 12, 13, 14)
    assert COCO.swap == (0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15)
    assert COCO.edges == (
        (0, 1), (0, 2), (1, 3), (2, 4), (3, 5), (4, 6), (5, 6), (5, 7), (7, 9), (6, 8),
        (8, 10), (5, 11), (6, 12), (11, 12), (11, 13), (13, 15), (12, 14), (14, 16),
    )  # fmt: skip
    assert FORMATS["coco_tteepe"] == COCO._replace(
        name="coco_tteepe", parents=(0,) + COCO.parents[1:]
    )
    alphapose = FORMATS["alphapose"]
    assert alphapose.parents == (1, 1, 1, 2, 3, 1, 5, 6, 2, 8, 9, 5, 11, 12, 0, 0, 14, 15)
    assert alphapose.swap == (0, 1, 5, 6, 7, 2, 3, 4, 11, 12, 13, 8, 9, 10, 15, 14, 17, 16)
    assert alphapose.edges == (
        (0, 1), (0, 14), (0, 15), (14, 16), (15, 17), (1, 2), (2, 3), (3, 4), (1, 5),
        (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11), (11, 12), (12, 13),
    )  # fmt: skip
    assert FORMATS["openpose"] == alphapose._replace(name="openpose")
    assert (COCO.centre, alphapose.centre) == (0, 1)
    assert skeleton.LIMBS == (
        (0, 1), (0, 2), (1, 3), (2, 4), (0, 5), (5, 7), (7, 9), (0, 6), (6, 8), (8, 10),
        (5, 11), (11, 13), (13, 15), (6, 12), (12, 14), (14, 16), (11, 12),
    )  # fmt: skip


def test_body_25_is_that_of_openpose_s_documentation():
    assert FORMATS["body_25"].joints == tuple(BODY_25)


def test_numbers_of_joints():
    counts = {name: fmt.num_joints for name, fmt in FORMATS.items()}
    assert counts == {
        "coco": 17, "coco_tteepe": 17, "alphapose": 18, "openpose": 18, "body_25": 25,
        "body_25b": 25, "coco25": 25, "halpe26": 26, "halpe68": 68, "halpe94": 94, "halpe136": 136,
        "coco_wholebody": 133, "openpose_wholebody": 134, "blazepose": 33, "h36m": 17, "mpii": 16,
        "posetrack": 17, "kinect": 20,
    }  # fmt: skip


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_hangs_together(name):
    fmt = FORMATS[name]
    assert len(set(fmt.joints)) == fmt.num_joints
    swap = np.array(fmt.swap)
    np.testing.assert_array_equal(swap[swap], np.arange(fmt.num_joints))
    assert {tuple(sorted((swap[i], swap[j]))) for i, j in fmt.edges} == {
        tuple(sorted(edge)) for edge in fmt.edges
    }
    if name != "coco":  # whose nose hangs on one shoulder
        np.testing.assert_array_equal(swap[list(fmt.parents)], np.array(fmt.parents)[swap])
    graph = skeleton.adjacency(fmt)
    np.testing.assert_allclose(graph.sum(axis=(0, 1)), 1, rtol=1e-6)
    steps = np.linalg.matrix_power((graph > 0).any(axis=0) / fmt.num_joints, 10)
    assert (steps > 0).all(), "one body, in one piece"


def test_conversions_by_name():
    np.testing.assert_array_equal(
        convert(FORMATS["alphapose"], COCO)(np.arange(54).reshape(18, 3))[:, 0] // 3, TO_COCO
    )
    body_25 = (0, 16, 15, 18, 17, 5, 2, 6, 3, 7, 4, 12, 9, 13, 10, 14, 11)  # OpenPose's document
    assert convert(FORMATS["body_25"], COCO).sources == tuple((i,) for i in body_25)
    blazepose = (0, 2, 5, 7, 8, 11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28)  # MediaPipe's
    assert convert(FORMATS["blazepose"], COCO).sources == tuple((i,) for i in blazepose)
    for name in ("halpe26", "halpe68", "halpe94", "halpe136", "coco_wholebody", "body_25b"):
        assert convert(FORMATS[name], COCO).sources == tuple((i,) for i in range(17))
    with pytest.raises(
        DataError, match=r"mpii \(16 joints\).*coco \(17\): it lacks nose, left_eye,"
    ):
        convert(FORMATS["mpii"], COCO)
    missing = convert(FORMATS["mpii"], COCO, partial=True).missing
    assert missing == ("nose", "left_eye", "right_eye", "left_ear", "right_ear")


def test_inputs_are_told_from_the_nose_or_the_centre():
    found = {f.name: f.joints[f.input_centre] for f in FORMATS.values()}
    assert (found["coco"], found["alphapose"]) == ("nose", "nose")
    assert FORMATS["coco"].input_centre == FORMATS["alphapose"].input_centre == 0
    others = {name: joint for name, joint in found.items() if joint != "nose"}
    assert others == {"mpii": "neck", "kinect": "neck"}


def test_derived_joints_are_seen_where_all_their_parts_are():
    walk = WALK.copy()
    walk[3, 5] = 0  # a shoulder
    made = convert(COCO, FORMATS["alphapose"])(walk)[:, 1]
    np.testing.assert_array_equal(made[3], 0)
    np.testing.assert_allclose(made[4, :2], (walk[4, 5, :2] + walk[4, 6, :2]) / 2)
    assert made[4, 2] == walk[4, 5:7, 2].min()


@pytest.mark.parametrize(
    "name", ["coco", "h36m", "body_25", "body_25b", "coco25", "alphapose", "mpii"]
)
def test_formats_of_as_many_joints_are_told_by_limbs(name):
    fmt = FORMATS[name]
    assert skeleton.tell(in_format(fmt)) == fmt
    if name in ("body_25", "body_25b"):
        wrong = FORMATS["body_25b" if name == "body_25" else "body_25"]
        assert skeleton.is_body(in_format(fmt), fmt) and not skeleton.is_body(in_format(fmt), wrong)


def test_what_is_no_body():
    noise = np.random.default_rng(0).uniform(1, 99, (9, 17, 3))
    assert not skeleton.is_body(noise, COCO)
    assert skeleton.is_body(np.zeros((9, 17, 3)), COCO)  # nothing says that it is none
    assert skeleton.tell(np.zeros((9, 21, 3))) is None
    with pytest.raises(DataError, match="21 joints; expected those of coco"):
        skeleton.stated(21)
    with pytest.raises(DataError, match=r"17 joints; expected those of halpe26 \(26\)"):
        skeleton.stated(17, "halpe26")
