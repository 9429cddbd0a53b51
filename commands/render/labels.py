"""Labels as tables."""

from __future__ import annotations

from rich.console import Console

from commands.render.tables import Result, table


def labels(result: Result, console: Console) -> None:
    """Labels, and what has none."""
    rows = [
        [f"#{row['index']}", row["text"] or f"({row['status']})", row.get("source", result.get("labeller", ""))]
        for row in result["labels"]
    ]
    table(console, [("feature", True), ("label", False), ("from", False)], rows)
