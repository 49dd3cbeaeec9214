"""Single-view gallery: every probe view against every gallery view by itself.

OUMVLP, CASIA-B and SUSTech1K are reported this way: Rank-1 for each pair of views, the pairs
of identical views left out of the means. Source: specification 9.3.
"""

from collections.abc import Sequence

import numpy as np

from gaitjax.data import sets
from gaitjax.errors import DataError
from gaitjax.evaluation import record
from gaitjax.evaluation.protocols import gallery_and_probes
from gaitjax.evaluation.ranking import Ranking, rank_matches
from gaitjax.evaluation.scoring import (
    Questions,
    Score,
    answerable,
    cell_means,
    chance_cmc,
    mean,
    mean_of_counted,
)
from gaitjax.evaluation.task import Task
from gaitjax.evaluation.verification import verification


def single_view_gallery(
    task: Task, data_set: str, gallery_types: Sequence[str] = (), probe_types: Sequence[str] = ()
) -> dict:
    """Rank-1 over pairs of different views, by condition (SUSTech1K's up to Rank-5 there).

    `compat` rounds every pair's accuracy to two decimals before averaging, as the reference
    does. A probe whose identity is missing from a gallery view counts as wrong there.

    Args:
      data_set: one whose record says who is probe and who gallery (`gaitjax.data.sets`).
      gallery_types, probe_types: other roles than the data set's usual ones.

    Raises:
      DataError: unknown view, empty gallery, no probes or none with a match, one view.
    """
    roles = gallery_and_probes.chosen_roles(
        gallery_and_probes.SINGLE_VIEW[data_set], gallery_types, probe_types
    )
    gallery, probes = gallery_and_probes.split(task, roles)
    everyone = np.unique(np.concatenate(list(probes.values())))
    names, asked = ask_by_view(task, everyone, gallery, task.views)
    scores, conditions = [], {}
    for condition, rows in probes.items():
        questions = asked.where(np.isin(asked.probes, rows))
        prefix = f"{condition} " if len(probes) > 1 else ""
        found, conditions[condition] = view_scores(
            task, questions, names, len(gallery), sets.get(data_set).ranks, prefix
        )
        scores += found[:1]
    return record.build(
        task,
        data_set,
        f"{sets.get(data_set).title}, single-view gallery, identical views excluded",
        conditions,
        scores,
        [],
        verification(task, everyone, gallery, task.views, drop_group=True),
    )


def ask_by_view(
    task: Task, probes: np.ndarray, gallery: np.ndarray, views: np.ndarray
) -> tuple[list[str], Questions]:
    """Each probe against the gallery of each view: view names and the questions.

    Cells are pairs (probe view, gallery view), row by row; pairs of different views count.

    Raises:
      DataError: fewer than two views, or not a single probe has a match.
    """
    names = np.unique(views[np.concatenate([probes, gallery])])
    if len(names) < 2:
        raise DataError(
            f"identical views are excluded, but there is only one view ({names[0]}): "
            "use the gallery_probe protocol"
        )
    rankings = [
        rank_matches(
            task.embeddings,
            task.labels,
            probes,
            gallery[views[gallery] == view],
            task.metric,
            half=task.half,
        )
        for view in names
    ]
    probe_view = np.searchsorted(names, views[probes])
    cell = np.concatenate([probe_view * len(names) + j for j in range(len(names))])
    questions = Questions(
        probes=np.tile(probes, len(names)),
        cell=cell,
        counted=~np.eye(len(names), dtype=bool).ravel(),
        ranking=Ranking(*map(np.concatenate, zip(*rankings, strict=True))),
    )
    return names.tolist(), answerable(questions)


def view_scores(
    task: Task,
    questions: Questions,
    names: list[str],
    gallery_size: int,
    ranks: Sequence[int] = (1,),
    prefix: str = "",
) -> tuple[list[Score], dict]:
    """Rank-k over pairs of different views: headline scores and the condition's entry."""
    chance = chance_cmc(questions, max(ranks))
    scores, per_view, matrices = [], {}, {}
    for rank in ranks:
        matrix = cell_means(questions.hits(rank), questions).reshape(len(names), len(names))
        if task.compat:
            matrix = np.round(matrix, 2)
        rows = (matrix.sum(axis=1) - np.diag(matrix)) / (len(names) - 1)
        name = f"Rank-{rank}"
        value = mean_of_counted(rows, np.ones(len(names), bool))
        expected = chance[min(rank, len(chance)) - 1]
        scores.append(Score(prefix + name, value, questions.hits(rank), questions, expected))
        per_view[name] = dict(zip(names, rows, strict=True))
        matrices[rank] = matrix
    every_pair = questions._replace(counted=np.ones_like(questions.counted))
    found = questions.where(questions.matched)
    entry = record.condition(
        task,
        questions,
        gallery_size,
        {s.name.removeprefix(prefix): s.value for s in scores},
        views=names,
        matrix=matrices[1],
        per_view=per_view,
        also={
            "Rank-1, identical views included": mean(every_pair.hits(1), every_pair),
            "Rank-1, probes with a match only": mean(found.hits(1), found),
        },
    )
    return scores, entry
