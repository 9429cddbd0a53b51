"""Lists of features that a `:` line asked for: what a search found, what sentences share, tags, neighbours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from screens.feature.neighbours import COLUMNS as NEAR
from screens.feature.neighbours import NeighboursView, feature_of, neighbour_rows
from screens.labels.blind import HIDDEN
from screens.painting import palette
from screens.painting.text import number, percent, short_id, thousands, visible
from screens.results.tables import Result, Told, View, paragraph, table, title
from screens.widgets.lines import Cell, Column, Row

WIDE = 100
SCORES = {
    "likeness": "1 where the text holds the words themselves, else how like the two are",
    "bits": "-log2 of the share of the corpus's tokens on which the feature is at least so strong",
    "activation": "the largest on the sentence; bits would need the corpus index",
}
"""What the number of a hit is, by the name of its column."""
COMMON = (
    "sentences: those with a token above the threshold; mean: of the largest activation in each of them; by chance: "
    "the share of random texts of these lengths that would have it, if tokens were independent"
)
NUMBERS = "density: the share of the corpus's tokens on which the feature fires"


def search(result: Result, width: int) -> View:
    """Hits, best first, each with where it answers."""
    from commands.render.own_text import score_name

    unit = score_name(result)
    what = f"“{result['query']}”" if result["query"] else f"the sentence “{result['by_sentence']}”"
    head = f"  {_counted(result['total'], 'feature')} for {visible(what)}"
    columns = (
        Column("feature", 9), Column(unit, 10, "right"), Column("density", 8, "right"),
        Column("label", 16 if width < WIDE else 32), Column("matched"),
    )  # fmt: skip
    rows = [(hit["feature"], _hit(hit)) for hit in result["hits"]]
    told = _missing(result, width) + _table(columns, rows, "Nothing answers: other words, or exact=false.")
    after = result["offset"] + len(result["hits"])
    if after < result["total"]:
        told += paragraph("more", f"{after} of {result['total']} shown: offset={after} shows the next", width)
    return _view(head, told, result["hits"], f"{unit}: {SCORES[unit]}. {NUMBERS}")


def _hit(hit: dict[str, Any]) -> tuple[Cell, ...]:
    from commands.render.own_text import where_found

    hidden = hit["label"] == HIDDEN  # then the label that answers is hidden too
    shown = [{**one, "text": HIDDEN} if hidden and one["where"] == "label" else one for one in hit["matches"]]
    return (
        (short_id(hit["feature"]), palette.NAME), number(hit["score"], 2), percent(hit["density"]), hit["label"],
        where_found(shown),
    )  # fmt: skip


def common(result: Result, width: int) -> View:
    """Features that the sentences share and the controls do not."""
    head = (
        f"  {_counted(result['total'], 'feature')} in at least {result['needed']} of {result['sentences']} sentences "
        f"({visible(result['source'])})"
    )
    controls = result["controls"]
    allowed = f"in at most {result['allowed']} of {controls} controls ({result['control_source']})"
    columns = (
        Column("feature", 9), Column("sentences", 9, "right"), Column("controls", 8, "right"),
        Column("mean", 6, "right"), Column("density", 8, "right"), Column("by chance", 9, "right"), Column("label"),
    )  # fmt: skip
    rows: list[tuple[str, Sequence[Cell]]] = [
        (
            row["feature"],
            (
                (short_id(row["feature"]), palette.NAME), f"{row['count']}/{result['sentences']}",
                f"{row['control_count']}/{controls}" if controls else "–", number(row["mean"], 2),
                percent(row["density"]), percent(row["expected"]), row["label"],
            ),
        )
        for row in result["rows"]
    ]  # fmt: skip
    told = paragraph("controls", allowed if controls else "without controls", width)
    told += _table(columns, rows, "They share none: a lower share= finds more.")
    return _view(head, told, result["rows"], f"{COMMON}. {NUMBERS}")


def tags(result: Result, width: int) -> View:
    """All tags, each with the list that enter opens; then the features that have one or a note."""
    columns = (Column("tag", 24), Column("features", 8, "right"))
    rows = table("tag", columns, [(row["tag"], (row["tag"], thousands(row["features"]))) for row in result["tags"]])
    each = 20 if width < WIDE else 36
    wide = (Column("feature", 9), Column("tags", each), Column("label", each), Column("note"))
    marked: list[tuple[str, Sequence[Cell]]] = [
        (
            row["feature"],
            (
                (short_id(row["feature"]), palette.NAME), ", ".join(row["tags"]), row["label"],
                row["note"] + (" (stale)" if row["stale"] else ""),
            ),
        )
        for row in result["features"]
    ]  # fmt: skip
    rows += title("row", "features with a tag or a note")
    rows += _table(wide, marked, "None has one: T on Feature (4) puts a tag on it.")
    head = f"  {_counted(len(result['tags']), 'tag')}, {_counted(result['total'], 'feature')}"
    view = _view(head, rows, result["features"], "tags and notes are the session's own; enter on a tag opens its list")
    return replace(view, lists={f"tag:{row['tag']}": str(row["tag"]) for row in result["tags"]})


def neighbours(result: Result, _width: int) -> View:
    """Both lists of the neighbours, as the pane of Feature shows them."""
    names = Row("names", tuple((column.title, palette.TITLE) for column in NEAR), columns=NEAR)
    rows = [replace(row, columns=NEAR) if len(row.cells) > 1 else row for row in neighbour_rows(result)]
    features = {row.key: feature_of(row.key) for row in rows if len(row.cells) > 1}
    looked = f"{thousands(result['tokens'])} of its {thousands(result['fired'])} tokens looked at"
    head = ((f"  neighbours of {visible(result['feature'])} · {looked}", palette.BOLD),)
    return View(head, (names, *rows), {}, features, Told((("definition", NeighboursView.HELP),)))


FOUND: dict[str, Callable[[Result, int], View]] = {
    "features.search": search,
    "features.common": common,
    "features.tags": tags,
    "features.neighbours": neighbours,
}
"""The view of each query whose reply is a list of features."""


def _view(head: str, rows: list[Row], found: list[dict[str, Any]], definition: str) -> View:
    features = {f"row:{one['feature']}": str(one["feature"]) for one in found}
    told = {key: Told((("feature", visible(feature)), ("definition", definition))) for key, feature in features.items()}
    return View(((head, palette.BOLD),), tuple(rows), told, features, Told((("definition", definition),)))


def _table(columns: Sequence[Column], rows: Sequence[tuple[str, Sequence[Cell]]], none: str) -> list[Row]:
    """A table, or what to do where it is empty."""
    return table("row", columns, rows) if rows else [Row("none", (none,))]


def _counted(count: int, what: str) -> str:
    return f"{thousands(count)} {what}{'' if count == 1 else 's'}"


def _missing(result: Result, width: int) -> list[Row]:
    return [
        row for at, text in enumerate(result["missing"])
        for row in paragraph(f"missing:{at}", f"missing: {text}", width, palette.WARN)
    ]  # fmt: skip
