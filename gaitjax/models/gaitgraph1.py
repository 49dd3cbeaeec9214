"""GaitGraph (Teepe et al. 2021): ResGCN on joint positions, contrastive (section 5.3)."""

import jax.numpy as jnp
from flax import linen as nn
from jax import Array

from gaitjax.errors import DataError
from gaitjax.models.layers import compute_dtype, l2_normalise, no_mask
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
        self, x: Array, mask: Array | None = None, train: bool = False
    ) -> dict[str, Array]:
        """{"embed_1": (N, D, 1)}; DataError if a mask is given (windows are whole)."""
        no_mask(mask)
        expected = (joint_format(self.joints).num_joints, self.branch[0])
        if x.shape[2:] != expected:
            raise DataError(f"input of shape {x.shape}; expected (N, T, *{expected})")
        return {"embed_1": l2_normalise(self.resgcn(x[..., None, :], train), axis=1)[..., None]}

    def embed(self, x: Array, mask: Array | None = None) -> dict[str, Array]:
        """{"embed_1": (N, D, 1)}: mean of the forward and the reversed view, not renormalised."""
        no_mask(mask)
        if not self.tta:
            return self(x)
        forward, reverse = jnp.split(self(jnp.concatenate([x, x[:, ::-1]]))["embed_1"], 2)
        return {"embed_1": (forward + reverse) / 2}
