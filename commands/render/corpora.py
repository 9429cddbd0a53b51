"""Corpora and what was found in them as tables."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.text import Text

from commands.render.tables import Result, table, visible


def _count(value: int | None) -> str:
    return "without end" if value is None else f"{value:,}"


def _about(row: dict[str, Any]) -> str:
    parts = [f"{row[key]:,} {key}" for key in ("empty", "cut", "repaired") if row.get(key)]
    if row.get("enriched"):
        parts.append(sliced(row["enriched"]))
    return "; ".join(parts)


def sliced(about: dict[str, Any]) -> str:
    """What a slice is a part of, and which."""
    phrases = ", ".join(repr(phrase) for phrase in about["phrases"])
    return f"slice of {about['of_name']} with {phrases}"


def corpora(result: Result, console: Console) -> None:
    """All corpora."""
    rows = [
        [row["name"], _count(row["documents"]), _count(row["tokens"]), _about(row), row["digest"][7:19]]
        for row in result["corpora"]
    ]
    table(console, [("name", False), ("documents", True), ("tokens", True), ("", False), ("digest", False)], rows)


def imported(result: Result, console: Console) -> None:
    """One corpus."""
    corpora({"corpora": [result]}, console)


def found(result: Result, console: Console) -> None:
    """How often phrases occur, and where first."""
    share = 100 * result["documents"] / max(result["of_documents"], 1)
    console.print(
        Text(
            visible(
                f"{result['corpus']}: {result['occurrences']:,} times in {result['documents']:,} of "
                f"{result['of_documents']:,} documents ({share:.3g} %), {result['tokens']:,} of "
                f"{result['of_tokens']:,} tokens ({100 * result['density']:.3g} %)"
            ),
            "bold",
        )
    )
    table(
        console,
        [("phrase", False), ("times", True)],
        [[row["phrase"], row["occurrences"]] for row in result["phrases"]],
    )
    for line in result["lines"]:
        text = Text(f"  {line['document']:>9,}  …{visible(line['before'])}", "dim")
        text.append(visible(line["match"]), "bold underline")
        console.print(text.append(visible(line["after"]) + "…", "dim"), soft_wrap=True)
    if result["slice"]:
        console.print(Text(f"kept as {result['slice']['name']}: a slice, not a fair sample"))
