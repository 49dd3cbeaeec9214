"""GaitGraph2 (Teepe et al. 2022): ResGCN on joint, velocity and bone streams (section 5.4)."""

import jax.numpy as jnp
from flax import linen as nn
from jax import Array

from gaitjax.errors import DataError
from gaitjax.models.layers import compute_dtype, no_mask
from gaitjax.models.resgcn import ResGCN
from gaitjax.models.streams import gaitgraph_streams
from gaitjax.skeleton import joint_format


class GaitGraph2(nn.Module):
    """Input (N, T, V, 3, 5) from `gaitgraph_streams`; embeddings (N, D, 1), not normalised.

    Attributes:
      joints: joint format, see `gaitjax.skeleton.FORMATS`.
      branch: channels of each input branch, the first being those of the input.
      main: channels of the main stream, the first being the branch's last.
      reduction: channels over bottleneck channels.
      embedding_dim: D of one view.
      streams: branches, one for each input stream.
      input_centre: centre joint of the streams the network is fed (read by the pipeline).
      tta_centre: centre joint of the streams of the test-time views; None: the format's.
      dtype: compute type, float32 or bfloat16.
    """

    joints: str = "coco"
    branch: tuple[int, ...] = (5, 64, 64, 32)
    main: tuple[int, ...] = (32, 128, 128, 128, 256, 256, 256)
    reduction: int = 4
    embedding_dim: int = 128
    streams: int = 3
    input_centre: int = 0
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
        self, x: Array, mask: Array | None = None, train: bool = False
    ) -> dict[str, Array]:
        """{"embed_1": (N, D, 1)}; DataError if a mask is given (windows are whole)."""
        no_mask(mask)
        expected = (joint_format(self.joints).num_joints, self.streams, self.branch[0])
        if x.shape[2:] != expected:
            raise DataError(f"input of shape {x.shape}; expected (N, T, *{expected})")
        return {"embed_1": self.resgcn(x, train)[..., None]}

    def embed(self, x: Array, mask: Array | None = None) -> dict[str, Array]:
        """{"embed_1": (N, 3 D, 1)}: as is, reversed in time, and left and right exchanged.

        The last two views are made again from the joints in the first stream.
        """
        no_mask(mask)
        fmt = joint_format(self.joints)
        centre = fmt.centre if self.tta_centre is None else self.tta_centre
        poses = x[..., 0, :3]
        views = [
            x,
            gaitgraph_streams(poses[:, ::-1], fmt, centre),
            gaitgraph_streams(poses[:, :, jnp.array(fmt.swap)], fmt, centre),
        ]
        embeddings = self(jnp.concatenate(views))["embed_1"]
        return {"embed_1": jnp.concatenate(jnp.split(embeddings, 3), axis=1)}
