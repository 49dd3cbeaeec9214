"""Joint formats, each one record of joint names; whatever else is known follows from it.

Joints at the same place have the same name in every format: "neck" is the point between the
shoulders (MPII's thorax), "mid_hip" the one between the hips (root, pelvis), "head_bottom"
MPII's upper neck. "left_" and "right_" tell which joints mirror each other. The graphs of
coco, coco_tteepe, alphapose and openpose are the reference's (specification sections 4.1,
4.5, 5.1, 10.1); the other ones are trees that grow from the neck or, without one, the nose.
"""

from typing import NamedTuple

from gaitjax.errors import DataError

Pairs = tuple[tuple[int, int], ...]


class JointFormat(NamedTuple):
    """One way of numbering the joints of a person.

    Attributes:
      name: key in `FORMATS`.
      joints: V joint names, in array order.
      edges: undirected pairs of joint indices, without self loops: the graph, and what is drawn.
      parents: for each joint, the joint its bone starts from.
      centre: joint that the graph calls its centre (neck or nose).
    """

    name: str
    joints: tuple[str, ...]
    edges: Pairs
    parents: tuple[int, ...]
    centre: int

    @property
    def num_joints(self) -> int:
        return len(self.joints)

    @property
    def input_centre(self) -> int:
        """The joint that networks' inputs are told from: the nose or, without one, the centre."""
        return self.joints.index("nose") if "nose" in self.joints else self.centre

    @property
    def swap(self) -> tuple[int, ...]:
        """Permutation of the joints that exchanges left and right."""
        return tuple(self.joints.index(mirrored(name)) for name in self.joints)

    def pairs(self, text: str) -> Pairs:
        """Indices of "joint-joint joint-joint ..."."""
        ends = (pair.split("-") for pair in text.split())
        return tuple((self.joints.index(a), self.joints.index(b)) for a, b in ends)


def side(joint: str) -> str:
    """The side of the body that a joint is on: "left", "right" or "middle"."""
    start = joint.partition("_")[0]
    return start if start in ("left", "right") else "middle"


def mirrored(joint: str) -> str:
    """The name of the same joint on the other side of the body."""
    other = {"left": "right", "right": "left", "middle": ""}[side(joint)]
    return other + joint.removeprefix(side(joint)) if other else joint


def _format(
    name: str, order: str, centre: str, bones: dict[str, str], edges: str = ""
) -> JointFormat:
    """A format of the joints in `order`.

    Args:
      bones: joint -> joint that its bone starts from; those of one side stand for both. The
        centre's starts from itself, unless told.
      edges: the graph, where it is not the bones.
    """
    joints = tuple(order.split())
    both = {centre: centre} | bones | {mirrored(j): mirrored(p) for j, p in bones.items()}
    both |= {j: p for j, p in bones.items() if side(j) == "middle"}
    parents = tuple(joints.index(both[joint]) for joint in joints)
    tree = tuple((p, i) for i, p in enumerate(parents) if i != p)
    fmt = JointFormat(name, joints, tree, parents, joints.index(centre))
    return fmt._replace(edges=fmt.pairs(edges)) if edges else fmt


def _sides(joints: str) -> str:
    """Each "x" of `joints` as "left_x right_x"."""
    return " ".join(f"left_{joint} right_{joint}" for joint in joints.split())


def _bones(*chains: str) -> dict[str, str]:
    """Bones of chains "joint-next-...-start"."""
    return {j: p for c in chains for j, p in zip(c.split("-"), c.split("-")[1:], strict=False)}


# Pieces that formats share.
_HEAD = "nose " + _sides("eye ear")
_BODY = _sides("shoulder elbow wrist hip knee ankle")
_LIMBS = _bones("left_wrist-left_elbow-left_shoulder", "left_ankle-left_knee-left_hip")
_FACE_AND_LIMBS = _LIMBS | _bones("left_ear-left_eye-nose")
_FEET = "left_big_toe left_small_toe left_heel right_big_toe right_small_toe right_heel"
_FEET_BONES = _bones("left_small_toe-left_big_toe-left_ankle", "left_heel-left_ankle")
_FROM_NECK = _bones("nose-neck", "left_shoulder-neck")
_VIA_MID_HIP = _bones("left_hip-mid_hip-neck")
_VIA_SHOULDER = _bones("left_hip-left_shoulder")

_HANDS = " ".join(f"{side}_hand_{i}" for side in ("left", "right") for i in range(21))
_HAND_BONES = _bones(
    "left_hand_0-left_wrist",
    *(f"left_hand_{i + 3}-left_hand_{i + 2}-left_hand_{i + 1}-left_hand_{i}-left_hand_0"
      for i in (1, 5, 9, 13, 17)),
)  # fmt: skip

