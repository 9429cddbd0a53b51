"""The commands that made the report, and how to replay them."""

from __future__ import annotations

from workbench.reports.document import (
    Cell,
    Code,
    Column,
    Listing,
    Paragraph,
    Section,
    Table,
    line_anchor,
)
from workbench.reports.source import ReportSource
from workbench.reports.text import number, several
from workbench.session.log import LogLine


def commands_section(source: ReportSource) -> Section | None:
    """Every line in force as the `:` line that makes it again."""
    lines = source.in_force
    rows = [_row(source, line) for line in lines]
    columns = [
        Column("Line"),
        Column("Command"),
        Column("Seconds", True),
        Column("When (UTC)", True),
        Column("Remarks"),
    ]
    table = Table("Commands in force", columns, rows, anchors=[line_anchor(line.seq) for line in lines])
    replay = Paragraph(
        (
            "With this session's folder, the first command below computes everything again from the log, never from "
            "stored results, and compares every number with the recorded one. Without it, type the commands in the "
            "app, each after a colon as it stands here, or put them into a file without the colons and run that.",
        )
    )
    name = source.record.name
    listing = Listing(
        [
            f"workbench replay {name} --check",
            f"workbench session new {name}-again",
            f"workbench run commands.txt --session {name}-again",
        ]
    )
    return Section("Commands and replay", "commands", [replay, listing, Paragraph((_left_out(source),)), table])


def _row(source: ReportSource, line: LogLine) -> list[Cell]:
    remarks: list[str] = []
    if source.is_stale(line):
        remarks.append("stale")
    if line.reused is not None:
        remarks.append(f"took the stored result of line {line.reused}")
    if line.warnings:
        remarks.append(several(len(line.warnings), "warning"))
    when = line.utc.replace("T", " ").removesuffix("Z")
    return [str(line.seq), (Code(":" + source.line_text(line)),), number(line.seconds), when, ", ".join(remarks)]


def _left_out(source: ReportSource) -> str:
    record = source.record
    undone = [line for line in record.lines if line.seq in record.state.withdrawn and line.do != "session.undo"]
    failed = [line for line in record.lines if line.outcome != "ok"]
    return (
        f"Of {several(len(record.lines), 'log line')}, {several(len(source.in_force), 'command')} "
        f"{'is' if len(source.in_force) == 1 else 'are'} in force; "
        f"{several(len(undone), 'withdrawn line')} and {several(len(failed), 'failed line')} are left out."
    )
