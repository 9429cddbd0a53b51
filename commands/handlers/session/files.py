"""Carries out `session.export` and `session.import`; `commands/handlers/session/` names them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from commands.handlers.revisions import newer
from commands.session import SessionExport, SessionImport
from workbench.errors import InputFileError, MismatchError, UsageError
from workbench.lab import Lab
from workbench.session import SessionRecord, catalog
from workbench.session.exporting import ENDING
from workbench.session.exporting import export as write_export
from workbench.session.importing import bring_in
from workbench.verbs import Outcome

INDEX_LIMIT = 2 * 1024**3
"""Bytes of an index or of losses, the corpus included, that come along with a session."""
MATRIX_LIMIT = 512 * 1024**2
"""Bytes of a similarity that come along: those of 11,000 samples."""


def export(query: SessionExport, lab: Lab) -> Outcome:
    """Write the session and what its pages show of the corpus."""
    if query.target and not query.out and ("/" in query.target or query.target.lower().endswith(ENDING)):
        raise UsageError(
            f"{query.target!r} is a place, and the first word names the session",
            f"Say where it goes with --out: `workbench session export --out {query.target}`.",
        )
    record = SessionRecord(catalog.find(query.target, lab.sessions)) if query.target else lab.record
    out = Path(query.out or f"{record.name}{ENDING}")
    if not out.is_absolute():
        out = Path.cwd() / out
    if not out.parent.is_dir():
        raise UsageError(f"there is no folder {str(out.parent)!r} for the export", "Make it, or choose another place.")
    own = Lab(record, sessions=lab.sessions)
    index, warnings = _index_stores(own) if query.index else ({}, [])
    quanta, more = _quanta_stores(own) if query.index else ({}, [])
    counts = write_export(record, {**index, **quanta}, out, lab.tick)
    result = {
        "session": record.name,
        "path": str(out),
        "commands": len(record.lines),
        "index": bool(index),
        "quanta": bool(quanta),
        **counts,
    }
    return Outcome(result, warnings=[*warnings, *more])


def _index_stores(own: Lab) -> tuple[dict[str, Path], list[str]]:
    """The folders of the index and its corpus, by their place in `WORKBENCH_HOME`, and what stays behind."""
    if own.state.get("index") is None:
        return {}, []
    found = own.index()
    if found is None:
        return {}, ["the corpus index is not on this machine and stays behind: features show no contexts over there"]
    folders = {f"index/{found.folder.name}": found.folder, f"corpora/{found.store.folder.name}": found.store.folder}
    if (size := _size(folders.values())) > INDEX_LIMIT:
        return {}, [f"the corpus index has {size / 1e9:.1f} GB and stays behind: features show no contexts over there"]
    return folders, []


def _quanta_stores(own: Lab) -> tuple[dict[str, Path], list[str]]:
    """The folders of losses, their corpus and the similarity, by their place in `WORKBENCH_HOME`, and what stays."""
    from commands.handlers.quanta import data

    if own.state.get(data.LOSSES) is None:
        return {}, []
    try:
        losses = data.losses(own)
    except MismatchError as error:
        return {}, [f"{error.message} and stays behind: clusters of predictions show no samples over there"]
    corpus, warnings = losses.numbering.store.folder, []
    if not losses.folder.is_dir():
        warnings = ["the losses are not on this machine and stay behind: samples cannot be chosen over there"]
    folders = {f"corpora/{corpus.name}": corpus, f"quanta/losses/{losses.folder.name}": losses.folder}
    if (size := _size(folders.values())) > INDEX_LIMIT:
        told = f"losses and their corpus have {size / 1e9:.1f} GB and stay behind"
        return {}, [f"{told}: clusters of predictions show no samples over there"]
    matrix, more = _similarity_store(own)
    return folders | matrix, warnings + more


def _similarity_store(own: Lab) -> tuple[dict[str, Path], list[str]]:
    from commands.handlers.quanta import data
    from workbench.predictions.similarities import has_matrix, matrix_folder

    about = own.state.get(data.SIMILARITY)
    if about is None:
        return {}, []
    key, without = str(about["key"]), "no matrices, splits and merges of quanta over there"
    try:
        home = next((home for home in own.homes if has_matrix(home, key)), None)
    except InputFileError as error:
        return {}, [f"{error.message}: {without}"]
    if home is None:
        return {}, [f"the similarities are not on this machine and stay behind: {without}"]
    folder = matrix_folder(home, key)
    if (size := _size([folder])) > MATRIX_LIMIT:
        return {}, [f"the similarities have {size / 1e6:,.0f} MB and stay behind: {without}"]
    return {f"quanta/similarity/{folder.name}": folder}, []


def _size(folders: Iterable[Path]) -> int:
    return sum(path.stat().st_size for folder in folders for path in folder.rglob("*") if path.is_file())


def import_(command: SessionImport, lab: Lab) -> Outcome:
    """Check an export and make it a session of the folder."""
    found = bring_in(Path(command.file).expanduser(), lab.sessions, command.name)
    record = SessionRecord(found.path)
    return Outcome(
        {
            "session": record.name,
            "folder": str(found.path),
            "commands": len(record.lines),
            "files": len(found.manifest.files),
            "bytes": found.manifest.size,
        },
        warnings=newer(record.lines),
    )
