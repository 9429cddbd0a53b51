"""Carries out `report`."""

from __future__ import annotations

from pathlib import Path

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
    from workbench.reports import write_report

    record = lab.record if not query.target else SessionRecord(catalog.find(query.target, lab.sessions))
    if not record.lines:
        raise UsageError(f"session {record.name!r} has no results yet", "Run a command first.")
    form = query.format or ("md" if Path(query.out).suffix.lower() in MARKDOWN else "html")
    path = Path(query.out) if query.out else lab.home / "reports" / f"report-{record.name}.{form}"
    if query.out:
        require_folder(path, "the report")
    text = write_report(record, lab, form, text_of)
    write_atomic(path, text)
    return Outcome({"path": str(path), "bytes": len(text.encode())})
