"""Labels, and where each comes from."""

from __future__ import annotations

from workbench.labels.named import Of
from workbench.reports.choice import chosen_features
from workbench.reports.document import (
    Block,
    Cell,
    Code,
    Column,
    Link,
    Paragraph,
    Section,
    Table,
    at_line,
    feature_anchor,
)
from workbench.reports.source import ReportSource
from workbench.saes.ids import feature_id
from workbench.session.state import Entry

_ALWAYS = 5
"""Columns that stand there even where all cells are empty."""


def labels_section(source: ReportSource) -> Section | None:
    """Every label in force, of features, of clusters and of quanta, with its score."""
    blocks: list[Block] = []
    if source.labelled:
        in_full = set(chosen_features(source))
        rows = [_row(source, space, index, entry, in_full) for space, index, entry in source.labelled]
        blocks.append(_table("Labels given so far", "Feature", rows))
    kinds: tuple[tuple[Of, str], ...] = (("clusters", "Cluster"), ("quanta", "Quantum"))
    for of, what in kinds:
        if rows := [_group_row(source, of, *found) for found in source.labels_of(of)]:
            blocks.append(_table(f"Labels of {of}", what, rows))
    return Section("Labels", "labels", blocks) if blocks else None


def _table(title: str, what: str, rows: list[list[Cell]]) -> Table:
    """Scores and ratings stand in columns of their own where there are some."""
    names = [what, "Label", "Source", "Status", "Given in", "Score", "Rated"]
    kept = [at for at in range(len(names)) if at < _ALWAYS or any(row[at] for row in rows)]
    return Table(title, [Column(names[at]) for at in kept], [[row[at] for at in kept] for row in rows])


def _told(source: ReportSource, name: str, entry: Entry, mark: str) -> list[Cell]:
    """Label, source, status, line, the first score and the rating of one."""
    value, scores = entry.value, source.label_scores(name, str(entry.value["text"]))
    scored = ""
    if scores:
        first = scores[0]
        own, other = first["accuracy"], first["other"]
        scored = f"{first['scorer']} {first['protocol']} {own['value']:.2f} [{own['low']:.2f}, {own['high']:.2f}]"
        scored += f", another's label {other['value']:.2f}"
    rating = source.rating(name)
    rated = "" if rating is None else f"{rating['rating']} of 3{', blind' if rating['blind'] else ''}"
    if rating is not None and rating["concept"]:
        rated += f", against “{rating['concept']}”"
    line: Cell = (at_line(entry.seq), *((mark,) if mark else ()))
    return [str(value["text"]), str(value["source"]), str(value["status"]), line, scored, rated]


def _group_row(source: ReportSource, of: Of, space: str, index: int, entry: Entry) -> list[Cell]:
    gone = entry.stale or space != source.in_force_of(of)
    mark = f" (stale: of {of} that are no longer in force)" if gone else ""
    return [str(index), *_told(source, feature_id(space, index), entry, mark)]


def marks_section(source: ReportSource) -> Section | None:
    """Tags and notes by feature, and what was imported."""
    parts = {name: name.rpartition("#") for name in {*source.tags, *source.notes}}
    order = sorted(parts, key=lambda name: (parts[name][0], int(parts[name][2])))
    in_full = set(chosen_features(source))
    rows: list[list[Cell]] = [
        [
            _feature_cell(source, parts[name][0], int(parts[name][2]), in_full),
            ", ".join(source.tags.get(name, [])),
            source.notes.get(name, ""),
        ]
        for name in order
    ]
    blocks: list[Block] = []
    if rows:
        blocks.append(Table("Tags and notes", [Column(name) for name in ("Feature", "Tags", "Note")], rows))
    for entry in source.record.state.under("explanations").values():
        said = f"{entry.value['features']} features have an explanation from {entry.value['file']}, imported in "
        blocks.append(Paragraph((said, at_line(entry.seq), "; a label of the session stands before it.")))
    return Section("Lists, notes and imported explanations", "marks", blocks) if blocks else None


def _feature_cell(source: ReportSource, space: str, index: int, in_full: set[int]) -> Cell:
    here = space == source.space
    if here and index in in_full:
        return (Link(f"#{index}", feature_anchor(index)),)
    return (Code(f"#{index}" if here else feature_id(space, index)),)


def _row(source: ReportSource, space: str, index: int, entry: Entry, in_full: set[int]) -> list[Cell]:
    shown = _feature_cell(source, space, index, in_full)
    return [shown, *_told(source, feature_id(space, index), entry, " (stale)" if entry.stale else "")]
