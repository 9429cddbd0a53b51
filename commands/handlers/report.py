"""Carries out `report`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from commands.handlers.log_text import text_of
from commands.report import Report
from workbench.errors import UsageError
from workbench.files import write_atomic
from workbench.lab import Lab
from workbench.paths import require_folder
from workbench.session import SessionRecord, catalog
from workbench.verbs import Outcome

MARKDOWN = (".md", ".markdown")


def report(query: Report, lab: Lab) -> Outcome:
    """Write the session's report to a file."""
    from workbench.reports import figures_of, write_report

    record = lab.record if not query.target else SessionRecord(catalog.find(query.target, lab.sessions))
    if not record.lines:
        raise UsageError(f"session {record.name!r} has no results yet", "Run a command first.")
    form = query.format or ("md" if Path(query.out).suffix.lower() in MARKDOWN else "html")
    path = Path(query.out) if query.out else lab.home / "reports" / f"report-{record.name}.{form}"
    if query.out:
        require_folder(path, "the report")
    text = write_report(record, lab, form, text_of)
    write_atomic(path, text)
    body: dict[str, Any] = {"path": str(path), "bytes": len(text.encode())}
    if query.figures:
        files = figures_of(record, lab)
        for name, content in files.items():
            write_atomic(_folder(query.figures) / name, content)
        body |= {"figures": query.figures, "files": len(files)}
    return Outcome(body)


def _folder(name: str) -> Path:
    """The folder of the figures, made where its parent exists."""
    folder = Path(name)
    require_folder(folder, "the folder of figures")
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is no folder", "Name a folder for the figures.")
    folder.mkdir(exist_ok=True)
    return folder
