"""GaitGraph2 (Teepe et al. 2022): ResGCN on joint, velocity and bone streams (section 5.4)."""

from typing import ClassVar

import jax.numpy as jnp
from flax import linen as nn
from jax import Array

from gaitjax.models.layers import check_channels, check_poses, compute_dtype
from gaitjax.models.masks import no_mask
from gaitjax.models.resgcn import ResGCN
from gaitjax.models.streams import gaitgraph_streams
from gaitjax.skeleton import joint_format


class GaitGraph2(nn.Module):
    """Input poses (N, T, V, 3) = x, y in pixels, confidence; embeddings (N, D, 1), not normalised.

    Attributes:
      joints: joint format, see `gaitjax.skeleton.FORMATS`.
      branch: channels of each input branch, the first being those of the input.
      main: channels of the main stream, the first being the branch's last.
      reduction: channels over bottleneck channels.
      embedding_dim: D of one view.
      input_centre: centre joint of the streams, joint, velocity and bone, of the poses as given;
        None: the format's `input_centre`.
      tta_centre: centre joint of the streams of the test-time views; None: the format's `centre`.
      dtype: compute type, float32 or bfloat16.
    """

    inputs: ClassVar = ("poses",)
    any_length: ClassVar = False

    joints: str = "coco"
    branch: tuple[int, ...] = (5, 64, 64, 32)
    main: tuple[int, ...] = (32, 128, 128, 128, 256, 256, 256)
    reduction: int = 4
    embedding_dim: int = 128
    input_centre: int | None = None
    tta_centre: int | None = None
    dtype: str = "float32"

    def setup(self):
        self.resgcn = ResGCN(
            joint_format(self.joints),
            self.branch,
            self.main,
            self.reduction,
            self.embedding_dim,
            compute_dtype(self.dtype),
        )

    def __call__(
        self, poses: Array, mask: Array | None = None, train: bool = False
    ) -> dict[str, Array]:
        """{"embed_1": (N, D, 1)}; DataError if a mask is given (windows are whole)."""
        no_mask(mask)
        return self.of_streams(self.streams(poses, self.centres["input_centre"]), train)

    @property
    def centres(self) -> dict[str, int]:
        """The joints that `input_centre` and `tta_centre` mean."""
        fmt = joint_format(self.joints)
        return {
            "input_centre": fmt.input_centre if self.input_centre is None else self.input_centre,
            "tta_centre": fmt.centre if self.tta_centre is None else self.tta_centre,
        }

    def streams(self, poses: Array, centre: int) -> Array:
        """What the first layers see, (N, T, V, 3, 5), offsets from the joint `centre`."""
        fmt = joint_format(self.joints)
        check_poses(poses, fmt)
        return gaitgraph_streams(poses, fmt, centre)

    def of_streams(self, x: Array, train: bool = False) -> dict[str, Array]:
        """{"embed_1": (N, D, 1)} of x (N, T, V, 3, 5) from `streams`."""
        check_channels(x, "branch", self.branch[0])
        return {"embed_1": self.resgcn(x, train)[..., None]}

    def views(self, poses: Array) -> list[Array]:
        """Streams of the test-time views: as is, reversed in time, left and right exchanged."""
        swap = jnp.array(joint_format(self.joints).swap)
        first, others = self.centres.values()
        return [
            self.streams(poses, first),
            self.streams(poses[:, ::-1], others),
            self.streams(poses[:, :, swap], others),
        ]

    def embed(self, poses: Array, mask: Array | None = None) -> dict[str, Array]:
        """{"embed_1": (N, 3 D, 1)}: the embeddings of `views`, one after the other."""
        no_mask(mask)
        embeddings = self.of_streams(jnp.concatenate(self.views(poses)))["embed_1"]
        return {"embed_1": jnp.concatenate(jnp.split(embeddings, 3), axis=1)}
