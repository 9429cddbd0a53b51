"""The commands that made the report, and how to replay them."""

from __future__ import annotations

import re

from workbench.reports.document import (
    Cell,
    Code,
    Column,
    Fold,
    Listing,
    Paragraph,
    Section,
    Table,
    line_anchor,
)
from workbench.reports.source import ReportSource
from workbench.reports.text import number, several, visible
from workbench.session.log import LogLine

SCRIPT = "commands.txt"
_INPUT = re.compile(r"(^|[\s='\"])inputs/[0-9a-f]{12}-")


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
            f"stored results, and compares every number with the recorded one. Without it, save {SCRIPT} from below "
            "and run it in a session of your own.",
        )
    )
    name = source.record.name
    listing = Listing(
        [
            f"workbench replay {name} --check",
            f"workbench session new {name}-again",
            f"workbench run {SCRIPT} --session {name}-again",
        ]
    )
    script = Fold("The commands as a script", [Listing(_script(source), save=SCRIPT)])
    told = Paragraph((_left_out(source),))
    return Section("Commands and replay", "commands", [replay, listing, told, table, *([script] if lines else [])])


def _script(source: ReportSource) -> list[str]:
    """The lines in force as `workbench run` takes them; one that a script cannot hold is a remark that says why."""
    found = [f"# the commands in force of session {visible(source.record.name)}"]
    for line in source.in_force:
        text = source.line_text(line)
        if line.reused is not None:
            continue  # its result is that of a line above
        if len(text.splitlines()) > 1 or "${" in text:
            found.append(
                f"# line {line.seq} ({line.do}) holds a line break or ${{ and is not here: see the session's log"
            )
        elif _INPUT.search(text):
            found.append(f"# line {line.seq} needs a file that is in the session: put the path of yours instead")
            found.append(f"# {text}")
        else:
            found.append(text)
    return found


def _row(source: ReportSource, line: LogLine) -> list[Cell]:
    remarks: list[str] = []
    if source.is_stale(line):
        remarks.append("stale")
    if source.older(line):
        remarks.append("older revision")
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
