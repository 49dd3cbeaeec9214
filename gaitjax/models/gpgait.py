"""GPGait and GPGait++: descriptors of an oriented skeleton, by parts (sections 16.2 to 16.7).

Fu et al., "GPGait: Generalized Pose-based Gait Recognition" (ICCV 2023), and GPGait++ (TPAMI
2025). Three branches see positions, bones and angles. In each a trunk of graph convolutions is
followed by stacks that look at the body in two, three or no parts, and every part of every stack
gives one part of the embedding.

Parameters: `position`, `bone` and `angle`, each with `input_bn`, `trunk_<i>` and
`<stack>_<i>`; then `head`.
"""

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn
from jax import Array

from gaitjax.models.dtypes import at_least_float32
from gaitjax.models.initializers import EACH_XAVIER, ONES, TINY, ZEROS
from gaitjax.models.layers import (
    BatchNorm,
    Conv,
    DTypeName,
    cast,
    check_poses,
    compute_dtype,
    linear,
    mish,
    of_each_joint,
)
from gaitjax.models.masks import zero_padding
from gaitjax.models.parts import PartHead
from gaitjax.models.streams import gpgait_descriptors
from gaitjax.skeleton import COCO, JointFormat, hop_distance, joint_format

HOPS = 3  # distances 0, 1, 2
FACE = ("nose", "left_eye", "right_eye", "left_ear", "right_ear")
LIMBS = tuple(
    tuple(f"{side}_{joint}" for joint in joints)
    for joints in (("shoulder", "elbow", "wrist"), ("hip", "knee", "ankle"))
    for side in ("left", "right")
)
ARMS, LEGS = LIMBS[0] + LIMBS[1], LIMBS[2] + LIMBS[3]


Groups = tuple[tuple[str, ...], ...]


class Stack(NamedTuple):
    """A stack of blocks after the trunk: the groups of joints that it convolves and pools."""

    name: str
    groups: Groups | None  # None: the whole body, without a mask


class Body(NamedTuple):
    """What one branch sees: its joints, and the parts that its trunk and stacks look at."""

    joints: tuple[str, ...]
    trunk: Groups
    stacks: tuple[Stack, ...]


WHOLE = Body(
    COCO.joints,
    (*LIMBS, FACE),
    (
        Stack("arms_with_face", (ARMS + FACE, LEGS)),
        Stack("legs_with_face", (ARMS, LEGS + FACE)),
        Stack("three_parts", (ARMS, LEGS, FACE)),
        Stack("whole", None),
    ),
)
HEADLESS = Body(COCO.joints[5:], LIMBS, (Stack("two_parts", (ARMS, LEGS)), Stack("whole", None)))

BRANCHES = (  # name, channels of the descriptors, what it sees
    ("position", slice(0, 2), WHOLE),
    ("bone", slice(2, 4), WHOLE),
    ("angle", slice(4, 5), HEADLESS),
)
PARTS = sum(len(s.groups or [0]) for _, _, body in BRANCHES for s in body.stacks)  # 19


def part_graph(body: Body, fmt: JointFormat) -> np.ndarray:
    """A (HOPS, V, V) float32 of the branch's joints: pairs at most two edges apart, by distance.

    Each column sums to 1 over all slices (section 16.3).
    """
    chosen = [fmt.joints.index(name) for name in body.joints]
    hops = hop_distance(fmt)[np.ix_(chosen, chosen)]
    within = hops < HOPS
    normalised = within / within.sum(axis=0, keepdims=True)
    return np.stack([np.where(hops == h, normalised, 0) for h in range(HOPS)]).astype(np.float32)


def members(groups: Groups | None, joints: Sequence[str]) -> np.ndarray:
    """(P, V) bool: which joints each group has; one group of all for None."""
    if groups is None:
        return np.ones((1, len(joints)), bool)
    return np.array([[joint in group for joint in joints] for group in groups])


def norm(dtype: DTypeName, name: str) -> BatchNorm:
    """A named batch norm whose scale begins at exactly 1 (section 16.8)."""
    return BatchNorm(dtype, ONES, name=name)


def projected(
    x: Array, features: int, dtype: DTypeName, name: str, mask: Array | None, train: bool
) -> Array:
    """The linear layer `name`, then the batch norm `<name>_bn`; x (N, ..., C)."""
    return norm(dtype, f"{name}_bn")(linear(features, dtype, name)(x), mask, train)


