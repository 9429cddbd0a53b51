"""All warnings in one place, and what the report could not read."""

from __future__ import annotations

from workbench.reports.document import Block, Bullets, Paragraph, Rich, Section, at_line
from workbench.reports.source import ReportSource


def warnings_section(source: ReportSource) -> Section | None:
    """Warnings of the lines in force, stale lines and those of older revisions, and results that could not be read."""
    items = warnings(source)
    none = "No command in force gave a warning, none is stale, and every result could be read."
    blocks: list[Block] = [Bullets(items)] if items else [Paragraph((none,))]
    return Section("Warnings", "warnings", blocks) if source.in_force else None


def warnings(source: ReportSource) -> list[Rich]:
    """Every warning with its line."""
    found: list[Rich] = [(at_line(line.seq), f": {text}") for line in source.in_force for text in line.warnings]
    found += [
        (at_line(line.seq), " is stale: it rests on a line that was withdrawn later")
        for line in source.in_force
        if source.is_stale(line)
    ]
    found += [(at_line(line.seq), f": {told}") for line in source.in_force if (told := source.older(line))]
    problems = {(line.seq, reason) for line, reason in source.problems}
    found += [(at_line(seq), f" cannot be shown: {reason}") for seq, reason in sorted(problems)]
    return found
