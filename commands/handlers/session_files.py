"""Carries out `session.export` and `session.import`; `commands/handlers/session.py` names them."""

from __future__ import annotations

from pathlib import Path

from commands.session import SessionExport, SessionImport
from workbench.errors import UsageError
from workbench.lab import Lab
from workbench.session import SessionRecord, catalog
from workbench.session.exporting import ENDING
from workbench.session.exporting import export as write_export
from workbench.session.importing import bring_in
from workbench.verbs import Outcome

INDEX_LIMIT = 2 * 1024**3
"""Bytes of an index, its corpus included, that come along with a session."""


def export(query: SessionExport, lab: Lab) -> Outcome:
    """Write the session and what its pages show of the corpus."""
    record = SessionRecord(catalog.find(query.target, lab.sessions)) if query.target else lab.record
    out = Path(query.out or f"{record.name}{ENDING}")
    if not out.is_absolute():
        out = Path.cwd() / out
    if not out.parent.is_dir():
        raise UsageError(f"there is no folder {str(out.parent)!r} for the export", "Make it, or choose another place.")
    stores, warnings = _stores(record, query, lab)
    counts = write_export(record, stores, out)
    result = {
        "session": record.name,
        "path": str(out),
        "commands": len(record.lines),
        "index": bool(stores),
        **counts,
    }
    return Outcome(result, warnings=warnings)


def _stores(record: SessionRecord, query: SessionExport, lab: Lab) -> tuple[dict[str, Path], list[str]]:
    """The folders of the index and its corpus, by their place in `WORKBENCH_HOME`, and what stays behind."""
    if record.state.get("index") is None or not query.index:
        return {}, []
    found = Lab(record, sessions=lab.sessions).index()
    if found is None:
        return {}, ["the corpus index is not on this machine and stays behind: features show no contexts over there"]
    folders = {f"index/{found.folder.name}": found.folder, f"corpora/{found.store.folder.name}": found.store.folder}
    size = sum(path.stat().st_size for folder in folders.values() for path in folder.rglob("*") if path.is_file())
    if size > INDEX_LIMIT:
        return {}, [f"the corpus index has {size / 1e9:.1f} GB and stays behind: features show no contexts over there"]
    return folders, []


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
        }
    )
