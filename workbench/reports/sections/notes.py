"""The investigator's own words."""

from __future__ import annotations

from workbench.reports.document import Block, Paragraph, Section
from workbench.reports.source import ReportSource


def notes_section(source: ReportSource) -> Section | None:
    """The notes, a paragraph for each line."""
    lines = [line.strip() for line in source.record.notes().splitlines() if line.strip()]
    blocks: list[Block] = [Paragraph((line,)) for line in lines]
    return Section("Notes of the investigator", "notes", blocks) if blocks else None
