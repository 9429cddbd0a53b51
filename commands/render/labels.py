"""Labels as tables."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from commands.render.tables import Result, table, visible


def labels(result: Result, console: Console) -> None:
    """Labels, and what has none."""
    rows = [
        [f"#{row['index']}", row["text"] or f"({row['status']})", row.get("source", result.get("labeller", ""))]
        for row in result["labels"]
    ]
    table(console, [("feature", True), ("label", False), ("from", False)], rows)


def imported(result: Result, console: Console) -> None:
    """What a file of published explanations gave."""
    named = "/".join(part for part in result["named"].values() if part) or "no SAE named"
    by = ", ".join(f"{name or 'unnamed'} {count}" for name, count in result["by"].items())
    console.print(
        Text(
            visible(
                f"{result['file']} ({named}): {result['read']} explanations of {result['features']} features; {by}"
            ),
            "bold",
        )
    )
    rows = [[f"#{row['index']}", row["text"]] for row in result["first"]]
    table(console, [("feature", True), ("explanation", False)], rows)
