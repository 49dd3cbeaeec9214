"""The released weights, one entry for each: `python -m gaitjax.zoo` is the command.

An entry has the name of its config. Folders and published numbers are those of `SOURCE`.
"""

from typing import NamedTuple

from gaitjax.command import tables
from gaitjax.config import nearest
from gaitjax.errors import DataError
from gaitjax.zoo import numbers

SOURCE = "OpenGait's skeleton model zoo"
REPO = "opengait/OpenGait"  # on the Hugging Face hub


class Entry(NamedTuple):
    """Released weights.

    Attributes:
      folder: in `REPO`; its `checkpoints` hold <name>-<iteration>.pt.
      note: what to know before comparing numbers.
      embedding: which of the network's embeddings the weights were made for.
      published: Rank-1 in percent by evaluation protocol, see `gaitjax.zoo.numbers`.
    """

    folder: str
    note: str = ""
    embedding: str = "embed_1"
    published: dict[str, float] = {}


_CENTRE = "The input's centre joint is not certain: also try --config.model.input_centre=1."
_GREW = "The reference writes a submission file, so the number is of the challenge's server."
_LOCAL = "The reference scores the local split; the number may be of that or of the server."
_LINK = "The zoo page links the folder of the 18-joint weights here too."

_WEIGHTS = {
    "gaitgraph1_oumvlp": Entry("OUMVLP/GaitGraph1/GaitGraph1_phase1"),
    "gaitgraph1_oumvlp17": Entry("OUMVLP/GaitGraph1/GaitGraph1_phase1_17"),
    "gaitgraph1_grew": Entry("GREW/GaitGraph1/GaitGraph1_phase1", note=_LOCAL),
    "gaitgraph1_gait3d": Entry("Gait3D/GaitGraph1/GaitGraph1_phase1"),
    "gaitgraph2_oumvlp": Entry("OUMVLP/GaitGraph2/GaitGraph2_phase2", note=_CENTRE),
    "gaitgraph2_oumvlp17": Entry("OUMVLP/GaitGraph2/GaitGraph2_phase2_17"),
    "gaitgraph2_grew": Entry("GREW/GaitGraph2/GaitGraph2", note=_GREW),
    "gaitgraph2_gait3d": Entry("Gait3D/GaitGraph2/GaitGraph2"),
    "gaittr_oumvlp": Entry("OUMVLP/GaitTR/GaitTR"),
    "gaittr_oumvlp17": Entry("OUMVLP/GaitTR/GaitTR_17", note=_LINK),
    "gaittr_grew": Entry("GREW/GaitTR/GaitTR", note=_GREW),
    "gaittr_gait3d": Entry("Gait3D/GaitTR/GaitTR"),
    "skeletongait_oumvlp17": Entry("OUMVLP/DeepGaitV2/SkeletonGait"),
    "skeletongait_grew": Entry("GREW/DeepGaitV2/SkeletonGait", note=_GREW),
    "skeletongait_gait3d": Entry("Gait3D/DeepGaitV2/SkeletonGait"),
}
ZOO = {
    name: weights._replace(published=numbers.published(name, "OpenGait"))
    for name, weights in _WEIGHTS.items()
}


def entry(name: str) -> Entry:
    """The entry called `name`; DataError names the nearest ones."""
    if name not in ZOO:
        raise DataError(f"no zoo entry {name!r}; {nearest(name, ZOO)}")
    return ZOO[name]


def published(name: str, protocol: str) -> float | None:
    """Rank-1 published for the config `name` by an evaluation protocol; None if there is none."""
    return ZOO[name].published.get(protocol) if name in ZOO else None


def markdown() -> str:
    """The zoo as a Markdown table, with a column for numbers reproduced here."""
    head = ("config", "weights", "protocol", "published Rank-1", "reproduced here")
    rows = [
        (f"`{n.config}`", _link(ZOO[n.config]), f"`{n.protocol}`", f"{n.published:.2f}", _ours(n))
        for n in numbers.read()
        if n.config in ZOO and n.by == "OpenGait"
    ]
    return "\n".join(tables.markdown([head, *rows], left=(0, 1, 2)))


def _link(e: Entry) -> str:
    return f"[{e.folder}]({url(e)})"


def _ours(n: numbers.Number) -> str:
    """The number reproduced, its interval, by whom and when, as far as there is one."""
    if n.ours is None:
        return ""
    interval = " ({:.2f} to {:.2f})".format(*n.interval) if n.interval else ""
    by = f", {n.who}, {n.when}" if n.who else ""
    return f"{n.ours:.2f}{interval}{by}"


def url(e: Entry) -> str:
    """Where the weights of an entry can be looked at."""
    return f"https://huggingface.co/{REPO}/tree/main/{e.folder}"
