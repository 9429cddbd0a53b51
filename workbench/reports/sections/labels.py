"""Labels, and where each comes from."""

from __future__ import annotations

from typing import Any

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
    """Every label in force, of features, of clusters and of quanta, and what those that were scored are worth."""
    blocks: list[Block] = []
    scored: list[list[Cell]] = []
    if source.labelled:
        in_full = set(chosen_features(source))
        rows = []
        for space, index, entry in source.labelled:
            shown = _feature_cell(source, space, index, in_full)
            name = feature_id(space, index)
            rows.append([shown, *_told(source, name, entry, " (stale)" if entry.stale else "")])
            scored += _scores(source, name, shown, entry)
        blocks.append(_table("Labels given so far", "Feature", rows))
    kinds: tuple[tuple[Of, str], ...] = (("clusters", "Cluster"), ("quanta", "Quantum"))
    for of, what in kinds:
        found = source.labels_of(of)
        for space, number, entry in found:
            scored += _scores(source, feature_id(space, number), f"{what.lower()} {number}", entry)
        if rows := [_group_row(source, of, *one) for one in found]:
            blocks.append(_table(f"Labels of {of}", what, rows))
    if scored:
        blocks += [Paragraph((_SCORES,)), Table("Scores of labels", _SCORE_COLUMNS, scored)]
    return Section("Labels", "labels", blocks) if blocks else None


_SCORES = (
    "Accuracy is balanced (0.5 by chance), on windows of documents that no labeller saw, with its 95 % interval; "
    "beside it the accuracy of another's label on the same windows. A label says something of what it names "
    "where the interval of the difference lies above 0."
)
_SCORE_COLUMNS = [
    Column("Of"), Column("Scored by"), Column("Accuracy", True),
    Column("Another's label", True), Column("Random windows", True), Column("Above the other's", True),
    Column("Given in"),
]  # fmt: skip


def _scores(source: ReportSource, name: str, shown: Cell, entry: Entry) -> list[list[Cell]]:
    given = {id(one.value): one.seq for one in source.record.state.under(f"label_scores/{name}").values()}
    return [
        [
            shown,
            f"{score['scorer']} {score['protocol']}, {score['negatives']} negatives",
            _interval(score["accuracy"], ".2f"),
            *(_value((score[key] or {}).get("value"), ".2f") for key in ("other", "random")),
            _interval(score["margin"], "+.2f"),
            (at_line(given[id(score)]),),
        ]
        for score in source.label_scores(name, str(entry.value["text"]))
    ]


def _value(value: float | None, form: str) -> str:
    return "–" if value is None else f"{value:{form}}".replace("-", "−")


def _interval(found: dict[str, Any] | None, form: str) -> str:
    if found is None:
        return "–"
    value, low, high = (_value(found[key], form) for key in ("value", "low", "high"))
    return f"{value} ({low} to {high})"


def _table(title: str, what: str, rows: list[list[Cell]]) -> Table:
    """Ratings stand in a column of their own where there are some."""
    names = [what, "Label", "Source", "Status", "Given in", "Rated"]
    kept = [at for at in range(len(names)) if at < _ALWAYS or any(row[at] for row in rows)]
    return Table(title, [Column(names[at]) for at in kept], [[row[at] for at in kept] for row in rows])


def _told(source: ReportSource, name: str, entry: Entry, mark: str) -> list[Cell]:
    """Label, source, status, line and the rating of one."""
    value, rating = entry.value, source.rating(name)
    rated = "" if rating is None else f"{rating['rating']} of 3{', blind' if rating['blind'] else ''}"
    if rating is not None and rating["concept"]:
        rated += f", against “{rating['concept']}”"
    line: Cell = (at_line(entry.seq), *((mark,) if mark else ()))
    return [str(value["text"]), str(value["source"]), str(value["status"]), line, rated]


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
