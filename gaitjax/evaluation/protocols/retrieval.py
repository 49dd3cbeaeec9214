"""Protocols that pool the gallery: cross-view gallery, GREW's local split, Gait3D, any split.

Sources: specification 9.3 (last point), 9.4, 9.5.
"""

from collections.abc import Sequence

import numpy as np

from gaitjax.errors import DataError
from gaitjax.evaluation import record
from gaitjax.evaluation.protocols import gallery_and_probes
from gaitjax.evaluation.protocols.single_view import ask_by_view, view_scores
from gaitjax.evaluation.ranking import rank_matches
from gaitjax.evaluation.scoring import (
    Questions,
    Score,
    answerable,
    cell_means,
    chance_cmc,
    chance_map,
    counts,
    mean,
    mean_of_counted,
)
from gaitjax.evaluation.task import Task, codes, keys
from gaitjax.evaluation.verification import verification

MATRIX_VIEWS = 36  # more views than this are names of videos, not of cameras
GREW_RANKS = (1, 5, 10, 20)


def cross_view_gallery(
    task: Task, gallery_types: Sequence[str] = (), probe_types: Sequence[str] = ()
) -> dict:
    """All gallery views together, without the probe's own identity in its own view.

    Rank-1 and mAP by probe view, then their mean; `compat` rounds each view to two decimals.
    The roles are OUMVLP's, CASIA-B's or SUSTech1K's, told apart by their types, or as given.
    """
    if gallery_types or probe_types:
        roles = gallery_and_probes.chosen_roles(None, gallery_types, probe_types)
    else:
        roles = gallery_and_probes.cross_view_roles(task)
    gallery, probes = gallery_and_probes.split(task, roles)
    scores, conditions = [], {}
    for name, rows in probes.items():
        questions = ask(task, rows, gallery, groups=task.views, by_view=True)
        prefix = f"{name} " if len(probes) > 1 else ""
        found, conditions[name] = pooled_scores(
            task,
            questions,
            len(gallery),
            (1,),
            ("mAP",),
            prefix,
            digits=2 if task.compat else None,
            views=np.unique(task.views[rows]).tolist(),
        )
        scores += found
    everyone = np.unique(np.concatenate(list(probes.values())))
    return record.build(
        task,
        "cross_view_gallery",
        "Cross-view gallery, the probe's identity in its own view excluded",
        conditions,
        scores,
        [],
        verification(task, everyone, gallery, task.views),
    )


def grew_local(task: Task) -> dict:
    """Rank-1/5/10/20 on GREW's test gallery split in two. Not the official protocol.

    Of each identity's sequences of types 01 and 02 the first by view name is gallery and the
    others are probes, the same on every machine. `compat` takes type 01 as gallery and 02
    as probes, which depends on the order in which a folder was listed, and rounds to two
    decimals.

    Raises:
      DataError: empty gallery, no probes, fewer than 20 gallery sequences.
    """
    gallery, probes = gallery_and_probes.split(
        task, gallery_and_probes.Roles(("01",), {"all": ("02",)})
    )
    probes = probes["all"]
    if not task.compat:
        both = np.concatenate([gallery, probes])
        both = both[np.lexsort((task.types[both], task.views[both], task.labels[both]))]
        first = np.unique(task.labels[both], return_index=True)[1]
        gallery, probes = both[first], np.delete(both, first)
    if len(gallery) < max(GREW_RANKS):
        raise DataError(
            f"GREW's ranks go up to {max(GREW_RANKS)}, but the gallery has only "
            f"{len(gallery)} sequences; use gallery_probe for a small set"
        )
    questions = ask(task, probes, gallery)
    digits = 2 if task.compat else None
    scores, entry = pooled_scores(task, questions, len(gallery), GREW_RANKS, digits=digits)
    return record.build(
        task,
        "grew_local",
        "GREW, local split of the test gallery",
        {"all": entry},
        scores,
        ["this is not GREW's official protocol: only the submission server holds its answers"],
        verification(task, probes, gallery),
    )


def gait3d(task: Task, probe_set: Sequence[str] | None = None) -> dict:
    """Rank-1/5/10, mAP and mINP of Gait3D. Probes without a match are left out.

    Same-camera pairs stay in. `compat` computes the ranks in float32 as the reference does.

    Args:
      probe_set: "label-type-view" of every probe, PROBE_SET of the partition file; all
        other sequences are the gallery.

    Raises:
      DataError: no probe set, none of it in the data, empty gallery, no probe with a match.
    """
    if not probe_set:
        raise DataError(
            "Gait3D needs its probe set: pass the PROBE_SET list of Gait3D.json "
            '("label-type-view" strings)'
        )
    is_probe = np.isin(keys(task), list(probe_set))
    probes, gallery = np.flatnonzero(is_probe), np.flatnonzero(~is_probe)
    if not len(probes):
        raise DataError(
            f"none of the {len(probe_set)} probes in the probe set is in the data; "
            f"the set has '{list(probe_set)[0]}', the data '{keys(task, slice(1))[0]}'"
        )
    if not len(gallery):
        raise DataError("empty gallery: every sequence is in the probe set")
    questions = ask(task, probes, gallery, all_matches=True)
    kept, also = matched_only(questions)
    scores, entry = pooled_scores(task, kept, len(gallery), (1, 5, 10), ("mAP", "mINP"), also=also)
    if task.compat:
        scores = [s._replace(value=_reference_mean(s)) for s in scores]
        entry["scores"] = {s.name: s.value for s in scores}
    entry["counts"] = counts(questions, task.labels, len(gallery))
    absent = len(set(probe_set)) - len(probes)
    notes = [f"{absent} probes of the probe set are not in the data"] if absent else []
    return record.build(
        task,
        "gait3d",
        "Gait3D, probes without a match left out",
        {"all": entry},
        scores,
        notes + unmatched_note(questions),
        verification(task, probes, gallery),
    )


