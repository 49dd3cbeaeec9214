"""A reproduced number that its finder sends back, and that fills the README's table.

`python -m gaitjax.zoo submit` writes one file from a finished run; a pull request puts it into
`gaitjax/zoo/reproduced`, where `numbers.read` finds it. It holds no paths and no names but the
one that its sender gives.
"""

import datetime
import re
from pathlib import Path
from typing import Any

from gaitjax import files
from gaitjax.errors import DataError
from gaitjax.untrusted import safe_json

FORM = 1
# What a run's reproduction.json has, and is sent.
KEPT = (
    "name protocol score published ours spread within interval seeds scores changed weights data "
    "versions commit device processor"
).split()


def submit(folder: Path, who: str, output: Path | None = None) -> Path:
    """Writes the submission of the finished run in `folder`; returns its path.

    Args:
      who: shown beside the number, a name or an account.
      output: default: <config>.reproduced.json in the folder.

    Raises:
      DataError: no finished run there, or one without a number.
    """
    path = folder / "reproduction.json"
    if not path.is_file():
        raise DataError(
            f"{path}: no such file; finish python -m gaitjax.zoo reproduce NAME first, and name "
            "its --workdir"
        )
    run = safe_json.load(path)
    absent = [key for key in KEPT if not isinstance(run, dict) or key not in run]
    if absent:
        raise DataError(
            f"{path}: lacks {', '.join(absent)}, written by an earlier version; run zoo reproduce "
            "again with the same --workdir (weights are not fetched again)"
        )
    if run["ours"] is None:
        raise DataError(f"{path}: has no number: the GREW server alone knows it")
    today = datetime.date.today().isoformat()
    record = {"form": FORM, "who": who, "when": today} | {key: run[key] for key in KEPT}
    checked(record, str(path))
    output = output or folder / f"{run['name']}.reproduced.json"
    files.write_json(output, record)
    return output


def checked(record: Any, where: str) -> dict[str, Any]:
    """`record` if it is a submission; DataError, which names `where`, says what is wrong."""

    def wrong(what: str) -> DataError:
        return DataError(f"{where}: {what}; write it anew with python -m gaitjax.zoo submit")

    if not isinstance(record, dict) or record.get("form") != FORM:
        raise wrong(f"no submission of form {FORM}")
    if absent := [key for key in ("who", "when", *KEPT) if key not in record]:
        raise wrong(f"lacks {', '.join(absent)}")
    texts = ("who", "when", "name", "protocol", "score", "commit")
    if bad := [key for key in texts if not (isinstance(record[key], str) and record[key].strip())]:
        raise wrong(f"{bad[0]} is {safe_json.describe(record[bad[0]])}, expected a text")
    if not re.fullmatch(r"[\w .,@+'-]{1,60}", record["who"]):
        raise wrong("who is to be up to 60 letters, digits or any of . , @ + ' -")
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", record["when"]):
        raise wrong(f"when is {record['when'][:40]!r}, expected a day as 2026-11-26")
    bounds = record["interval"]
    pair = isinstance(bounds, list) and len(bounds) == 2
    values = [record["ours"], *(bounds if pair else [] if bounds is None else [None])]
    if not all(isinstance(v, int | float) and 0 <= v <= 100 for v in values):
        raise wrong("ours and interval are to be numbers from 0 to 100, interval two or null")
    seeds = record["seeds"]
    if not isinstance(seeds, list) or not all(type(seed) is int for seed in seeds):
        raise wrong("seeds is to be a list of whole numbers")
    return record
