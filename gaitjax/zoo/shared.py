"""Weights that people share on the Hugging Face hub: fetched by address, pushed with a card."""

import re
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from gaitjax import files, weights
from gaitjax.conversion import hub
from gaitjax.errors import DataError, WeightsError
from gaitjax.training import checkpoint
from gaitjax.untrusted import safe_json
from gaitjax.zoo import card

SCHEME = "hf://"
NAME = "weights.safetensors"  # in a repository


class Address(NamedTuple):
    """Weights on the hub: hf://owner/name[/file][@revision].

    Attributes:
      repo: owner/name.
      file: path in it; "": its `NAME`, or the one weights file that it has.
      revision: branch, tag or commit; None: the default branch.
    """

    repo: str
    file: str = ""
    revision: str | None = None

    @classmethod
    def parse(cls, text: str) -> "Address":
        """The address of a text; DataError if it is none.

        >>> Address.parse("hf://ann/walks@v2")
        Address(repo='ann/walks', file='', revision='v2')
        """
        part = r"[\w.-]+"
        pattern = rf"{SCHEME}({part}/{part})(?:/({part}(?:/{part})*))?(?:@(.+))?"
        found = re.fullmatch(pattern, text)
        if not found or ".." in text:
            raise DataError(f"{text}: expected hf://owner/name, hf://owner/name@revision")
        return cls(found[1], found[2] or "", found[3])

    def __str__(self) -> str:
        path = "/".join(filter(None, (self.repo, self.file)))
        return SCHEME + path + (f"@{self.revision}" if self.revision else "")


def local(place: str | Path) -> tuple[Path, str]:
    """Where weights lie on this machine, and what records call them.

    Args:
      place: a path, which is given back, or the address of weights on the hub. Those are fetched
        once; without network what the cache has is taken.

    Returns:
      The second names the very commit that was fetched: hf://owner/name@COMMIT.
    Raises:
      DataError: as `gaitjax.conversion.hub.fetch`.
    """
    if not str(place).startswith(SCHEME):
        return files.expanded(place), str(place)
    address = Address.parse(str(place))
    folder, _, file = address.file.rpartition("/")

    def choose(names: Iterable[str]) -> str:
        fitting = [n for n in names if Path(n).suffix in weights.SUFFIXES]
        named = [n for n in fitting if Path(n).name == (file or NAME)]
        return next(iter(named or ([] if file or len(fitting) > 1 else fitting)), "")

    wanted = file or f"{NAME}, and not one other weights file"
    path, commit = hub.fetch_from(
        address.repo, folder, address.revision, choose, wanted, "its path instead of hf://"
    )
    return path, str(address._replace(revision=commit))


def push(
    source: Path, repo: str, licence: str, evaluation: Path | None = None, private: bool = False
) -> str:
    """Puts weights and a card on the hub, in one commit; returns its address.

    Args:
      source: weights file, or work directory of a run.
      evaluation: evaluation.json of these weights; default: the one beside them, if it is of
        them.

    Raises:
      WeightsError, DataError: not to be read, no config in them, an evaluation of others; the hub
        refuses, or wants a login.
    """
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", repo):
        raise DataError(f"--repo {repo}: expected owner/name")
    variables, metadata, text = described(source, repo, licence, evaluation)
    client = hub.client()
    api = client.HfApi()
    with tempfile.TemporaryDirectory() as folder:
        file = weights.save(Path(folder, NAME), variables, metadata)
        try:
            api.create_repo(repo, private=private, exist_ok=True)
            commit = api.create_commit(
                repo,
                [
                    client.CommitOperationAdd(NAME, str(file)),
                    client.CommitOperationAdd("README.md", text.encode()),
                ],
                commit_message=f"Weights of {metadata['config']['model']['name']}",
            )
        except Exception as error:  # each version of the client has its own errors
            raise DataError(
                f"{repo}: not pushed ({str(error).strip().splitlines()[0]}); log in with "
                "`hf auth login` to an account that may write there, and run the command again"
            ) from error
    return str(Address(repo, revision=commit.oid))


def described(
    source: Path, repo: str, licence: str, evaluation: Path | None = None
) -> tuple[dict, dict, str]:
    """(variables, metadata, card) of weights, as `push` sends them."""
    variables, metadata = checkpoint.load_variables(source)
    if "config" not in metadata:
        raise WeightsError(f"{source}: does not say its config; convert or train it again")
    metadata = {key: value for key, value in metadata.items() if key != "source"}  # a path here
    for key in ("root", "partition", "cache_dir"):
        metadata["config"]["data"][key] = ""
    metadata["config"]["init_from"] = ""
    record = _evaluation(source, metadata, evaluation)
    return variables, metadata, card.markdown(repo, licence, variables, metadata, record)


def _evaluation(source: Path, metadata: dict, given: Path | None) -> dict | None:
    """The record of evaluation that belongs to the weights; None if there is none."""
    path = given or (source if source.is_dir() else source.parent) / "evaluation.json"
    if not path.is_file():
        if given:
            raise DataError(f"{path}: no such file; python -m gaitjax.evaluate writes it")
        return None
    record = safe_json.load(path)
    of = record.get("checkpoint") if isinstance(record, dict) else None
    of, keys = of if isinstance(of, dict) else {}, ("step", "sha256")
    same = bool(of) and all(of.get(key) == metadata.get(key) for key in keys)
    if same and (given or Path(str(of.get("path"))).name == source.name):
        return record
    if given:
        raise DataError(
            f"{path}: not of these weights: it says {[of.get(k) for k in keys]} of "
            f"{' and '.join(keys)}, they {[metadata.get(k) for k in keys]}; evaluate them first"
        )
    return None