def _reference_mean(score: Score) -> float:
    """A Gait3D number down to the reference's last bit."""
    kind = np.float32 if score.name.startswith("Rank") else np.float64
    return float(np.mean(score.points.astype(kind)) * kind(100))


def gallery_probe(
    task: Task, gallery_types: Sequence[str] = (), probe_types: Sequence[str] = ()
) -> dict:
    """Any gallery and any probes: Rank-1/5/10, mAP, mINP, and Rank-1 by pair of views.

    Args:
      gallery_types, probe_types: types of either; if only one is given, the other is every
        other type; if none, each sequence is looked for among all others.
    """
    groups = None
    if gallery_types or probe_types:
        others = set(task.types) - set(gallery_types) - set(probe_types)
        roles = gallery_and_probes.Roles(
            tuple(gallery_types) or tuple(sorted(others)),
            {"all": tuple(probe_types) or tuple(sorted(others))},
        )
        gallery, probes = gallery_and_probes.split(task, roles)
        probes = probes["all"]
        title = f"Gallery {_listed(roles.gallery)}, probes {_listed(roles.probes['all'])}"
    else:
        gallery = probes = groups = np.arange(len(task.labels))
        title = "Each sequence among all others"
    questions = ask(task, probes, gallery, groups=groups, all_matches=True)
    scores, entry = pooled_scores(task, questions, len(gallery), (1, 5, 10), ("mAP", "mINP"))
    views = np.unique(task.views[np.concatenate([gallery, probes])])
    if groups is None and 1 < len(views) <= MATRIX_VIEWS:
        names, by_view = ask_by_view(task, probes, gallery, task.views)
        (cross,), detail = view_scores(task, by_view, names, len(gallery))
        name = "Rank-1 across views"
        scores.append(cross._replace(name=name))
        entry["scores"][name] = cross.value
        entry |= dict(views=names, matrix=detail["matrix"])
        entry["per_view"] = {name: detail["per_view"]["Rank-1"]}
        same = by_view._replace(counted=~by_view.counted)
        entry["also"]["Rank-1, gallery of the same view"] = mean(same.hits(1), same)
    return record.build(
        task,
        "gallery_probe",
        title,
        {"all": entry},
        scores,
        unmatched_note(questions),
        verification(task, probes, gallery, groups),
    )


def _listed(types: Sequence[str]) -> str:
    return (
        ", ".join(types) if len(types) <= 6 else f"{types[0]} to {types[-1]} ({len(types)} types)"
    )


def ask(
    task: Task,
    probes: np.ndarray,
    gallery: np.ndarray,
    *,
    groups: np.ndarray | None = None,
    by_view: bool = False,
    all_matches: bool = False,
) -> Questions:
    """One question per probe, in one cell or in one per probe view.

    Raises:
      DataError: not a single probe has a match.
    """
    ranking = rank_matches(
        task.embeddings,
        task.labels,
        probes,
        gallery,
        task.metric,
        groups=groups,
        all_matches=all_matches or by_view,
        half=task.half,
    )
    cell = codes(task.views[probes]) if by_view else np.zeros(len(probes), int)
    return answerable(Questions(probes, cell, np.ones(cell.max() + 1, bool), ranking))


def matched_only(questions: Questions) -> tuple[Questions, dict]:
    """Questions that have an answer, and Rank-1 if the others counted as wrong."""
    everything = mean(questions.hits(1), questions)
    return questions.where(questions.matched), {"Rank-1, all probes": everything}


def unmatched_note(questions: Questions) -> list[str]:
    missing = int((~questions.matched).sum())
    return [f"{missing} probes have no match in the gallery"] if missing else []


def pooled_scores(
    task: Task,
    questions: Questions,
    gallery_size: int,
    ranks: Sequence[int],
    precision: Sequence[str] = (),
    prefix: str = "",
    *,
    digits: int | None = None,
    views: Sequence[str] = (),
    also: dict | None = None,
) -> tuple[list[Score], dict]:
    """Rank-k, mAP, mINP over the counted cells: headline scores and the condition's entry.

    `digits` rounds every cell first; `views` names the cells.
    """
    chance = chance_cmc(questions, max(ranks))
    points = {f"Rank-{k}": questions.hits(k).astype(float) for k in ranks}
    expected: dict[str, float | None] = {
        f"Rank-{k}": chance[min(k, len(chance)) - 1] for k in ranks
    }
    if "mAP" in precision:
        points["mAP"] = questions.ranking.average_precision()
        expected["mAP"] = chance_map(questions)
    if "mINP" in precision:
        points["mINP"] = questions.ranking.inverse_penalty()
        expected["mINP"] = None
    scores, per_view = [], {}
    for name, values in points.items():
        cells = cell_means(values, questions)
        cells = cells if digits is None else np.round(cells, digits)
        value = mean_of_counted(cells, questions.counted)
        scores.append(Score(prefix + name, value, values, questions, expected[name]))
        per_view[name] = dict(zip(views, cells, strict=False))
    if also is None:
        found = questions.where(questions.matched)
        also = {"Rank-1, probes with a match only": mean(found.hits(1), found)}
    entry = record.condition(
        task,
        questions,
        gallery_size,
        {s.name.removeprefix(prefix): s.value for s in scores},
        also=also,
        **(dict(per_view=per_view) if len(views) else {}),
    )
    return scores, entry
