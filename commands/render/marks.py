"""Tags and notes of features as tables."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from commands.render.tables import Result, table, visible


def tagged(result: Result, console: Console) -> None:
    """What a tag was put on or taken off."""
    what = "taken off" if result["removed"] else "put on"
    features = ", ".join(result["features"]) or "no feature"
    console.print(Text(visible(f"{result['tag']}: {what} {features}; {result['count']} features have it")))


def noted(result: Result, console: Console) -> None:
    """A note as it is kept."""
    console.print(Text(visible(f"{result['feature']}: {result['text'] or 'no note'}")))


def marks(result: Result, console: Console) -> None:
    """All tags, and the features that have one or a note."""
    rows = [[row["tag"], row["features"]] for row in result["tags"]]
    table(console, [("tag", False), ("features", True)], rows)
    rows = [
        [f"#{row['index']}", ", ".join(row["tags"]), row["label"], row["note"] + (" (stale)" if row["stale"] else "")]
        for row in result["features"]
    ]
    table(console, [("feature", True), ("tags", False), ("label", False), ("note", False)], rows)


def exported(result: Result, console: Console) -> None:
    """Where the features went, and what could not go with them."""
    console.print(Text(visible(f"{result['features']:,} features as {result['format']}, {result['bytes']:,} bytes:")))
    console.print(Text(visible(result["path"])), soft_wrap=True)
    for sentence in result["missing"]:
        console.print(Text(f"  missing: {sentence}"))