class PartGraphConv(nn.Module):
    """Graph convolution of `HOPS` subsets with attention among joints of one part (section 16.4).

    x (N, T, V, C). The attention is over the whole clip, of any order of frames, or `per_frame`.

    Attributes:
      features: output channels; a quarter of them carry the attention.
      graph: A (HOPS, V, V).
      same_part: (V, V) bool, joints that may see each other; None: all.
      per_frame: GPGait++'s form.
    """

    features: int
    graph: np.ndarray
    same_part: np.ndarray | None
    per_frame: bool
    dtype: DTypeName = None

    @nn.compact
    def __call__(self, x: Array, mask: Array | None, train: bool) -> Array:
        n, t, v, c = x.shape
        inner = self.features // 4
        kernel = self.param("attention_kernel", EACH_XAVIER, (HOPS, 2, c, inner))
        bias = self.param("attention_bias", ZEROS, (HOPS, 2, inner))
        x, kernel, bias = cast(self.dtype, x, kernel, bias)
        pairs = x @ jnp.moveaxis(kernel, 2, 0).reshape(c, -1) + bias.reshape(-1)
        queries, keys = jnp.moveaxis(pairs.reshape(n, t, v, HOPS, 2, inner), 4, 0)
        frames = 1
        if not self.per_frame:
            queries = zero_padding(queries, mask)
            frames = t if mask is None else mask.sum(axis=1)[:, None, None, None]
        over = "ntvki,ntwki->ntkvw" if self.per_frame else "ntvki,ntwki->nkvw"
        scores = at_least_float32(jnp.einsum(over, queries, keys)) / (inner * frames)
        learned = self.param("learned", TINY, (HOPS, v, v))
        links = jax.nn.softmax(scores, axis=-2) + jnp.asarray(self.graph, scores.dtype) + learned
        if self.same_part is not None:
            links = jnp.where(self.same_part, links, 0)
        (links,) = cast(self.dtype, links.astype(x.dtype))
        over = "ntvc,ntkvw->ntwkc" if self.per_frame else "ntvc,nkvw->ntwkc"
        mixed = jnp.einsum(over, x, links).reshape(n, t, v, HOPS * c)
        # One matrix and one bias for each subset, as in the checkpoints.
        kernel = self.param("kernel", EACH_XAVIER, (HOPS, c, self.features))
        bias = self.param("bias", ZEROS, (HOPS, self.features))
        kernel, bias = cast(self.dtype, kernel.reshape(HOPS * c, -1), bias.sum(axis=0))
        return mish(norm(self.dtype, "bn")(mixed @ kernel + bias, mask, train))


class Block(nn.Module):
    """GPGait's block: part graph convolution and a residual; no activation after the sum."""

    features: int
    graph: np.ndarray
    same_part: np.ndarray | None
    dtype: DTypeName = None

    @nn.compact
    def __call__(self, x: Array, mask: Array | None, train: bool) -> Array:
        conv = PartGraphConv(
            self.features, self.graph, self.same_part, False, self.dtype, name="graph"
        )
        residual = x
        if x.shape[-1] != self.features:
            residual = projected(x, self.features, self.dtype, "residual", mask, train)
        return conv(x, mask, train) + residual


class BlockPP(nn.Module):
    """GPGait++'s block: half graph, half projection; then a third each over time, plain, of x."""

    features: int
    graph: np.ndarray
    same_part: np.ndarray | None
    dropout: float
    dtype: DTypeName = None

    @nn.compact
    def __call__(self, x: Array, mask: Array | None, train: bool) -> Array:
        half, third = self.features // 2, self.features // 3
        conv = PartGraphConv(half, self.graph, self.same_part, True, self.dtype, name="graph")
        plain = projected(x, half, self.dtype, "projection", mask, train)
        y = jnp.concatenate([conv(x, mask, train), plain], axis=-1)

        moving = nn.Dropout(self.dropout)(y, deterministic=not train)
        moving = Conv(third + 1, (9,), use_bias=True, dtype=self.dtype, name="conv")(
            zero_padding(moving, mask)
        )
        moving = norm(self.dtype, "conv_bn")(mish(moving), mask, train)
        still = projected(y, third, self.dtype, "residual", mask, train)
        rest = self.features - 2 * third - 1
        shortcut = mish(linear(rest, self.dtype, "shortcut")(x))
        shortcut = norm(self.dtype, "shortcut_bn")(shortcut, mask, train)
        return jnp.concatenate([moving, still, shortcut], axis=-1)


