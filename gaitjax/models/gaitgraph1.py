"""GaitGraph (Teepe et al. 2021): ResGCN on joint positions, contrastive (section 5.3)."""

from typing import ClassVar

import jax.numpy as jnp
from flax import linen as nn
from jax import Array

from gaitjax.models.layers import check_channels, check_poses, compute_dtype, l2_normalise
from gaitjax.models.masks import no_mask
from gaitjax.models.resgcn import ResGCN
from gaitjax.skeleton import joint_format


class GaitGraph1(nn.Module):
    """Input poses (N, T, V, 3) = x, y in pixels, confidence; embeddings (N, D, 1) of length 1.

    Attributes:
      joints: joint format, see `gaitjax.skeleton.FORMATS`.
      branch: channels of the input branch, the first being those of the input.
      main: channels of the main stream, the first being the branch's last.
      reduction: channels over bottleneck channels.
      embedding_dim: D.
      tta: average the embedding with that of the reversed sequence at test time.
      dtype: compute type, float32 or bfloat16.
    """

    inputs: ClassVar = ("poses",)
    any_length: ClassVar = False

    joints: str = "coco"
    branch: tuple[int, ...] = (3, 64, 64, 32)
    main: tuple[int, ...] = (32, 128, 128, 256, 256)
    reduction: int = 8
    embedding_dim: int = 128
    tta: bool = True
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
        check_poses(poses, joint_format(self.joints))
        check_channels(poses, "branch", self.branch[0])
        embeddings = self.resgcn(poses[..., None, :], train)
        return {"embed_1": l2_normalise(embeddings, axis=1)[..., None]}

    def embed(self, poses: Array, mask: Array | None = None) -> dict[str, Array]:
        """{"embed_1": (N, D, 1)}: mean of the forward and the reversed view, not renormalised."""
        no_mask(mask)
        if not self.tta:
            return self(poses)
        views = jnp.concatenate([poses, poses[:, ::-1]])
        forward, reverse = jnp.split(self(views)["embed_1"], 2)
        return {"embed_1": (forward + reverse) / 2}
