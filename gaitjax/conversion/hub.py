"""Files of the Hugging Face hub: fetched once, then read from the cache."""

from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType

from gaitjax import digest
from gaitjax.errors import DataError
from gaitjax.extras import optional


def client() -> ModuleType:
    """The hub's own client. DataError if it is not installed."""
    purpose = "speaks with the Hugging Face hub"
    optional("huggingface_hub.utils", "hub", purpose)
    return optional("huggingface_hub", "hub", purpose)


def fetch(repo: str, folder: str, revision: str | None = None) -> tuple[Path, str]:
    """The newest checkpoint of a folder: (file in the client's cache, commit it is of).

    Newest is the largest iteration among `folder`/checkpoints/<name>-<iteration>.pt. Without
    network the newest one in the cache is taken.

    Args:
      revision: branch, tag or commit; None: the default branch.

    Raises:
      DataError: no such repository, revision, folder or checkpoint; no network and nothing in
        the cache; or the file is not the one that the hub lists.
    """

    def newest(names: Iterable[str]) -> str:
        return max((n for n in names if _iteration(n) >= 0), key=_iteration, default="")

    return fetch_from(
        repo, f"{folder}/checkpoints", revision, newest, "<name>-<iteration>.pt", "--checkpoint"
    )


def fetch_from(
    repo: str,
    folder: str,
    revision: str | None,
    choose: Callable[[Iterable[str]], str],
    wanted: str,
    instead: str,
) -> tuple[Path, str]:
    """One file of a folder, the one that `choose` takes of the paths: (its place, the commit).

    Args:
      folder: "": the repository's own.
      choose: gives "" if none will do.
      wanted: what errors call such a file.
      instead: with what the user may name a file at hand.

    Raises:
      DataError: as `fetch`.
    """
    hub = client()
    place = "/".join(filter(None, (repo, folder))) + (f" at {revision}" if revision else "")
    print(f"asking the hub for {place}", flush=True)
    try:
        listed = hub.HfApi().list_repo_tree(repo, folder or None, revision=revision)
        files = {file.path: file for file in listed}
    except hub.utils.RevisionNotFoundError as error:
        raise DataError(f"{place}: the hub has no such revision of {repo}") from error
    except hub.utils.RepositoryNotFoundError as error:  # or gated
        raise DataError(f"{place}: the hub shows no repository {repo} without a login") from error
    except hub.utils.EntryNotFoundError as error:
        raise DataError(
            f"{place}: the hub has no folder {folder}; see what it has at "
            f"https://huggingface.co/{repo}/tree/main, and give the file with {instead}"
        ) from error
    except Exception as error:  # no network: each version of the client has its own errors
        cached = _cached(hub, repo, folder, revision, choose)
        if cached is None:
            raise DataError(
                f"{place}: the hub cannot be reached ({_first_line(error)}) and the cache has no "
                f"{'checkpoint' if folder else 'weights'} of it; connect, or give the file with "
                f"{instead}"
            ) from error
        print(
            f"the hub cannot be reached; taking {cached[0].name} from the cache "
            "(HF_HUB_OFFLINE=1 does so at once)"
        )
        return cached
    if not (name := choose(files)):
        where = f"its folder {folder.rpartition('/')[2]}" if folder else "it"
        raise DataError(f"{place}: no {wanted} in {where}")

    print(f"fetching {repo}/{name}", flush=True)
    try:
        path = Path(hub.hf_hub_download(repo, name, revision=revision))
    except Exception as error:
        raise DataError(
            f"{repo}/{name}: not fetched ({_first_line(error)}); run the command again"
        ) from error
    stated = getattr(files[name], "lfs", None)
    if stated and (found := digest.of_file(path)) != stated.sha256:
        raise DataError(
            f"{path}: damaged: its SHA-256 is {found}, the hub's listing says {stated.sha256}; "
            "delete the file and run the command again"
        )
    return path, path.parts[-len(Path(name).parts) - 1]


def _iteration(name: str) -> int:
    """Iteration in a checkpoint's file name; -1 for other files."""
    stem, dot, suffix = name.rpartition(".")
    number = stem.rpartition("-")[2]
    return int(number) if (dot, suffix) == (".", "pt") and number.isdecimal() else -1


def _cached(
    hub: ModuleType,
    repo: str,
    folder: str,
    revision: str | None,
    choose: Callable[[Iterable[str]], str],
) -> tuple[Path, str] | None:
    """The file that `choose` takes of all in the cache from a folder.

    The commits that were asked for as the default branch come first, then newer ones.
    """
    try:
        repos = hub.scan_cache_dir().repos
    except hub.CacheNotFound:
        return None
    commits = [
        commit
        for cached in repos
        if (cached.repo_id, cached.repo_type) == (repo, "model")
        for commit in cached.revisions
        if revision in (None, commit.commit_hash, *commit.refs)
    ]
    found = {
        str(file.file_path): (file.file_path, commit.commit_hash)
        for commit in sorted(commits, key=lambda c: ("main" in c.refs, c.last_modified))
        for file in commit.files
        if file.file_path.parent == commit.snapshot_path / folder
    }
    return found.get(choose(reversed(found)))


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
