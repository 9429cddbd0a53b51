"""Labels, and where each comes from."""

from __future__ import annotations

from workbench.reports.choice import chosen_features
from workbench.reports.document import Cell, Code, Column, Link, Section, Table, at_line, feature_anchor
from workbench.reports.source import ReportSource
from workbench.saes.ids import feature_id
from workbench.session.state import Entry


def labels_section(source: ReportSource) -> Section | None:
    """Every label in force, by feature."""
    if not source.labelled:
        return None
    in_full = set(chosen_features(source))
    rows = [_row(source, space, index, entry, in_full) for space, index, entry in source.labelled]
    columns = [Column(name) for name in ("Feature", "Label", "Source", "Status", "Given in")]
    return Section("Labels", "labels", [Table("Labels given so far", columns, rows)])


def _row(source: ReportSource, space: str, index: int, entry: Entry, in_full: set[int]) -> list[Cell]:
    here = space == source.space
    shown: Cell = (Link(f"#{index}", feature_anchor(index)),) if here and index in in_full else (
        Code(f"#{index}" if here else feature_id(space, index)),
    )  # fmt: skip
    stale = (" (stale)",) if entry.stale else ()
    value = entry.value
    return [shown, str(value["text"]), str(value["source"]), str(value["status"]), (at_line(entry.seq), *stale)]
