"""Models by their name on the hub: from the cache of this machine where they are in it, else fetched whole.

Only what is read is fetched: configuration, tokenizer and safetensors weights, never a pickle, never code.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workbench.errors import InputFileError, UnknownNameError, WorkbenchError, did_you_mean
from workbench.models.reference import SHORT_NAMES, checked

COMMIT = "commit:"
"""How the digest of a hub model begins."""
_WANTED = ["*.json", "*.safetensors", "*.model", "*.txt", "*.jinja"]
_UNWANTED = ["*/*", "consolidated*"]
_SECONDS = 8.0
"""How long the hub may take to answer at all."""


@contextmanager
def cache_only() -> Iterator[None]:
    """Inside, whatever is read from the hub comes out of this machine's cache, or is missing."""
    from huggingface_hub import constants

    before, constants.HF_HUB_OFFLINE = constants.HF_HUB_OFFLINE, True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before


def snapshot(name: str, revision: str, digest: str = "") -> Path:
    """The folder with the files of a hub model; no connection is made where the cache has them all.

    Args:
        name: `owner/name`, or an old name without owner.
        revision: branch, tag or commit; "" is the main branch.
        digest: that of a session, `commit:...`: this very commit is taken, even where the branch moved on.

    Raises:
        UnknownNameError: the hub knows no such model or revision.
        InputFileError: not cached and not to be had, or without safetensors weights.
    """
    wanted = digest.removeprefix(COMMIT) if digest.startswith(COMMIT) else revision
    cached = _cached(name, wanted)
    if cached is not None:
        return cached
    try:
        folder = _fetch(name, wanted)
    except WorkbenchError as error:
        meant = did_you_mean(name, SHORT_NAMES)  # a slip is looked for on the hub all the same: it may be a name there
        raise type(error)(error.message, f"{meant} {error.hint}".lstrip()) from error
    try:
        return checked(folder)
    except InputFileError as error:
        raise InputFileError(
            f"no whole safetensors weights of {name!r} are in this machine's cache or to be had from the hub",
            "Check the network. Where the hub has pickled weights only, convert them where you trust them.",
        ) from error


def cached_snapshot(name: str, digest: str) -> Path | None:
    """The folder of a hub model in this machine's cache, at the commit of a session's digest; nothing is fetched."""
    return _cached(name, digest.removeprefix(COMMIT))


def commit_of(folder: Path) -> str:
    """The commit that a snapshot folder holds."""
    return folder.name


def _cached(name: str, revision: str) -> Path | None:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        folder = Path(snapshot_download(name, revision=revision or None, local_files_only=True))
        return checked(folder) if _has_tokenizer(folder) else None
    except HFValidationError as error:
        raise UnknownNameError(
            f"{name!r} is no name of a model", "Give `demo`, an existing folder, or OWNER/NAME of the hub."
        ) from error
    except (LocalEntryNotFoundError, WorkbenchError):
        return None  # not there, or only half of it


def _has_tokenizer(folder: Path) -> bool:
    return any(any(folder.glob(pattern)) for pattern in ("tokenizer*", "vocab*", "*.model"))


def _fetch(name: str, revision: str) -> Path:
    from huggingface_hub import constants, snapshot_download
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

    at = f" at revision {revision!r}" if revision else ""
    if constants.HF_HUB_OFFLINE:
        raise InputFileError(
            f"the model {name!r}{at} is not in this machine's cache, and HF_HUB_OFFLINE forbids to fetch it",
            "Unset HF_HUB_OFFLINE, or give a local folder.",
        )
    try:
        return Path(
            snapshot_download(
                name,
                revision=revision or None,
                allow_patterns=_WANTED,
                ignore_patterns=_UNWANTED,
                etag_timeout=_SECONDS,
            )
        )
    except GatedRepoError as error:
        raise InputFileError(
            f"the model {name!r} asks for its terms to be accepted", "Accept them on its page, then `hf auth login`."
        ) from error
    except RevisionNotFoundError as error:
        raise UnknownNameError(
            f"the model {name!r} has no revision {revision!r}", "See its branches and tags."
        ) from error
    except RepositoryNotFoundError as error:
        raise UnknownNameError(
            f"the hub has no model {name!r} that you may see", "Check the name; `hf auth login` for a private one."
        ) from error
    except Exception as error:  # whatever the network does
        reason = str(error).strip().split("\n")[0][:200]
        raise InputFileError(
            f"the model {name!r}{at} is neither a folder nor in this machine's cache, and cannot be fetched "
            f"({type(error).__name__}: {reason})",
            "Check the name and the network, or give a local folder.",
        ) from error
