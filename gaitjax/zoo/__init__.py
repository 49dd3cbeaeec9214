"""The released weights, one entry for each: `python -m gaitjax.zoo` is the command.

An entry has the name of its config. Folders and published numbers are those of `SOURCE`.
"""

from typing import NamedTuple

from gaitjax.config import nearest
from gaitjax.errors import DataError

SOURCE = "OpenGait's skeleton model zoo"
REPO = "opengait/OpenGait"  # on the Hugging Face hub


class Entry(NamedTuple):
    """Released weights.

    Attributes:
      folder: in `REPO`; its `checkpoints` hold <name>-<iteration>.pt.
      published: Rank-1 in percent by evaluation protocol.
      embedding: which of the network's embeddings the weights were made for.
      note: what to know before comparing numbers.
    """

    folder: str
    published: dict[str, float]
    embedding: str = "embed_1"
    note: str = ""


_CENTRE = "The input's centre joint is not certain: also try --config.model.input_centre=1."
_GREW = "The reference writes a submission file, so the number is of the challenge's server."
_LOCAL = "The reference scores the local split; the number may be of that or of the server."
_LINK = "The zoo page links the folder of the 18-joint weights here too."

ZOO = {
    "gaitgraph1_oumvlp": Entry("OUMVLP/GaitGraph1/GaitGraph1_phase1", {"oumvlp": 2.81}),
    "gaitgraph1_oumvlp17": Entry("OUMVLP/GaitGraph1/GaitGraph1_phase1_17", {"oumvlp": 4.25}),
    "gaitgraph1_grew": Entry(
        "GREW/GaitGraph1/GaitGraph1_phase1", {"grew_local": 9.82}, note=_LOCAL
    ),
    "gaitgraph1_gait3d": Entry("Gait3D/GaitGraph1/GaitGraph1_phase1", {"gait3d": 9.00}),
    "gaitgraph2_oumvlp": Entry(
        "OUMVLP/GaitGraph2/GaitGraph2_phase2", {"oumvlp": 62.10}, note=_CENTRE
    ),
    "gaitgraph2_oumvlp17": Entry("OUMVLP/GaitGraph2/GaitGraph2_phase2_17", {"oumvlp": 70.75}),
    "gaitgraph2_grew": Entry("GREW/GaitGraph2/GaitGraph2", {"grew_submission": 34.61}, note=_GREW),
    "gaitgraph2_gait3d": Entry("Gait3D/GaitGraph2/GaitGraph2", {"gait3d": 11.00}),
    "gaittr_oumvlp": Entry("OUMVLP/GaitTR/GaitTR", {"oumvlp": 40.31}),
    "gaittr_oumvlp17": Entry("OUMVLP/GaitTR/GaitTR_17", {"oumvlp": 39.78}, note=_LINK),
    "gaittr_grew": Entry("GREW/GaitTR/GaitTR", {"grew_submission": 48.60}, note=_GREW),
    "gaittr_gait3d": Entry("Gait3D/GaitTR/GaitTR", {"gait3d": 7.20}),
    "skeletongait_oumvlp17": Entry("OUMVLP/DeepGaitV2/SkeletonGait", {"oumvlp": 67.4}),
    "skeletongait_grew": Entry(
        "GREW/DeepGaitV2/SkeletonGait", {"grew_submission": 77.4}, note=_GREW
    ),
    "skeletongait_gait3d": Entry("Gait3D/DeepGaitV2/SkeletonGait", {"gait3d": 38.1}),
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
        (f"`{name}`", f"[{e.folder}]({url(e)})", f"`{protocol}`", f"{rank1:.2f}", "")
        for name, e in ZOO.items()
        for protocol, rank1 in e.published.items()
    ]
    lines = [head, ("---", "---", "---", "---:", "---:"), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def url(e: Entry) -> str:
    """Where the weights of an entry can be looked at."""
    return f"https://huggingface.co/{REPO}/tree/main/{e.folder}"
