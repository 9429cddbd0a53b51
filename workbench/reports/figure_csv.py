"""The data of a figure as CSV (RFC 4180), unrounded."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Any

from workbench.figures import Figure

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def figure_csv(figure: Figure) -> str:
    """The figure's data as CSV with a header row.

    A text that a spreadsheet would run as a formula gets an apostrophe in front; numbers are as they are.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    for row in _rows(figure):
        writer.writerow([_cell(value) for value in row])
    return out.getvalue()


def _cell(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    shown = value.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", "\\x00")
    return "'" + shown if shown.startswith(_FORMULA) else shown


def _rows(figure: Figure) -> Iterable[list[Any]]:
    data = figure.data
    if figure.kind == "table":
        return [data["columns"], *data["rows"]]
    if figure.kind == "curve":
        return _curve_rows(figure)
    if figure.kind == "histogram":
        ends = zip(data["edges"], data["edges"][1:], data["counts"], strict=False)
        return [["from", "to", "count"], *map(list, ends)]
    if figure.kind == "scatter":
        return _scatter_rows(figure)
    if figure.kind == "matrix":
        named = zip(data["rows"], data["values"], strict=True)
        return [["", *data["columns"]], *([name, *values] for name, values in named)]
    if figure.kind == "bars":
        bars = zip(data["names"], data["values"], data["low"], data["high"], strict=True)
        return [["name", figure.x_label or "value", "low", "high"], *map(list, bars)]
    if figure.kind == "sectors":
        return _sector_rows(data)
    if figure.kind == "colours":
        return _colour_rows(data)
    if figure.kind == "tokens":
        return _token_rows(figure)
    return [["text"], *([line] for line in str(data["text"]).splitlines())]


def _column(label: str) -> str:
    """An axis as a column's name, which no spreadsheet takes for a formula."""
    return f"minus {label[1:]}" if label.startswith("-") else label


def _curve_rows(figure: Figure) -> list[list[Any]]:
    """x, the series, and the ends of those that have a band."""
    data = figure.data
    bands = data.get("band") or {}
    ends = [f"{name}, {end}" for name in bands for end in ("low", "high")]
    columns = [
        *data["series"].values(),
        *([pair[place] for pair in pairs] for pairs in bands.values() for place in (0, -1)),
    ]
    return [[figure.x_label or "x", *data["series"], *ends], *map(list, zip(data["x"], *columns, strict=True))]


def _sector_rows(data: dict[str, Any]) -> list[list[Any]]:
    rows: list[list[Any]] = [["radius", "degrees", "read as"]]
    for radius, row in zip(data["radii"], data["values"], strict=True):
        rows += [[radius, 360 * at / len(row), data["names"][place]] for at, place in enumerate(row)]
    return rows


def _colour_rows(data: dict[str, Any]) -> list[list[Any]]:
    """The components in the scores' units: 0.5 is 0 and 1 is the scale."""
    rows: list[list[Any]] = [["row", "column", "first", "second", "third"]]
    for name, cells in zip(data["rows"], data["values"], strict=True):
        for column, cell in zip(data["columns"], cells, strict=True):
            values = ["", "", ""] if cell is None else [data["scale"] * (2 * value - 1) for value in cell]
            rows.append([name, column, *values])
    return rows


def _scatter_rows(figure: Figure) -> list[list[Any]]:
    data = figure.data
    size = len(data["x"])
    names, groups = data.get("names") or [""] * size, data.get("groups") or [""] * size
    head = ["name", _column(figure.x_label or "x"), _column(figure.y_label or "y"), "group"]
    return [head, *map(list, zip(names, data["x"], data["y"], groups, strict=True))]


def _token_rows(figure: Figure) -> list[list[Any]]:
    rows: list[list[Any]] = [["line", "title", "position", "token", "value"]]
    for number, line in enumerate(figure.data["lines"], start=1):
        for place, (token, value) in enumerate(zip(line["tokens"], line["values"], strict=True)):
            rows.append([number, line["title"], place, token, value])
    return rows
