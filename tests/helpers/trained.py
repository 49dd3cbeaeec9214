"""A few steps of a small network on a prepared set, and its evaluation."""

from pathlib import Path

from gaitjax.config import load
from gaitjax.train import train


def record(config: str, root: Path, folder: Path) -> dict:
    """The evaluation's record of `config`, a GaitGraph2, after two steps on the set in `root`.

    Two training identities with two walks or more; networks of as many joints share a program.
    """
    c = load(config)
    c.data.update(root=str(root), cache_dir=str(folder / "cache"))
    c.model.update(branch=(5, 8), main=(8, 16), reduction=2, embedding_dim=8)
    c.train.update(steps=2, batch_size=8, frames=10, log_every=1, save_every=2, save_minutes=0.0)
    c.eval.update(batch_size=8, frames=10)
    state, metrics = train(c, folder / "work")
    assert int(state["step"]) == 2
    return metrics["evaluation"]