def pool_parts(x: Array, groups: Groups | None, joints: Sequence[str]) -> Array:
    """Mean plus maximum over the joints of each group: (N, V, C) to (N, P, C)."""
    chosen = [np.flatnonzero(row) for row in members(groups, joints)]
    return jnp.stack([x[:, i].mean(axis=1) + x[:, i].max(axis=1) for i in chosen], axis=1)


class Branch(nn.Module):
    """One kind of descriptor (N, T, V, C) to the features (N, P, widths[-1]) of its parts."""

    body: Body
    fmt: JointFormat
    widths: tuple[int, ...]
    shared: int
    plus: bool
    masked: bool
    dropout: float
    dtype: DTypeName = None

    @nn.compact
    def __call__(self, x: Array, mask: Array | None, train: bool) -> Array:
        graph = part_graph(self.body, self.fmt)

        def blocks(x: Array, name: str, widths: Sequence[int], groups: Groups | None) -> Array:
            same = None
            if groups is not None and self.masked:
                of_group = members(groups, self.body.joints)
                same = (of_group[:, :, None] & of_group[:, None]).any(axis=0)
            for i, width in enumerate(widths):
                if self.plus:
                    block = BlockPP(
                        width, graph, same, self.dropout, self.dtype, name=f"{name}_{i}"
                    )
                else:
                    block = Block(width, graph, same, self.dtype, name=f"{name}_{i}")
                x = block(x, mask, train)
            return x

        x = of_each_joint(norm(self.dtype, "input_bn"), x, mask, train)
        x = blocks(x, "trunk", self.widths[: self.shared], self.body.trunk)
        parts = []
        for name, groups in self.body.stacks:
            y = at_least_float32(blocks(x, name, self.widths[self.shared :], groups))
            if mask is not None:
                y = jnp.where(mask[:, :, None, None], y, -jnp.inf)
            parts.append(pool_parts(y.max(axis=1), groups, self.body.joints))
        return jnp.concatenate(parts, axis=1)


class GPGait(nn.Module):
    """Oriented poses (N, T, V, 3) (see `gaitjax.transforms.orientation`), any T, to 19 parts.

    Attributes:
      joints: joint format with COCO's names.
      widths: channels of the trunk and the stacks, block by block.
      shared: how many of them are the trunk's.
      classes: training identities, the width of the logits.
      dtype: compute type, float32 or bfloat16.
    """

    inputs: ClassVar = ("poses",)
    any_length: ClassVar = True
    branches: ClassVar = len(BRANCHES)
    plus: ClassVar = False
    masked = True  # attention stays inside parts
    dropout = 0.0

    joints: str = "coco"
    widths: tuple[int, ...] = (64, 64, 128, 256)
    shared: int = 3
    classes: int = 74
    dtype: str = "float32"

    def setup(self):
        fmt = joint_format(self.joints)
        for name, _, body in BRANCHES:
            branch = Branch(
                body, fmt, self.widths, self.shared, self.plus, self.masked, self.dropout,
                compute_dtype(self.dtype),
            )  # fmt: skip
            setattr(self, name, branch)
        self.head = PartHead(self.classes, ONES)

    def __call__(
        self, x: Array, mask: Array | None = None, train: bool = False
    ) -> dict[str, Array]:
        """embed_1, embed_2 and logits; mask (N, T) marks the real frames of padded sequences."""
        return self.of_streams(self.streams(x), mask, train)

    def streams(self, poses: Array) -> Array:
        """What the branches see, (N, T, V, 5)."""
        fmt = joint_format(self.joints)
        check_poses(poses, fmt)
        return gpgait_descriptors(poses, fmt)

    def of_streams(
        self, x: Array, mask: Array | None = None, train: bool = False
    ) -> dict[str, Array]:
        """The same of x (N, T, V, 5) from `streams`."""
        fmt = joint_format(self.joints)
        parts = []
        for name, channels, body in BRANCHES:
            chosen = jnp.array([fmt.joints.index(joint) for joint in body.joints])
            parts.append(getattr(self, name)(x[:, :, chosen, channels], mask, train))
        return self.head(jnp.concatenate(parts, axis=1), train)


class GPGaitPP(GPGait):
    """GPGait++: attention frame by frame, and convolutions over time; otherwise as `GPGait`.

    Attributes:
      masked: attention stays inside parts.
      dropout: probability before each temporal convolution, in training.
    """

    plus: ClassVar = True

    masked: bool = False
    dropout: float = 0.1