# The 68 points of a face: chains on the right side that end in its middle or at an inner
# corner, and the sum of a point's and its mirrored point's numbers.
_FACE_CHAINS = {
    "0-1-2-3-4-5-6-7-8": 16, "17-18-19-20-21": 43, "27-28-29-30": 0, "31-32-33": 66,
    "36-37-38-39": 81, "41-40-39": 87, "48-49-50-51": 102, "59-58-57": 114, "60-61-62": 124,
    "67-66": 132,
}  # fmt: skip


def _face() -> tuple[str, dict[str, str]]:
    """Names of the face's points in order, and their bones, of the right side and the middle."""
    names, bones = {}, {}
    for chain, total in _FACE_CHAINS.items():
        points = [int(point) for point in chain.split("-")]
        for i in points:
            opposite = total - i if total else i
            if opposite == i:
                names[i] = f"face_{i}"
            elif i not in names:
                names[i], names[opposite] = f"right_face_{i}", f"left_face_{i}"
        bones |= _bones("-".join([names[i] for i in points] + ["nose"]))
    return " ".join(names[i] for i in range(68)), bones


_FACE, _FACE_BONES = _face()

COCO = _format(
    "coco", f"{_HEAD} {_BODY}", "nose",
    # The reference's nose hangs on a shoulder.
    _FACE_AND_LIMBS | _VIA_SHOULDER | _bones("left_shoulder-nose", "nose-left_shoulder"),
    edges="nose-left_eye nose-right_eye left_eye-left_ear right_eye-right_ear "
    "left_ear-left_shoulder right_ear-right_shoulder left_shoulder-right_shoulder "
    "left_shoulder-left_elbow left_elbow-left_wrist right_shoulder-right_elbow "
    "right_elbow-right_wrist left_shoulder-left_hip right_shoulder-right_hip "
    "left_hip-right_hip left_hip-left_knee left_knee-left_ankle right_hip-right_knee "
    "right_knee-right_ankle",
)  # fmt: skip

# GaitGraph's authors end the nose's bone at the nose itself (specification section 14).
COCO_TTEEPE = COCO._replace(name="coco_tteepe", parents=(COCO.centre, *COCO.parents[1:]))

ALPHAPOSE = _format(
    "alphapose",
    "nose neck right_shoulder right_elbow right_wrist left_shoulder left_elbow left_wrist "
    "right_hip right_knee right_ankle left_hip left_knee left_ankle "
    "right_eye left_eye right_ear left_ear",
    "neck",
    _FACE_AND_LIMBS | _FROM_NECK | _VIA_SHOULDER,
    edges="nose-neck nose-right_eye nose-left_eye right_eye-right_ear left_eye-left_ear "
    "neck-right_shoulder right_shoulder-right_elbow right_elbow-right_wrist "
    "neck-left_shoulder left_shoulder-left_elbow left_elbow-left_wrist neck-right_hip "
    "right_hip-right_knee right_knee-right_ankle neck-left_hip left_hip-left_knee "
    "left_knee-left_ankle",
)  # fmt: skip
OPENPOSE = ALPHAPOSE._replace(name="openpose")

_BODY_25_BONES = _FACE_AND_LIMBS | _FROM_NECK | _VIA_MID_HIP | _FEET_BONES
BODY_25 = _format(
    "body_25",
    "nose neck right_shoulder right_elbow right_wrist left_shoulder left_elbow left_wrist mid_hip "
    "right_hip right_knee right_ankle left_hip left_knee left_ankle "
    f"right_eye left_eye right_ear left_ear {_FEET}",
    "neck",
    _BODY_25_BONES,
)
BODY_25B = _format(
    "body_25b",
    f"{_HEAD} {_BODY} head_bottom head_top {_FEET}",
    "head_bottom",
    _FACE_AND_LIMBS | _FEET_BONES | _VIA_SHOULDER
    | _bones("nose-head_bottom", "head_top-head_bottom", "left_shoulder-head_bottom"),
)  # fmt: skip

COCO_25 = _format(  # rtmlib's body with feet, in the form of OpenPose
    "coco25",
    f"{_HEAD} neck {_sides('shoulder elbow wrist hip')} mid_hip {_sides('knee ankle')} {_FEET}",
    "neck",
    _BODY_25_BONES,
)

# Halpe's formats, AlphaPose's: the whole body with and without face and hands.
_HALPE = f"{_HEAD} {_BODY} head_top neck mid_hip {_sides('big_toe small_toe heel')}"
_HALPE_BONES = _BODY_25_BONES | _bones("head_top-neck")
HALPE_26 = _format("halpe26", _HALPE, "neck", _HALPE_BONES)
HALPE_68 = _format("halpe68", f"{_HALPE} {_HANDS}", "neck", _HALPE_BONES | _HAND_BONES)
HALPE_94 = _format("halpe94", f"{_HALPE} {_FACE}", "neck", _HALPE_BONES | _FACE_BONES)
HALPE_136 = _format(
    "halpe136", f"{_HALPE} {_FACE} {_HANDS}", "neck", _HALPE_BONES | _FACE_BONES | _HAND_BONES
)

