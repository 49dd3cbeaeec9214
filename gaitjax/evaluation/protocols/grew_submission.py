"""GREW's submission: the file its server scores, checked before it is sent.

Every probe video gets the identities of its 20 nearest gallery sequences, repeats allowed.
The server takes a zip of `submission.csv`. Source: specification 9.4.
"""

import csv
import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from gaitjax import files
from gaitjax.errors import DataError
from gaitjax.evaluation import record
from gaitjax.evaluation.distances import nearest
from gaitjax.evaluation.protocols import gallery_and_probes
from gaitjax.evaluation.protocols.retrieval import ask, pooled_scores
from gaitjax.evaluation.task import Task
from gaitjax.evaluation.verification import verification

COLUMNS = 20
RANKS = (1, 5, 10, 20)
HEADER = ["videoId", *(f"rank{i}" for i in range(1, COLUMNS + 1))]
ROLES = gallery_and_probes.Roles(("01", "02"), {"all": ("03",)})


def grew_submission(
    task: Task,
    *,
    keep_zeros: bool = False,
    ground_truth: str | Path | Mapping[str, str] | None = None,
    out_dir: str | Path | None = None,
) -> dict:
    """The submission, and its accuracy if the answers are given.

    Args:
      keep_zeros: write identities as they are ("00012"), not as integers (12), which is
        what the reference writes.
      ground_truth: identity of each probe video, as a mapping or a csv file of two columns.
      out_dir: where `submission.csv` and `submission.zip` go.

    Returns:
      The record; `submission` holds the `csv` text, or the paths `csv_file` and `zip_file`.

    Raises:
      DataError: fewer than 20 gallery sequences, identities that are no integers (without
        `keep_zeros`), repeated or unanswered probe videos.
    """
    gallery, probes = gallery_and_probes.split(task, ROLES)
    probes = probes["all"]
    if len(gallery) < COLUMNS:
        raise DataError(
            f"a GREW submission names {COLUMNS} sequences per probe, but the gallery has only "
            f"{len(gallery)}; it is every sequence of type 01 or 02 of the test set"
        )
    _, order = nearest(task.embeddings, probes, gallery, COLUMNS, task.metric, task.half)
    found = task.labels[gallery][order]
    text = submission_csv(task.views[probes], found, keep_zeros)
    check_submission(text, task.labels[gallery], task.views[probes])
    if out_dir is None:
        submission = dict(csv=text)
    else:
        csv_file, zip_file = write_submission(text, out_dir)
        submission = dict(csv_file=str(csv_file), zip_file=str(zip_file))

    entry = dict(
        counts=dict(
            probes=len(probes),
            gallery=len(gallery),
            identities=len(np.unique(task.labels[gallery])),
            comparisons=len(probes) * len(gallery),
        )
    )
    scores, pairs = [], None
    notes = ["accuracy is known to the submission server alone"]
    if ground_truth is not None:
        answered = _answered(task, probes, ground_truth)
        scores, entry = pooled_scores(answered, ask(answered, probes, gallery), len(gallery), RANKS)
        pairs = verification(answered, probes, gallery)
        notes = ["accuracy from the ground truth given, not from the submission server"]
    if not keep_zeros and any(label.startswith("0") for label in task.labels[gallery]):
        notes.append("identities are written as integers: leading zeros are gone, as the "
                     "reference writes them")  # fmt: skip
    built = record.build(
        task, "grew_submission", "GREW submission", {"all": entry}, scores, notes, pairs
    )
    return built | {"submission": submission}


def submission_csv(videos: Sequence[str], identities: np.ndarray, keep_zeros: bool = False) -> str:
    """The csv text: one row per video, its 20 identities, nearest first.

    >>> print(submission_csv(["aB3"], np.array([["00007"] * 20])).splitlines()[1][:9])
    aB3,7,7,7
    """
    if not keep_zeros:
        bad = [i for i in np.unique(identities) if not i.isdecimal()]
        if bad:
            raise DataError(
                f"gallery identity '{bad[0]}' is not a number; pass keep_zeros=True to write "
                "identities as they are"
            )
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    for video, row in zip(videos, identities, strict=True):
        writer.writerow([video, *(row if keep_zeros else map(int, row))])
    return text.getvalue()


def check_submission(text: str, gallery: Sequence[str], videos: Sequence[str]) -> None:
    """Raises DataError unless `text` is a submission the server can score.

    The header is right, every video has one row of 20 identities, and all of them are in
    the gallery, written with or without leading zeros.
    """
    rows = list(csv.reader(io.StringIO(text)))
    if not rows or rows[0] != HEADER:
        raise DataError(f"submission: the header must be {','.join(HEADER[:3])},...,{HEADER[-1]}")
    known = set(gallery) | {str(int(label)) for label in gallery if label.isdecimal()}
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(HEADER):
            raise DataError(
                f"submission line {number}: expected a video and {COLUMNS} identities, "
                f"found {len(row) - 1} identities"
            )
        strange = [identity for identity in row[1:] if identity not in known]
        if strange:
            raise DataError(f"submission line {number}: '{strange[0]}' is not in the gallery")
    found, times = np.unique([row[0] for row in rows[1:]], return_counts=True)
    if (times > 1).any():
        raise DataError(f"submission: video '{found[times > 1][0]}' has {times.max()} rows")
    missing = sorted(set(videos) - set(found))
    strange = sorted(set(found) - set(videos))
    if missing or strange:
        raise DataError(
            f"submission: {len(missing)} probe videos have no row "
            f"({', '.join(missing[:3]) or 'none'}), {len(strange)} rows are of no probe video "
            f"({', '.join(strange[:3]) or 'none'})"
        )


def write_submission(text: str, out_dir: str | Path) -> tuple[Path, Path]:
    """Writes `submission.csv` and `submission.zip` (the csv alone, at its top)."""
    out = Path(out_dir)
    csv_file, zip_file = out / "submission.csv", out / "submission.zip"
    files.write_text(csv_file, text)
    with (
        files.whole(zip_file) as temporary,
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        archive.writestr("submission.csv", text)
    return csv_file, zip_file


def read_ground_truth(path: str | Path) -> dict[str, str]:
    """Identity of each probe video from a csv of two columns, with or without a header."""
    with open(path, newline="") as file:
        rows = [row for row in csv.reader(file) if row]
    if rows and rows[0][0] == HEADER[0]:
        rows = rows[1:]
    bad = [row for row in rows if len(row) != 2]
    if bad or not rows:
        raise DataError(
            f"{path}: expected lines of two columns, video and identity, "
            f"found {bad[0] if bad else 'nothing'}"
        )
    return dict(rows)


def _answered(task: Task, probes, ground_truth) -> Task:
    """The task with the probes' true identities for labels."""
    truth = ground_truth
    if not isinstance(truth, Mapping):
        truth = read_ground_truth(ground_truth)
    missing = [video for video in task.views[probes] if video not in truth]
    if missing:
        raise DataError(
            f"the ground truth lacks {len(missing)} of {len(probes)} probe videos, "
            f"for example '{missing[0]}'"
        )
    labels = np.array([_bare(label) for label in task.labels])
    answers = [_bare(str(truth[video])) for video in task.views[probes]]
    labels = labels.astype(f"U{max(labels.itemsize // 4, *map(len, answers))}")
    labels[probes] = answers
    return task._replace(labels=labels)


def _bare(label: str) -> str:
    return str(int(label)) if label.isdecimal() else label
