"""Joint formats: names, edges, bone parents, left/right permutation, graph distance.

Every fact about a skeleton stands here once; models, transforms, converters and
figures read it from here. Source: specification sections 4.1, 4.5, 5.1, 10.1, 11.
"""

from typing import NamedTuple

import numpy as np


class JointFormat(NamedTuple):
    """One way of numbering the joints of a person.

    Attributes:
      name: key in `FORMATS`.
      joints: V joint names, in array order.
      edges: undirected pairs of joint indices, without self loops.
      parents: for each joint, the joint its bone starts from.
      swap: permutation of the joints that exchanges left and right.
      centre: joint that the graph calls its centre (0 nose, 1 neck).
    """

    name: str
    joints: tuple[str, ...]
    edges: tuple[tuple[int, int], ...]
    parents: tuple[int, ...]
    swap: tuple[int, ...]
    centre: int

    @property
    def num_joints(self) -> int:
        return len(self.joints)


COCO = JointFormat(
    name="coco",
    joints=(
        "nose", "left_eye", "right_eye", "left_ear", "right_ear",
        "left_shoulder", "right_shoulder", "left_elbow", "right_elbow",
        "left_wrist", "right_wrist", "left_hip", "right_hip",
        "left_knee", "right_knee", "left_ankle", "right_ankle",
    ),
    edges=(
        (0, 1), (0, 2), (1, 3), (2, 4), (3, 5), (4, 6), (5, 6), (5, 7), (7, 9), (6, 8),
        (8, 10), (5, 11), (6, 12), (11, 12), (11, 13), (13, 15), (12, 14), (14, 16),
    ),
    parents=(5, 0, 0, 1, 2, 0, 0, 5, 6, 7, 8, 5, 6, 11, 12, 13, 14),
    swap=(0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15),
    centre=0,
)  # fmt: skip

ALPHAPOSE = JointFormat(
    name="alphapose",
    joints=(
        "nose", "neck", "right_shoulder", "right_elbow", "right_wrist",
        "left_shoulder", "left_elbow", "left_wrist", "right_hip", "right_knee",
        "right_ankle", "left_hip", "left_knee", "left_ankle",
        "right_eye", "left_eye", "right_ear", "left_ear",
    ),
    edges=(
        (0, 1), (0, 14), (0, 15), (14, 16), (15, 17), (1, 2), (2, 3), (3, 4), (1, 5),
        (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11), (11, 12), (12, 13),
    ),
    parents=(1, 1, 1, 2, 3, 1, 5, 6, 2, 8, 9, 5, 11, 12, 0, 0, 14, 15),
    swap=(0, 1, 5, 6, 7, 2, 3, 4, 11, 12, 13, 8, 9, 10, 15, 14, 17, 16),
    centre=1,
)  # fmt: skip

# GaitGraph's authors end the nose's bone at the nose itself (specification section 14).
COCO_TTEEPE = COCO._replace(name="coco_tteepe", parents=(0,) + COCO.parents[1:])

FORMATS = {f.name: f for f in (COCO, COCO_TTEEPE, ALPHAPOSE, ALPHAPOSE._replace(name="openpose"))}

# COCO joint i is 18-joint index TO_COCO[i]; the neck is dropped (section 10.1).
TO_COCO = (0, 15, 14, 17, 16, 5, 2, 6, 3, 7, 4, 11, 8, 12, 9, 13, 10)

# COCO limbs drawn in skeleton maps (section 11, step 6).
LIMBS = (
    (0, 1), (0, 2), (1, 3), (2, 4), (0, 5), (5, 7), (7, 9), (0, 6), (6, 8), (8, 10),
    (5, 11), (11, 13), (13, 15), (6, 12), (12, 14), (14, 16), (11, 12),
)  # fmt: skip

MAX_HOP = 3


def joint_format(name: str) -> JointFormat:
    """The format called `name`; ValueError lists the known names."""
    if name not in FORMATS:
        raise ValueError(f"unknown joint format {name!r}; known formats: {', '.join(FORMATS)}")
    return FORMATS[name]


def hop_distance(fmt: JointFormat) -> np.ndarray:
    """Shortest path lengths in edges, (V, V) int; pairs further than MAX_HOP get MAX_HOP + 1."""
    v = fmt.num_joints
    adjacent = np.eye(v, dtype=bool)
    for i, j in fmt.edges:
        adjacent[i, j] = adjacent[j, i] = True
    hops = np.full((v, v), MAX_HOP + 1)
    for hop in range(MAX_HOP, -1, -1):
        reach = np.linalg.matrix_power(adjacent.astype(int), hop) > 0
        hops[reach] = hop
    return hops


def adjacency(fmt: JointFormat) -> np.ndarray:
    """Hop-partitioned adjacency A, (MAX_HOP + 1, V, V) float32 (section 5.1).

    The binary matrix of all pairs within MAX_HOP is normalised so that each column
    sums to 1; A[h] holds its entries at distance h.
    """
    hops = hop_distance(fmt)
    within = (hops <= MAX_HOP).astype(np.float64)
    normalised = within / within.sum(axis=0, keepdims=True)
    return np.stack([np.where(hops == h, normalised, 0.0) for h in range(MAX_HOP + 1)]).astype(
        np.float32
    )
