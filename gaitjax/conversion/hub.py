"""Checkpoint files of the Hugging Face hub: fetched once, then read from the cache."""

from pathlib import Path

from gaitjax import digest
from gaitjax.errors import DataError
from gaitjax.extras import optional


def _client():
    purpose = "fetches the released weights"
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
    hub = _client()
    place = f"{repo}/{folder}" + (f" at {revision}" if revision else "")
    print(f"asking the hub for {place}", flush=True)
    try:
        listed = hub.HfApi().list_repo_tree(repo, f"{folder}/checkpoints", revision=revision)
        files = {file.path: file for file in listed}
        name = max(files, key=_iteration, default="")
    except hub.utils.RevisionNotFoundError as error:
        raise DataError(f"{place}: the hub has no such revision of {repo}") from error
    except hub.utils.RepositoryNotFoundError as error:  # or gated
        raise DataError(f"{place}: the hub shows no repository {repo} without a login") from error
    except hub.utils.EntryNotFoundError as error:
        raise DataError(
            f"{place}: the hub has no folder {folder}/checkpoints; see what it has at "
            f"https://huggingface.co/{repo}/tree/main, and give the file with --checkpoint"
        ) from error
    except Exception as error:  # no network: each version of the client has its own errors
        cached = _cached(hub, repo, folder, revision)
        if cached is None:
            raise DataError(
                f"{place}: the hub cannot be reached ({_first_line(error)}) and the cache has no "
                "checkpoint of it; connect, or give the file with --checkpoint"
            ) from error
        print(
            f"the hub cannot be reached; taking {cached[0].name} from the cache "
            "(HF_HUB_OFFLINE=1 does so at once)"
        )
        return cached
    if _iteration(name) < 0:
        raise DataError(f"{place}: no <name>-<iteration>.pt in its folder checkpoints")

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


def _cached(hub, repo: str, folder: str, revision: str | None) -> tuple[Path, str] | None:
    try:
        repos = hub.scan_cache_dir().repos
    except hub.CacheNotFound:
        return None
    found = [
        (file.file_path, commit.commit_hash)
        for cached in repos
        if (cached.repo_id, cached.repo_type) == (repo, "model")
        for commit in cached.revisions
        if revision in (None, commit.commit_hash, *commit.refs)
        for file in commit.files
        if file.file_path.parent == commit.snapshot_path / folder / "checkpoints"
    ]
    found = [(path, commit) for path, commit in found if _iteration(path.name) >= 0]
    return max(found, key=lambda entry: _iteration(entry[0].name), default=None)


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
