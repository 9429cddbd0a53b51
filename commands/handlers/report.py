"""Carries out `report`."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from commands.handlers.log_text import text_of
from commands.handlers.revisions import older
from commands.report import Report
from workbench.errors import UsageError, storage_error
from workbench.files import write_atomic
from workbench.lab import Lab
from workbench.paths import require_ending, require_folder
from workbench.session import SessionRecord, catalog
from workbench.verbs import Outcome

PAGES = (".html", ".htm")
MARKDOWN = (".md", ".markdown")


def report(query: Report, lab: Lab) -> Outcome:
    """Write the session's report to a file."""
    from workbench.reports import write_report, write_with_figures

    record = lab.record if not query.target else SessionRecord(catalog.find(query.target, lab.sessions))
    if not record.lines:
        raise UsageError(f"session {record.name!r} has no results yet", "Run a command first.")
    form = query.format or ("md" if Path(query.out).suffix.lower() in MARKDOWN else "html")
    path = Path(query.out) if query.out else lab.home / "reports" / f"report-{record.name}.{form}"
    if query.out:
        if path.suffix and not query.format:
            require_ending(path, (*PAGES, *MARKDOWN), "; or add --format")
        require_folder(path, "the report")
    if not query.figures:
        text = write_report(record, lab, form, text_of, older)
        write_atomic(path, text)
        return Outcome({"path": str(path), "bytes": len(text.encode())})
    folder = _folder(query.figures)
    written = write_with_figures(record, lab, form, os.path.relpath(folder, path.parent), text_of, older)
    removed = _remove_earlier(folder, written.figures)
    for name, content in written.figures.items():
        write_atomic(folder / name, content)
    write_atomic(path, written.text)
    body = {"path": str(path), "bytes": len(written.text.encode())}
    told = [f"removed {removed} files that an earlier report had written to {folder}"] if removed else []
    return Outcome({**body, "figures": str(folder), "files": len(written.figures)}, warnings=told)


def _remove_earlier(folder: Path, kept: Collection[str]) -> int:
    """Remove what an earlier report wrote and this one does not, by its own list; says how many. Nothing else goes."""
    from workbench.reports.figure_files import CONTENTS, named_in

    listing = folder / CONTENTS
    if not listing.is_file():
        return 0
    stale = [folder / name for name in named_in(listing) if name not in kept]
    stale = [path for path in stale if path.is_file() and not path.is_symlink()]
    try:
        for path in stale:
            path.unlink()
    except OSError as error:
        raise storage_error(folder, error) from error
    return len(stale)


def _folder(name: str) -> Path:
    """The folder of the figures, made where its parent exists."""
    folder = Path(name)
    require_folder(folder, "the folder of figures")
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is no folder", "Name a folder for the figures.")
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise storage_error(folder, error) from error
    return folder
