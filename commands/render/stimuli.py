"""Stimulus sets as tables."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from commands.render.tables import Result, table, visible


def stimulus_sets(result: Result, console: Console) -> None:
    """The stimulus sets at hand."""
    rows = [
        [row["name"], row["origin"], sum(row["categories"].values()), len(row["categories"]), row["positive"] or "-",
         row["description"]]
        for row in result["sets"]
    ]  # fmt: skip
    columns = [
        ("set", False),
        ("origin", False),
        ("sentences", True),
        ("categories", True),
        ("positive", False),
        ("", False),
    ]
    table(console, columns, rows)


def stimulus_set(result: Result, console: Console) -> None:
    """One set: its categories and sentences."""
    counts = ", ".join(f"{name} {count}" for name, count in result["categories"].items())
    console.print(Text(visible(f"{result['name']}: {counts}; positive: {result['positive'] or 'none'}"), "bold"))
    rows = [[row["category"], row["text"]] for row in result["rows"]]
    table(console, [("category", False), ("sentence", False)], rows)
    if result["offset"] + len(rows) < result["total"]:
        console.print(Text(f"{len(rows)} of {result['total']} (--offset, --limit)"))
