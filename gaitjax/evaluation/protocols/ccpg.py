"""CCPG in both of its styles. Papers mix them, so every score carries its style's name.

ReID style pools the cameras, leaves out the probe's identity on the probe's camera and
reports Rank-1, mAP and mINP over the probes that have a match. Gait style averages Rank-1
over pairs of different cameras. Source: specification 9.6.
"""

import numpy as np

from gaitjax.evaluation import record
from gaitjax.evaluation.protocols import gallery_and_probes
from gaitjax.evaluation.protocols.retrieval import ask, matched_only, pooled_scores, unmatched_note
from gaitjax.evaluation.protocols.single_view import ask_by_view, view_scores
from gaitjax.evaluation.scoring import counts
from gaitjax.evaluation.task import Task
from gaitjax.evaluation.verification import verification


def ccpg(task: Task) -> dict:
    """Clothes (CL), tops (UP), trousers (DN) and bags (BG) changed, each in both styles.

    A sequence's camera is its view up to the first underscore. `compat` rounds every pair of
    cameras in gait style to two decimals. Settings without a probe are left out.

    Raises:
      DataError: no setting has both gallery and probes, no probe has a match, one camera.
    """
    cameras = np.array([view.split("_", 1)[0] for view in task.views])
    present = {
        name: roles
        for name, roles in gallery_and_probes.CCPG.items()
        if gallery_and_probes.selected(task, roles.probes[name]).any()
    }
    if not present:
        gallery_and_probes.split(
            task, gallery_and_probes.CCPG["CL"]
        )  # raises the error that lists the types
    scores, conditions, notes, pairs = [], {}, [], None
    for name, roles in present.items():
        gallery, probes = gallery_and_probes.split(task, roles)
        probes = probes[name]
        pairs = pairs or verification(task, probes, gallery, cameras)

        questions = ask(task, probes, gallery, groups=cameras, all_matches=True)
        kept, also = matched_only(questions)
        style = f"{name} ReID"
        found, entry = pooled_scores(
            task, kept, len(gallery), (1,), ("mAP", "mINP"), style + " ", also=also
        )
        entry["counts"] = counts(questions, task.labels, len(gallery))
        scores += found
        conditions[style] = entry
        notes += [f"{style}: {note}" for note in unmatched_note(questions)]

        style = f"{name} gait"
        names, by_camera = ask_by_view(task, probes, gallery, cameras)
        found, conditions[style] = view_scores(
            task, by_camera, names, len(gallery), prefix=style + " "
        )
        scores += found
    return record.build(
        task,
        "ccpg",
        "CCPG, ReID style and gait style (identical cameras excluded)",
        conditions,
        scores,
        notes,
        pairs,
    )
