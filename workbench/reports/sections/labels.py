"""Labels, and where each comes from."""

from __future__ import annotations

from typing import Any

from workbench.evidence import scores_of
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


def labels_section(source: ReportSource) -> Section | None:
    """Every label in force by feature, and what those that were scored are worth."""
    if not source.labelled:
        return None
    in_full = set(chosen_features(source))
    rows = [_row(source, space, index, entry, in_full) for space, index, entry in source.labelled]
    columns = [Column(name) for name in ("Feature", "Label", "Source", "Status", "Given in")]
    blocks: list[Block] = [Table("Labels given so far", columns, rows)]
    if scored := [row for entry in source.labelled for row in _scores(source, *entry, in_full)]:
        blocks += [Paragraph((_SCORES,)), Table("Scores of labels", _SCORE_COLUMNS, scored)]
    return Section("Labels", "labels", blocks)


_SCORES = (
    "Accuracy is balanced (0.5 by chance), on windows of documents that no labeller saw, with its 95 % interval; "
    "beside it the accuracy of another feature's label on the same windows. A label says something of its "
    "feature where the interval of the difference lies above 0."
)
_SCORE_COLUMNS = [
    Column("Feature"), Column("Scorer"), Column("Protocol"), Column("Negatives"), Column("Accuracy", True),
    Column("Another's label", True), Column("Random windows", True), Column("Above the other's", True),
    Column("Given in"),
]  # fmt: skip


def _scores(source: ReportSource, space: str, index: int, entry: Entry, in_full: set[int]) -> list[list[Cell]]:
    feature, text = feature_id(space, index), str(entry.value["text"])
    given = {id(one.value): one.seq for one in source.record.state.under(f"label_scores/{feature}").values()}
    return [
        [
            _feature_cell(source, space, index, in_full),
            *(str(score[key]) for key in ("scorer", "protocol", "negatives")),
            _interval(score["accuracy"], ".2f"),
            *(_value((score[key] or {}).get("value"), ".2f") for key in ("other", "random")),
            _interval(score["margin"], "+.2f"),
            (at_line(given[id(score)]),),
        ]
        for score in scores_of(source.record.state, feature, text)
    ]


def _value(value: float | None, form: str) -> str:
    return "–" if value is None else f"{value:{form}}".replace("-", "−")


def _interval(found: dict[str, Any] | None, form: str) -> str:
    if found is None:
        return "–"
    value, low, high = (_value(found[key], form) for key in ("value", "low", "high"))
    return f"{value} ({low} to {high})"


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
    stale = (" (stale)",) if entry.stale else ()
    value = entry.value
    return [shown, str(value["text"]), str(value["source"]), str(value["status"]), (at_line(entry.seq), *stale)]