_WHOLE = _FACE_AND_LIMBS | _FEET_BONES | _FACE_BONES | _HAND_BONES | _VIA_SHOULDER
COCO_WHOLEBODY = _format(
    "coco_wholebody",
    f"{_HEAD} {_BODY} {_FEET} {_FACE} {_HANDS}",
    "nose",
    _WHOLE | _bones("left_shoulder-nose"),
)
# The same with a neck, its body in OpenPose's order: DWPose, rtmlib's to_openpose.
OPENPOSE_WHOLEBODY = _format(
    "openpose_wholebody",
    f"{' '.join(OPENPOSE.joints)} {_FEET} {_FACE} {_HANDS}",
    "neck",
    _WHOLE | _FROM_NECK,
)

BLAZEPOSE = _format(  # MediaPipe's
    "blazepose",
    "nose left_eye_inner left_eye left_eye_outer right_eye_inner right_eye right_eye_outer "
    f"{_sides('ear mouth shoulder elbow wrist pinky index thumb hip knee ankle heel foot_index')}",
    "nose",
    _LIMBS | _VIA_SHOULDER | _bones(
        "left_ear-left_eye_outer-left_eye-left_eye_inner-nose", "left_mouth-nose",
        "left_shoulder-nose", "left_pinky-left_wrist", "left_index-left_wrist",
        "left_thumb-left_wrist", "left_foot_index-left_heel-left_ankle",
    ),
)  # fmt: skip

HUMAN36M = _format(
    "h36m",
    "mid_hip right_hip right_knee right_ankle left_hip left_knee left_ankle spine neck nose "
    "head_top left_shoulder left_elbow left_wrist right_shoulder right_elbow right_wrist",
    "neck",
    _LIMBS | _FROM_NECK | _bones("head_top-nose", "left_hip-mid_hip-spine-neck"),
)
MPII = _format(
    "mpii",
    "right_ankle right_knee right_hip left_hip left_knee left_ankle mid_hip neck head_bottom "
    "head_top right_wrist right_elbow right_shoulder left_shoulder left_elbow left_wrist",
    "neck",
    _LIMBS | _VIA_MID_HIP | _bones("head_top-head_bottom-neck", "left_shoulder-neck"),
)
POSETRACK = _format(
    "posetrack",
    f"nose head_bottom head_top {_sides('ear')} {_BODY}",
    "head_bottom",
    _LIMBS | _VIA_SHOULDER | _bones(
        "head_top-nose-head_bottom", "left_ear-nose", "left_shoulder-head_bottom"
    ),
)  # fmt: skip
KINECT = _format(  # the 20 joints that the first Kinect gives, and recordings of later ones keep
    "kinect",
    "head neck right_shoulder left_shoulder right_elbow left_elbow right_wrist left_wrist "
    "right_hand left_hand spine mid_hip right_hip left_hip right_knee left_knee right_ankle "
    "left_ankle right_foot left_foot",
    "neck",
    _LIMBS | _bones(
        "head-neck", "left_shoulder-neck", "left_hand-left_wrist",
        "left_hip-mid_hip-spine-neck", "left_foot-left_ankle",
    ),
)  # fmt: skip

FORMATS = {
    fmt.name: fmt
    for fmt in (
        COCO, COCO_TTEEPE, ALPHAPOSE, OPENPOSE, BODY_25, BODY_25B, COCO_25, HALPE_26, HALPE_68,
        HALPE_94, HALPE_136, COCO_WHOLEBODY, OPENPOSE_WHOLEBODY, BLAZEPOSE, HUMAN36M, MPII,
        POSETRACK, KINECT,
    )
}  # fmt: skip

# COCO limbs drawn in skeleton maps (section 11, step 6).
LIMBS = COCO.pairs(
    "nose-left_eye nose-right_eye left_eye-left_ear right_eye-right_ear nose-left_shoulder "
    "left_shoulder-left_elbow left_elbow-left_wrist nose-right_shoulder "
    "right_shoulder-right_elbow right_elbow-right_wrist left_shoulder-left_hip "
    "left_hip-left_knee left_knee-left_ankle right_shoulder-right_hip right_hip-right_knee "
    "right_knee-right_ankle left_hip-right_hip"
)


def joint_format(name: str) -> JointFormat:
    """The format called `name`; DataError lists the known names."""
    if name not in FORMATS:
        raise DataError(f"unknown joint format {name!r}; known formats: {', '.join(FORMATS)}")
    return FORMATS[name]
